// Lets callers that come at the same time share one write: who comes while another is under way waits for the next.
import type { CallOptions } from '@auricle/sealed'

export interface CoalescerOptions<Item, Result> {
  /** One result for each item, in their order. Where it throws, each of these callers gets what it threw. */
  readonly write: (items: readonly Item[]) => Promise<readonly Result[]>
  /** Most items of one write. */
  readonly itemsMost: number
  /** Most writes at once. */
  readonly writesMost: number
  /** Most items that wait. */
  readonly waitingMost: number
  /** How long the first item waits for others while a write is under way. */
  readonly gatherMs: number
  /** How long a caller waits at most, from call to result. */
  readonly refuseMs: number
  /** What a caller gets for whom there is no room, or no time. */
  readonly refusal: () => Error
}

export interface Coalescer<Item, Result> {
  /** Abort means: stop waiting; the item may be written or not. */
  add(item: Item, options: CallOptions): Promise<Result>
  /** Refuses what comes from now on; resolves when nothing waits and nothing is under way. */
  close(): Promise<void>
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export function createCoalescer<Item, Result>(
  options: CoalescerOptions<Item, Result>,
): Coalescer<Item, Result> {
  const { itemsMost, writesMost, waitingMost, gatherMs, refuseMs, refusal } = options
  const waiting = new Set<Waiting<Item, Result>>()
  const idle = Promise.withResolvers<void>()
  let writes = 0
  /** Ends the gathering that is under way; null where none is. */
  let gathering: { readonly isIdle: boolean; readonly stop: () => void } | null = null
  let isClosed = false

  function schedule(): void {
    if (isClosed && waiting.size === 0 && writes === 0) idle.resolve()
    if (waiting.size === 0 || writes >= writesMost) return
    if (waiting.size >= itemsMost) begin()
    // Who comes in the same turn of the event loop shares it in any case.
    else if (writes === 0) gather(true)
    else if (gathering === null) gather(false)
  }

  /** Where nothing is under way any more, there is nothing to wait for: a gathering that was begun before is cut short. */
  function gather(isIdle: boolean): void {
    if (gathering?.isIdle) return
    gathering?.stop()
    if (isIdle) {
      const immediate = setImmediate(begin)
      gathering = { isIdle, stop: () => clearImmediate(immediate) }
      return
    }
    const timer = setTimeout(begin, gatherMs)
    gathering = { isIdle, stop: () => clearTimeout(timer) }
  }

  function begin(): void {
    gathering?.stop()
    gathering = null
    // Where all slots are taken, the write that ends next begins it.
    if (writes < writesMost) {
      const batch = Array.from(waiting).slice(0, itemsMost)
      for (const one of batch) waiting.delete(one)
      if (batch.length > 0) run(batch)
    }
    schedule()
  }

  function run(batch: readonly Waiting<Item, Result>[]): void {
    writes++
    options
      .write(batch.map(({ item }) => item))
      .then(
        results => {
          for (const [index, one] of batch.entries()) one.resolve(results[index] as Result)
        },
        (error: unknown) => {
          for (const one of batch) one.reject(error)
        },
      )
      .finally(() => {
        writes--
        schedule()
      })
  }

  return {
    add(item, { signal }) {
      const { promise, resolve, reject } = Promise.withResolvers<Result>()
      if (signal?.aborted) return Promise.reject(signal.reason)
      if (isClosed || waiting.size >= waitingMost) return Promise.reject(refusal())
      const one = { item, resolve, reject }
      const refuse = setTimeout(() => reject(refusal()), refuseMs)
      const onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort)
      waiting.add(one)
      schedule()
      return promise.finally(() => {
        clearTimeout(refuse)
        signal?.removeEventListener('abort', onAbort)
        waiting.delete(one)
      })
    },
    async close() {
      isClosed = true
      schedule()
      await idle.promise
    },
  }
}
