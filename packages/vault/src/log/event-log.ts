// The way into the log: what happens at the same time shares one statement, and what the database cannot take goes to the
// second sink. An event is recorded when either has it; where neither has it in time, what it stands for must not happen.
//
// Order of a flush: numbers (`event-writer.ts`) -> one statement, one commit -> acknowledged. Where that fails, or takes
// longer than `hedgeMs`, the same bytes are put into write-once storage, and brought into the database later
// (`unsettled.ts`): only then is their number acknowledged. An event whose caller was refused may be in the log all the
// same: of something that was allowed and did not happen.
import type { AuditRecord } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import { isError, VaultError } from '../error.ts'
import { createCoalescer } from './coalesce.ts'
import { DurableEvent, type EventAppender } from './durable-event.ts'
import type { EventWriter, WrittenRecord } from './event-writer.ts'
import { type LateStore, putLate } from './late-events.ts'
import { createUnsettled } from './unsettled.ts'

export interface EventLogTimes {
  /** How long the first of a flush waits for others while another flush is under way. Default 3. */
  readonly gatherMs?: number
  /** After this the second sink is asked as well. Default 1,000. */
  readonly hedgeMs?: number
  /** After this a caller is refused. Default 2,000. */
  readonly refuseMs?: number
  /** How often what the database does not have is tried again. Default 1,000. */
  readonly retryMs?: number
  /** How often beats are written. Default 5,000. */
  readonly beatMs?: number
}

/** What took the events of a flush. */
export type Sink = 'database' | 'store' | 'none'

export interface EventLogParts {
  readonly catalog: Pick<Catalog, 'appendStamped' | 'commitLate'>
  readonly writer: EventWriter
  /** The second sink; null where there is none. */
  readonly store: Pick<LateStore, 'put' | 'read'> | null
  readonly times?: EventLogTimes
  /** Default: the system's clock. */
  readonly now?: () => Date
  readonly onFlush?: (flush: {
    readonly sink: Sink
    readonly events: number
    readonly durationMs: number
  }) => void
  /** What a sink, or a beat, failed with. */
  readonly onTrouble?: (error: unknown) => void
}

export interface EventLog extends EventAppender, AsyncDisposable {
  /** For how long nothing could be recorded, in milliseconds; 0 where the last attempt worked. */
  failingMs(): number
}

const flushMost = 64
const flightsMost = 4
const waitingMost = 4_096
/** After this many failures in a row the database is left alone until it has taken what it owes. */
const failuresMost = 2
/** One has room for most of what may be left; and none that fails is tried for ever. */
const lastBeatsMost = 8
/** A client that is refused asks again after this. */
const againMs = 2_000

const defaults = { gatherMs: 3, hedgeMs: 1_000, refuseMs: 2_000, retryMs: 1_000, beatMs: 5_000 }

