// Logs that a known connector's delivery was refused. Not a commit point of anything: the refusal stands either way.
import type { ConnectorId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'
import type { EventAppender } from './log/durable-event.ts'

export async function noteRefusal(
  { log }: { readonly log: EventAppender },
  connector: { readonly tenantId: TenantId; readonly id: ConnectorId },
  reason: string,
  request: string,
  options: CallOptions,
): Promise<void> {
  const { tenantId, id: connectorId } = connector
  const event = await auditRecord(
    {
      tenantId,
      action: 'delivery.refused',
      outcome: 'denied',
      actor: { type: 'connector', tenantId, connectorId },
      object: { type: 'connector', id: connectorId, version: null },
      reasons: [reason],
      request,
    },
    null,
  )
  await log.append(event, options)
}
