// A key service as use cases get it, for tests and runs that put them together themselves.
import { guardKeys, type KeyService, type OnKeyUse } from '@auricle/keys'
import { isDurable, type VaultKeys } from '@auricle/vault'

export function guardedKeys(
  service: Pick<KeyService, 'ensure' | 'key'>,
  onUse: OnKeyUse = async () => undefined,
): VaultKeys {
  return guardKeys(service, { isDurable, onUse })
}