/** Disposing lets what waits be written, then the last beats; what cannot be by then is left to the worker. */
export function createEventLog(parts: EventLogParts): EventLog {
  const { catalog, writer, store, onFlush = () => undefined, onTrouble = () => undefined } = parts
  const { gatherMs, hedgeMs, refuseMs, retryMs, beatMs } = { ...defaults, ...parts.times }
  const now = parts.now ?? (() => new Date())
  const unsettled = createUnsettled({ catalog, writer, now, attemptMs: refuseMs, onTrouble })
  let failures = 0
  let failingSinceMs: number | null = null
  /** Rejects never. */
  let beating = Promise.resolve()

  const refusal = (cause?: unknown) => {
    const retryAt = new Date(now().getTime() + againMs)
    return new VaultError('log_unavailable', 'The audit log cannot take this now', { cause, retryAt })
  }
  const queue = createCoalescer({
    write,
    ...{ itemsMost: flushMost, writesMost: flightsMost, waitingMost, gatherMs, refuseMs, refusal },
  })

  async function write(records: readonly AuditRecord[]): Promise<readonly DurableEvent[]> {
    const startedMs = performance.now()
    const note = (sink: Sink) =>
      onFlush({ sink, events: records.length, durationMs: performance.now() - startedMs })
    try {
      note(await record(writer.stamp(records).map(unsettled.follow)))
      failingSinceMs = null
      return records.map(({ tenantId, id }) => new DurableEvent(tenantId, id))
    } catch (error) {
      failingSinceMs ??= performance.now()
      note('none')
      throw isTaken(error) ? error : refusal(error)
    }
  }

  /** Resolves when one of the sinks has them all, with which. Throws what the last of them failed with. */
  async function record(stamped: readonly WrittenRecord[]): Promise<Sink> {
    if (store === null) return insert(stamped)
    if (unsettled.isDegraded) return put(store, [...degrade(stamped), ...stamped])
    const inserting = insert(stamped)
    const early = await earlyEnd(inserting, hedgeMs)
    if (early === 'done' || isTaken(early.error)) return inserting
    const told = early.error === null || failures >= failuresMost ? degrade(stamped) : []
    return firstOf(inserting, put(store, [...told, ...stamped]))
  }

  async function insert(stamped: readonly WrittenRecord[]): Promise<Sink> {
    try {
      await catalog.appendStamped(stamped, { signal: AbortSignal.timeout(refuseMs) })
      failures = 0
      return 'database'
    } catch (error) {
      onTrouble(error)
      if (isTaken(error)) throw error
      failures++
      if (store === null && failures >= failuresMost) degrade(stamped)
      throw error
    }
  }

  async function put(to: Pick<LateStore, 'put' | 'read'>, stamped: readonly WrittenRecord[]): Promise<Sink> {
    const signal = AbortSignal.timeout(refuseMs)
    try {
      await Promise.all(stamped.map(one => putLate(to, one, now(), { signal })))
    } catch (error) {
      onTrouble(error)
      throw error
    }
    for (const one of stamped) one.vouch()
    unsettled.add(stamped)
    return 'store'
  }

  const degrade = (stamped: readonly WrittenRecord[]) =>
    unsettled.degrade(stamped.map(({ tenantId }) => tenantId))

  /** Beats wait while the database does not work: what they would say is not lost. */
  async function beat(records: readonly WrittenRecord[]): Promise<void> {
    const followed = records.map(unsettled.follow)
    for (let at = 0; at < followed.length; at += flushMost) {
      const batch = followed.slice(at, at + flushMost)
      try {
        await catalog.appendStamped(batch, { signal: AbortSignal.timeout(refuseMs) })
      } catch (error) {
        onTrouble(error)
        unsettled.add(batch)
      }
    }
  }

  const settle = () => unsettled.settle().catch(onTrouble)
  const timers = [
    setInterval(settle, retryMs),
    setInterval(() => {
      if (unsettled.isDegraded) return
      beating = Promise.all([beating, beat(writer.beats())]).then(() => undefined)
    }, beatMs),
  ]
  for (const timer of timers) timer.unref()

  return {
    append: queue.add,
    failingMs: () => (failingSinceMs === null ? 0 : performance.now() - failingSinceMs),
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer)
      await queue.close()
      await beating
      await settle()
      if (unsettled.isDegraded) return
      for (let round = 0; round < lastBeatsMost; round++) {
        const beats = writer.beats()
        if (beats.length === 0) break
        await beat(beats)
      }
      await beat(writer.stops())
    },
  }
}

const isTaken = (error: unknown) => isError(error, 'CatalogError', 'taken')

/** `done`, or what it failed with, where it ended within the time; else the error is null. */
async function earlyEnd(
  promise: Promise<unknown>,
  withinMs: number,
): Promise<'done' | { readonly error: unknown }> {
  const { promise: late, resolve } = Promise.withResolvers<{ readonly error: unknown }>()
  const timer = setTimeout(() => resolve({ error: null }), withinMs)
  const ended = promise.then(
    () => 'done' as const,
    (error: unknown) => ({ error }),
  )
  return Promise.race([ended, late]).finally(() => clearTimeout(timer))
}

/** Of two that must not both fail: the first that did not. */
async function firstOf(one: Promise<Sink>, other: Promise<Sink>): Promise<Sink> {
  return Promise.any([one, other]).catch(() => other)
}
