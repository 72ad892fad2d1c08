// Emergency access of somebody, put into the catalog as if they had opened it an hour before its end.
import {
  type BreakGlassId,
  newAlertId,
  newBreakGlassId,
  newTokenId,
  type TenantId,
  type UserId,
} from '@auricle/contract'
import type { TestVault } from '../vault.ts'
import { operatorDid } from './operator.ts'

const hourMs = 60 * 60_000

/** The id of the one that is open, where there is one already. */
export async function openAccess(
  { catalog, secrets }: TestVault,
  tenantId: TenantId,
  userId: UserId,
  until: Date,
): Promise<BreakGlassId> {
  const id = newBreakGlassId()
  const times = {
    startedAt: new Date(until.getTime() - hourMs),
    until,
    reviewDueAt: new Date(Date.now() + hourMs),
  }
  const row = { id, tenantId, userId, tokenId: newTokenId(), reason: 'of a test', ...times }
  const alert = { id: newAlertId(), tenantId, kind: 'break_glass_started', raisedAt: new Date() }
  const raised = {
    alert: { ...alert, subject: { type: 'break_glass', id } },
    event: await operatorDid(tenantId),
  }
  const { columns } = await secrets.get(tenantId, {})
  const opened = await catalog.openBreakGlass({ row, event: await operatorDid(tenantId), raised }, columns)
  return opened.status === 'open' ? opened.id : id
}
