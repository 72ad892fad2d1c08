// Appends an event and gives the proof that it is durable, which is what opens a recording's key.
import type { AuditRecord } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import { DurableEvent } from './durable-event.ts'

export async function appendDurably(
  catalog: Pick<Catalog, 'appendEvents'>,
  record: AuditRecord,
  options: CallOptions,
): Promise<DurableEvent> {
  await catalog.appendEvents([record], options)
  return new DurableEvent(record.tenantId, record.id)
}
