// An event of the sealed log as it is shown: read from its leaf, and compared with what was sealed and with the index.
import { type AuditEvent, decodeLeaf, leafHash } from '@auricle/audit'
import type { LogPosition, SealedRow } from '@auricle/catalog'
import type { EventId } from '@auricle/contract'

/**
 * `missing`: there was one, and its event is gone. `altered`: what is stored is not what was sealed. `misfiled`: the event
 * is as it was sealed, and the index that it was found by says something else of it.
 */
export interface LogFinding extends LogPosition {
  readonly id: EventId
  readonly finding: 'missing' | 'altered' | 'misfiled'
}

export interface SealedEvent extends LogPosition {
  readonly id: EventId
  /** Null where it is not there, or not as it was sealed. */
  readonly event: AuditEvent | null
  /** When the database took it in; null where it is not there. */
  readonly receivedAt: string | null
  /** Only where something is wrong. */
  readonly finding?: LogFinding['finding']
}

export async function sealedEventOf(row: SealedRow): Promise<SealedEvent> {
  const { id, year, seq, stored } = row
  const receivedAt = stored?.receivedAt.toISOString() ?? null
  if (stored === null) return { seq, year, id, event: null, receivedAt, finding: 'missing' }
  const event = await intact(stored.leaf, row)
  if (event === null) return { seq, year, id, event, receivedAt, finding: 'altered' }
  if (!isFiledAs(event, row)) return { seq, year, id, event, receivedAt, finding: 'misfiled' }
  return { seq, year, id, event, receivedAt }
}

/** The event of a leaf that has the hash that was sealed for it; null for any other. */
async function intact(leaf: Uint8Array, { leafHash: sealed }: SealedRow): Promise<AuditEvent | null> {
  if (!Buffer.from(await leafHash(leaf)).equals(sealed)) return null
  return decodeLeaf(leaf)
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

export interface FindingListener {
  readonly onFinding?: (finding: LogFinding & { readonly tenantId: SealedTenant }) => void
}
type SealedTenant = AuditEvent['tenant']

/** All of them, and the findings told. */
export async function sealedEventsOf(
  rows: readonly SealedRow[],
  tenantId: SealedTenant,
  { onFinding }: FindingListener,
): Promise<readonly SealedEvent[]> {
  const events = await Promise.all(rows.map(sealedEventOf))
  for (const { id, year, seq, finding } of events) {
    if (finding !== undefined) onFinding?.({ tenantId, id, year, seq, finding })
  }
  return events
}
