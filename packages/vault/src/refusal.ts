// Logs that a known connector's delivery was refused. Not a commit point of anything: the refusal stands either way.
import type { Catalog } from '@auricle/catalog'
import type { ConnectorId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'

export async function noteRefusal(
  { catalog }: { readonly catalog: Pick<Catalog, 'appendEvents'> },
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
  await catalog.appendEvents([event], options)
}
