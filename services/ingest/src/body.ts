// A request's body as pieces: bounded in size, in the time it may stand still, and never silently short.
import type { IncomingMessage } from 'node:http'
import { IngestError } from './error.ts'

export interface BodyLimits {
  /** Most bytes of the whole body. */
  readonly maxBytes: number
  /** Longest time without a byte, in milliseconds. */
  readonly idleTimeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Yields what arrives, reading no faster than it is consumed. Throws `too_large` (at once where the declared length
 * says so), `idle_timeout`, and `truncated` where the sender went away. Stopping early leaves the socket usable for
 * an answer, which is why the stream's own iterator is not used: it would destroy it.
 */
export async function* readBody(request: IncomingMessage, limits: BodyLimits): AsyncGenerator<Buffer> {
  const { maxBytes, idleTimeoutMs, signal } = limits
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  using arrival = watchArrival(request, idleTimeoutMs, signal)
  let bytes = 0
  for (;;) {
    signal?.throwIfAborted()
    const piece: Buffer | null = request.read()
    if (piece === null) {
      if (request.readableEnded) break
      await arrival.next()
      continue
    }
    bytes += piece.length
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    arrival.touch()
    yield piece
  }
}

function tooLarge(maxBytes: number): IngestError {
  return new IngestError('too_large', `The body exceeds the ${maxBytes} bytes that this connector accepts`)
}

interface Arrival extends Disposable {
  /** Resolves when there may be something to read; rejects when nothing will come any more. */
  next(): Promise<void>
  /** A byte arrived: the time it may stand still starts anew. */
  touch(): void
}

function watchArrival(request: IncomingMessage, idleTimeoutMs: number, signal?: AbortSignal): Arrival {
  let waiting: PromiseWithResolvers<void> | null = null
  let failure: unknown = null
  const wake = () => {
    waiting?.resolve()
    waiting = null
  }
  const fail = (error: unknown) => {
    failure ??= error
    waiting?.reject(failure)
    waiting = null
  }
  const cut = (cause?: Error) =>
    fail(new IngestError('truncated', 'The body ended before its declared length', { cause }))
  const close = () => {
    if (!request.complete) cut()
  }
  const aborted = () => fail(signal?.reason)
  const idle = setTimeout(
    () => fail(new IngestError('idle_timeout', `Nothing arrived for ${idleTimeoutMs} ms`)),
    idleTimeoutMs,
  )
  request.on('readable', wake).on('end', wake).on('error', cut).on('close', close)
  signal?.addEventListener('abort', aborted, { once: true })
  if (request.destroyed && !request.complete) cut()
  return {
    next() {
      if (failure !== null) return Promise.reject(failure)
      waiting ??= Promise.withResolvers<void>()
      return waiting.promise
    },
    touch: () => idle.refresh(),
    [Symbol.dispose]() {
      clearTimeout(idle)
      request.off('readable', wake).off('end', wake).off('close', close)
      // The error listener stays: a socket that breaks while the answer is under way must not end the process.
      signal?.removeEventListener('abort', aborted)
    },
  }
}
