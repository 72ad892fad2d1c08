// Events of this process that the database does not have yet: kept, tried again, and acknowledged when it has them.
//
// They are late: each batch comes with one event that names them (`log.reconciled`), so that whoever reads the log knows
// why their times lie before those of their neighbours. While the database does not work, the tenants that have felt it
// are told once that it began (`log.degraded`) and once that it is over (`log.restored`).
import type { Catalog } from '@auricle/catalog'
import type { EventId, TenantId } from '@auricle/contract'
import { VaultError } from '../error.ts'
import type { EventWriter, WrittenRecord } from './event-writer.ts'
import { ownEvent } from './own-event.ts'

export interface UnsettledParts {
  readonly catalog: Pick<Catalog, 'appendStamped' | 'commitLate'>
  readonly writer: EventWriter
  readonly now: () => Date
  /** How long one attempt may take. */
  readonly attemptMs: number
  readonly onTrouble: (error: unknown) => void
}

export interface Unsettled {
  /** The same record, of which it is known here whether it was acknowledged. */
  follow(record: WrittenRecord): WrittenRecord
  /** To be brought into the database, unless it has them by now. Those of `follow`. */
  add(records: readonly WrittenRecord[]): void
  /** From now on the database is known not to work. What is to be recorded of it, of tenants that were not told. */
  degrade(tenantIds: readonly TenantId[]): readonly WrittenRecord[]
  readonly isDegraded: boolean
  /** Tries all again, where there is anything. */
  settle(): Promise<void>
}

/** As many as one event can name. */
const batchMost = 100
/** After so many batches that failed, it is the database that does not work. */
const failuresMost = 3
/** After so many attempts that left something, it is tried whether the rest works. */
const incompleteMost = 10
/** What is more than this is left to the worker, which finds it in the store (`reconcile-late.ts`). */
const keptMost = 20_000

export function createUnsettled(parts: UnsettledParts): Unsettled {
  const { catalog, writer, now, attemptMs, onTrouble } = parts
  const kept = new Map<EventId, WrittenRecord>()
  const acknowledged = new WeakSet<WrittenRecord>()
  let degraded: Set<TenantId> | null = null
  let incomplete = 0
  let settling: Promise<void> | null = null

  function follow(record: WrittenRecord): WrittenRecord {
    const followed: WrittenRecord = {
      ...record,
      acknowledge() {
        acknowledged.add(followed)
        kept.delete(record.id)
        record.acknowledge()
      },
    }
    return followed
  }

  const tell = (
    action: 'log.degraded' | 'log.restored' | 'log.reconciled',
    tenantId: TenantId,
    missing?: readonly EventId[],
  ) =>
    ownEvent(
      {
        tenantId,
        by: writer.name,
        action,
        ...(missing === undefined ? {} : { detail: { kind: 'reconciled', events: [...missing] } }),
      },
      now(),
    )

  function add(records: readonly WrittenRecord[]): void {
    for (const record of records) {
      if (!acknowledged.has(record) && kept.size < keptMost) kept.set(record.id, record)
    }
  }

  async function bring(batch: Batch): Promise<void> {
    const [{ tenantId }] = batch
    const reconciled = (missing: readonly EventId[]) => tell('log.reconciled', tenantId, missing)
    const signal = AbortSignal.timeout(attemptMs)
    const { altered } = await catalog.commitLate(tenantId, batch, reconciled, { signal })
    for (const record of batch) {
      if (!altered.includes(record.id)) record.acknowledge()
      else if (kept.delete(record.id)) {
        onTrouble(new VaultError('damaged', 'An event in the log is not the one that was written'))
      }
    }
  }

  async function bringAll(): Promise<void> {
    let failures = 0
    for (const batch of batchesOf(kept.values())) {
      try {
        await bring(batch)
      } catch (error) {
        onTrouble(error)
        if (++failures >= failuresMost) break
      }
    }
    incomplete = failures === 0 ? 0 : incomplete + 1
    // What the database will never take must not keep everything else away from it for ever.
    if (degraded === null || (incomplete > 0 && incomplete < incompleteMost)) return
    const restored = Array.from(degraded, tenantId => tell('log.restored', tenantId))
    await catalog.appendStamped(writer.stamp(restored), { signal: AbortSignal.timeout(attemptMs) })
    degraded = null
  }

  return {
    follow,
    add,
    degrade(tenantIds) {
      const told = degraded ?? new Set<TenantId>()
      degraded = told
      const untold = Array.from(new Set(tenantIds)).filter(tenantId => !told.has(tenantId))
      for (const tenantId of untold) told.add(tenantId)
      const records = writer.stamp(untold.map(tenantId => tell('log.degraded', tenantId))).map(follow)
      add(records)
      return records
    },
    get isDegraded() {
      return degraded !== null
    },
    settle() {
      if (kept.size === 0 && degraded === null) return Promise.resolve()
      settling ??= bringAll().finally(() => {
        settling = null
      })
      return settling
    },
  }
}

type Batch = readonly [WrittenRecord, ...WrittenRecord[]]

/** Of one tenant each. */
function batchesOf(records: Iterable<WrittenRecord>): readonly Batch[] {
  const batches: [WrittenRecord, ...WrittenRecord[]][] = []
  const open = new Map<TenantId, [WrittenRecord, ...WrittenRecord[]]>()
  for (const record of records) {
    const batch = open.get(record.tenantId)
    if (batch !== undefined && batch.length < batchMost) {
      batch.push(record)
      continue
    }
    const begun: [WrittenRecord, ...WrittenRecord[]] = [record]
    open.set(record.tenantId, begun)
    batches.push(begun)
  }
  return batches
}
