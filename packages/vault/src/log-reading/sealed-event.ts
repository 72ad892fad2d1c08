// An event of the sealed log as it is shown: read from its leaf, and compared with what was sealed and with the index.
import { type AuditEvent, decodeLeaf, equalBytes, leafHash } from '@auricle/audit'
import type { LogPosition, SealedRow } from '@auricle/catalog'
import type { EventId, TenantId } from '@auricle/contract'

/**
 * `missing`: there was one, and its event is gone. `altered`: what is stored is not what was sealed. `misfiled`: the event
 * is as it was sealed, and the index that it was found by says something else of it.
 */
export interface LogFinding extends LogPosition {
  readonly id: EventId
  readonly finding: 'missing' | 'altered' | 'misfiled'
}

/** Told of what is not as it was sealed, when it is met. */
export type OnFinding = (finding: LogFinding & { readonly tenantId: TenantId }) => void

export interface SealedEvent extends LogPosition {
  readonly id: EventId
  /** Null where it is not there, or not as it was sealed. */
  readonly event: AuditEvent | null
  /** When the database took it in; null where it is not there. */
  readonly receivedAt: string | null
  /** Only where something is wrong. */
  readonly finding?: LogFinding['finding']
}

/** All of them, and the findings told. */
export function sealedEventsOf(
  rows: readonly SealedRow[],
  tenantId: TenantId,
  { onFinding }: { readonly onFinding?: OnFinding | undefined },
): readonly SealedEvent[] {
  const events = rows.map(row => sealedEventOf(row))
  for (const { id, year, seq, finding } of events) {
    if (finding !== undefined) onFinding?.({ tenantId, id, year, seq, finding })
  }
  return events
}

function sealedEventOf(row: SealedRow): SealedEvent {
  const { id, year, seq, stored } = row
  const receivedAt = stored?.receivedAt.toISOString() ?? null
  if (stored === null) return { seq, year, id, event: null, receivedAt, finding: 'missing' }
  if (!equalBytes(leafHash(stored.leaf), row.leafHash))
    return { seq, year, id, event: null, receivedAt, finding: 'altered' }
  const event = decodeLeaf(stored.leaf)
  if (!isFiledAs(event, row)) return { seq, year, id, event, receivedAt, finding: 'misfiled' }
  return { seq, year, id, event, receivedAt }
}

function isFiledAs(event: AuditEvent, row: SealedRow): boolean {
  return (
    event.id === row.id &&
    Date.parse(event.at) === row.at.getTime() &&
    event.action === row.action &&
    event.outcome === row.outcome &&
    event.actor.id === row.actorId &&
    (event.object?.id ?? null) === row.objectId
  )
}
