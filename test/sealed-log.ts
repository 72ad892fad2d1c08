// Seals the events of a test vault into its logs, as a worker does.
import { setTimeout as delay } from 'node:timers/promises'
import type { TenantId } from '@auricle/contract'
import { createLogKeeper, createWitnesses } from '@auricle/vault'
import type { TestVault } from './vault.ts'

/** What other tests have begun and not ended keeps the newest events of all from being sealed. */
const lookAgainMs = 25

/** Resolves, when all that the tenant has is sealed, with the size of its newest log. */
export async function sealLog(
  { catalog, logStore: store, keyService: keys }: Pick<TestVault, 'catalog' | 'logStore' | 'keyService'>,
  tenantId: TenantId,
): Promise<number> {
  const parts = {
    catalog,
    store,
    keys,
    name: 'log.test',
    watch: {},
    witnesses: createWitnesses({ witnesses: [] }),
  }
  await using keeper = createLogKeeper(parts)
  while ((await keeper.seal({})) || (await catalog.findUnsealedSince(tenantId)) !== null)
    await delay(lookAgainMs)
  return (await catalog.findNewestLog(tenantId))?.size ?? 0
}
