// A tenant's audit log, opened for a test to look at.
import { type AuditEvent, decodeLeaf } from '@auricle/audit'
import type { TenantId } from '@auricle/contract'
import type { TestVault } from './vault.ts'

const eventsMost = 100_000

/** In the order of their ids. */
export async function auditEvents(
  { catalog }: Pick<TestVault, 'catalog'>,
  tenantId: TenantId,
): Promise<readonly AuditEvent[]> {
  const rows = await catalog.listEvents(tenantId, { afterId: null, limit: eventsMost })
  return rows.map(({ leaf }) => decodeLeaf(leaf))
}
