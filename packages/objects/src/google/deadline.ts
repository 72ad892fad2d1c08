// A deadline and an abort for one request, of which nothing is left once it is over: the transport would take an abort
// that comes later for a failure that nobody waits for.

export interface Deadline extends Disposable {
  readonly signal: AbortSignal
  /** Waits, as long as the deadline allows. May be used again: what lies between two waits does not count. */
  during<T>(promise: Promise<T>): Promise<T>
}

export function createDeadline(timeoutMs: number, signal: AbortSignal | undefined): Deadline {
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(signal?.reason)
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    async during(promise) {
      const timer = setTimeout(() => controller.abort(timedOut()), timeoutMs)
      try {
        return await promise
      } finally {
        clearTimeout(timer)
      }
    },
    [Symbol.dispose]() {
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

const timedOut = (): DOMException => new DOMException('The deadline is over', 'TimeoutError')
