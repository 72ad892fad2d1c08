// Numbers the events of one life of a process: whoever takes one out of the log before it is sealed leaves a gap.
//
// Numbers count in each tenant by itself, so that a tenant's log is enough to see it. A number is spent when its event is
// handed to the database; the writer hears of those that were committed, and its beats say which. A number that no beat
// names is of an event that may be there or not.
import {
  type AuditRecord,
  finishLeaf,
  leafHash,
  type RecordStamper,
  type StampedRecord,
} from '@auricle/audit'
import { type EventId, newWriterId, type TenantId, type WriterId } from '@auricle/contract'
import { type OwnEvent, ownEvent } from './own-event.ts'
import { newReceiptKey, type ReceiptKey } from './receipt-key.ts'
import { takeSpans } from './spans.ts'

/** After this, a beginning that nobody acknowledged is told again. */
const startedAgainMs = 2_000

export interface WrittenRecord extends StampedRecord {
  /** Gives the receipt of it: a sink has it. Acknowledging does so too; the second time nothing happens. */
  vouch(): void
}

export interface GivenReceipt {
  readonly tenantId: TenantId
  readonly eventId: EventId
  /** The request that the event belongs to; null where none. */
  readonly request: string | null
  /** The signed note. */
  readonly note: string
}

export interface EventWriter extends RecordStamper {
  stamp(records: readonly AuditRecord[]): readonly WrittenRecord[]
  /** What its receipts are signed with; null where it gives none. */
  readonly receiptKey: string | null
  /** Told of every receipt, as soon as its event is durable, until disposed of. */
  onReceipt(listener: (receipt: GivenReceipt) => void): Disposable
  /** Of this life: no other has it. */
  readonly id: WriterId
  readonly name: string
  /**
   * What is to be written now and then: of each tenant in which something was acknowledged since the beat before, one
   * that names it. The next is made only when this one is acknowledged, so it has to be brought into the log.
   */
  beats(): readonly WrittenRecord[]
  /**
   * Beats again, which end with `writer.stopped` where they have named everything: to be asked for until there are none.
   */
  stops(): readonly WrittenRecord[]
}

export interface EventWriterOptions {
  /** Which part of the vault it is, as a stable word: `api`. */
  readonly name: string
  /** The deployment's name, under which it signs receipts. Default: null, it gives none. */
  readonly logName?: string | null
  /** Default: the system's clock. */
  readonly now?: () => Date
  /** Default: the system's. */
  readonly random?: (byteLength: number) => Uint8Array
}

/** What it knows of one tenant. */
interface Count {
  next: number
  beat: number
  /** Numbers of committed events that no beat has named. */
  readonly acknowledged: Set<number>
  /** Something was acknowledged besides beats. */
  isActive: boolean
  /** When its beginning was last told; null where it never was. */
  startedAtMs: number | null
  isStarted: boolean
  /** A beat was made and is not acknowledged. */
  isBeating: boolean
  isStopped: boolean
}

/** One for each life of a process. */
export function createEventWriter({
  name,
  logName = null,
  now = () => new Date(),
  random = byteLength => crypto.getRandomValues(new Uint8Array(byteLength)),
}: EventWriterOptions): EventWriter {
  const source = { now: () => now().getTime(), random }
  const id = newWriterId(source)
  const counts = new Map<TenantId, Count>()
  const key: ReceiptKey | null = logName === null ? null : newReceiptKey(logName, id)
  const listeners = new Set<(receipt: GivenReceipt) => void>()

  function give({ tenantId, id: eventId, event }: AuditRecord, leaf: Uint8Array): void {
    if (key === null || listeners.size === 0) return
    const note = key.sign({ tenantId, eventId, leafHash: leafHash(leaf), at: now().toISOString() })
    for (const listener of listeners) listener({ tenantId, eventId, request: event.request, note })
  }

  function countOf(tenantId: TenantId): Count {
    const known = counts.get(tenantId)
    if (known !== undefined) return known
    const count: Count = {
      ...{ next: 0, beat: 0, acknowledged: new Set() },
      ...{ isActive: false, startedAtMs: null, isStarted: false, isBeating: false },
      isStopped: false,
    }
    counts.set(tenantId, count)
    return count
  }

  function stampOne(record: AuditRecord, onAcknowledged: (count: Count) => void): WrittenRecord {
    const { tenantId, event, sealedPrivate } = record
    const count = countOf(tenantId)
    const n = count.next
    const leaf = finishLeaf(record.begunLeaf, { id, name, n })
    count.next++
    let isVouched = false
    const vouch = () => {
      if (isVouched) return
      isVouched = true
      give(record, leaf)
    }
    const acknowledge = () => {
      count.acknowledged.add(n)
      onAcknowledged(count)
      vouch()
    }
    return { tenantId, id: event.id, leaf, sealedPrivate, acknowledge, vouch }
  }

  const own = (event: Omit<OwnEvent, 'by' | 'object'>) =>
    ownEvent({ ...event, by: name, object: { type: 'writer', id, version: null } }, now(), source)

  function begin(tenantId: TenantId, count: Count): WrittenRecord {
    count.startedAtMs = now().getTime()
    const detail = { kind: 'started', receiptKey: key?.verifierKey ?? null } as const
    return stampOne(own({ tenantId, action: 'writer.started', detail }), () => {
      count.isStarted = true
      count.isActive = true
    })
  }

  function beginWhereNew(tenantId: TenantId): readonly WrittenRecord[] {
    const count = countOf(tenantId)
    const isTold =
      count.startedAtMs !== null && Math.abs(now().getTime() - count.startedAtMs) < startedAgainMs
    return count.isStarted || isTold ? [] : [begin(tenantId, count)]
  }

  function beat(tenantId: TenantId, count: Count, when: 'now_and_then' | 'at_the_end'): WrittenRecord {
    const acknowledged = takeSpans(count.acknowledged)
    count.isStopped = when === 'at_the_end' && count.acknowledged.size === 0
    const action = count.isStopped ? 'writer.stopped' : 'writer.heartbeat'
    const detail = { kind: 'beat', beat: count.beat, acknowledged } as const
    count.beat++
    count.isBeating = true
    // More than one beat has room for waits for the next.
    count.isActive = count.acknowledged.size > 0
    return stampOne(own({ tenantId, action, detail }), () => {
      count.isBeating = false
    })
  }

  return {
    id,
    name,
    receiptKey: key?.verifierKey ?? null,
    onReceipt(listener) {
      listeners.add(listener)
      return {
        [Symbol.dispose]() {
          listeners.delete(listener)
        },
      }
    },
    stamp(records) {
      return records.flatMap(record => [
        ...beginWhereNew(record.tenantId),
        stampOne(record, count => {
          count.isActive = true
        }),
      ])
    },
    beats() {
      return Array.from(counts).flatMap(([tenantId, count]) => {
        if (!count.isActive || count.isBeating) return []
        // A beat follows a beginning that is there.
        if (!count.isStarted) return [begin(tenantId, count)]
        return [beat(tenantId, count, 'now_and_then')]
      })
    },
    stops() {
      return Array.from(counts).flatMap(([tenantId, count]) => {
        if (count.isBeating || count.isStopped) return []
        if (count.isStarted) return [beat(tenantId, count, 'at_the_end')]
        return count.isActive ? [begin(tenantId, count)] : []
      })
    },
  }
}
