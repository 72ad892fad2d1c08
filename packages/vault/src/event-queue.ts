// Events of what has happened already and cannot be refused any more: appended as soon as can be, again until they are.
import type { AuditRecord } from '@auricle/audit'

const atOnce = 64
const pauseMsDefault = 2_000
/** Of records that wait: an outage of the log stops what makes new ones long before. */
const waitingMost = 100_000

export interface EventQueueParts {
  /** Rejects where the event is not known to be durable. */
  readonly append: (record: AuditRecord) => Promise<unknown>
  /** What an append failed with; it is tried again. */
  readonly onFailure: (error: unknown) => void
  /** Between one attempt that failed and the next, in milliseconds. Default 2,000. */
  readonly pauseMs?: number | undefined
}

export interface EventQueue {
  /**
   * `make` is called for each attempt: where one seemed to fail and did not, the log has the event twice, under two ids. One
   * that cannot be made is told as a failure, and lost.
   */
  add(make: () => Promise<AuditRecord>): void
  /** Resolves when all that was added is durable; with how many are not where that takes longer than `withinMs`. */
  flush(withinMs: number): Promise<number>
}

type Make = Parameters<EventQueue['add']>[0]

export function createEventQueue({
  append,
  onFailure,
  pauseMs = pauseMsDefault,
}: EventQueueParts): EventQueue {
  let waiting: Make[] = []
  let underWay = 0
  let running: Promise<void> | null = null

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, atOnce)
      underWay = batch.length
      const done = await Promise.all(batch.map(attempt))
      const left = batch.filter((_, index) => done[index] === false)
      underWay = 0
      waiting = [...left, ...waiting]
      if (left.length > 0) await pause(pauseMs)
    }
    running = null
  }

  /** True once nothing is left to do for it. */
  async function attempt(make: Make): Promise<boolean> {
    let record: AuditRecord
    try {
      record = await make()
    } catch (error) {
      onFailure(error)
      return true
    }
    try {
      await append(record)
      return true
    } catch (error) {
      onFailure(error)
      return false
    }
  }

  return {
    add(make) {
      if (waiting.length >= waitingMost) return onFailure(new RangeError('too many events wait: one is lost'))
      waiting.push(make)
      running ??= run()
    },
    async flush(withinMs) {
      await Promise.race([running, pause(withinMs)])
      return waiting.length + underWay
    },
  }
}

/** Keeps no process alive. */
function pause(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms).unref()
  })
}
