// The text form of a key's name, as it stands in wraps and in the keyring. Never changes.
import type { KeyName } from './key-service.ts'

/** `tenants/<tenant id>/recordings`, `tenants/<tenant id>/connectors` or `identity`. */
export function keyText(name: KeyName): string {
  return name.purpose === 'identity' ? 'identity' : `tenants/${name.tenantId}/${name.purpose}`
}
