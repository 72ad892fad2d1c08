// Numbers the events of one life of a process: whoever takes one out of the log before it is sealed leaves a gap.
//
// Numbers count in each tenant by itself, so that a tenant's log is enough to see it. A number is spent when its event is
// handed to the database; the writer hears of those that were committed, and its beats say which.
import { type AuditRecord, encodeLeaf, type RecordStamper, type StampedRecord } from '@auricle/audit'
import { newEventId, newWriterId, type TenantId, type WriterId } from '@auricle/contract'

/** After this, a beginning that nobody acknowledged is told again. */
const startedAgainMs = 2_000

export interface EventWriter extends RecordStamper {
  /** Of this life: no other has it. */
  readonly id: WriterId
  readonly name: string
}

export interface EventWriterOptions {
  /** Which part of the vault it is, as a stable word: `api`. */
  readonly name: string
  /** Default: the system's clock. */
  readonly now?: () => Date
  /** Default: the system's. */
  readonly random?: (byteLength: number) => Uint8Array
}

/** What it knows of one tenant. */
interface Count {
  next: number
  /** Numbers of committed events that no beat has named. */
  readonly acknowledged: Set<number>
  /** When its beginning was last told; null where it never was. */
  startedAtMs: number | null
  isStarted: boolean
}

/** One for each life of a process. */
export function createEventWriter({
  name,
  now = () => new Date(),
  random = byteLength => crypto.getRandomValues(new Uint8Array(byteLength)),
}: EventWriterOptions): EventWriter {
  const source = { now: () => now().getTime(), random }
  const id = newWriterId(source)
  const counts = new Map<TenantId, Count>()

  function countOf(tenantId: TenantId): Count {
    const known = counts.get(tenantId)
    if (known !== undefined) return known
    const count = { next: 0, acknowledged: new Set<number>(), startedAtMs: null, isStarted: false }
    counts.set(tenantId, count)
    return count
  }

  function stampOne(
    event: AuditRecord['event'],
    sealedPrivate: Uint8Array | null,
    onAcknowledged: (count: Count) => void = () => undefined,
  ): StampedRecord {
    const count = countOf(event.tenant)
    const n = count.next
    const leaf = encodeLeaf({ ...event, writer: { id, name, n } })
    count.next++
    const acknowledge = () => {
      count.acknowledged.add(n)
      onAcknowledged(count)
    }
    return { tenantId: event.tenant, id: event.id, leaf, sealedPrivate, acknowledge }
  }

  function beginIn(tenantId: TenantId): readonly StampedRecord[] {
    const count = countOf(tenantId)
    const at = now()
    const isTold = count.startedAtMs !== null && Math.abs(at.getTime() - count.startedAtMs) < startedAgainMs
    if (count.isStarted || isTold) return []
    count.startedAtMs = at.getTime()
    const started: AuditRecord['event'] = {
      v: 1,
      id: newEventId(source),
      tenant: tenantId,
      at: at.toISOString(),
      action: 'writer.started',
      outcome: 'allowed',
      actor: { type: 'system', id: name, session: null },
      object: { type: 'writer', id, version: null },
      reasons: [],
      detail: { kind: 'started', receiptKey: null },
      request: null,
      private: null,
    }
    return [
      stampOne(started, null, known => {
        known.isStarted = true
      }),
    ]
  }

  return {
    id,
    name,
    stamp(records) {
      return records.flatMap(({ event, sealedPrivate }) => [
        ...beginIn(event.tenant),
        stampOne(event, sealedPrivate),
      ])
    },
  }
}
