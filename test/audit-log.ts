// A tenant's audit log, opened for a test to look at.
import { type AuditEvent, decodeLeaf, decodePrivate, type PrivatePart } from '@auricle/audit'
import type { EventId, TenantId } from '@auricle/contract'
import { openPrivate } from '@auricle/vault'
import type { TestVault } from './vault.ts'

const eventsMost = 100_000

/** In the order of their ids, without what writers tell of themselves. */
export async function auditEvents(
  { catalog }: Pick<TestVault, 'catalog'>,
  tenantId: TenantId,
): Promise<readonly AuditEvent[]> {
  const rows = await catalog.listEvents(tenantId, { afterId: null, limit: eventsMost })
  return rows.map(({ leaf }) => decodeLeaf(leaf)).filter(({ action }) => !action.startsWith('writer.'))
}

/** What one event says of its request; null where it has no private part, or is not there. */
export async function privatePartOf(
  { catalog, secrets }: Pick<TestVault, 'catalog' | 'secrets'>,
  tenantId: TenantId,
  id: EventId,
): Promise<PrivatePart | null> {
  const rows = await catalog.listEvents(tenantId, { afterId: null, limit: eventsMost })
  const sealed = rows.find(row => row.id === id)?.sealedPrivate ?? null
  if (sealed === null) return null
  const { privateParts } = await secrets.get(tenantId)
  return decodePrivate(openPrivate(privateParts, id, sealed)).part
}
