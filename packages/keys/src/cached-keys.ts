// Unwrapped data keys kept briefly in memory, so that one recording being heard costs one unwrap; wiped when forgotten.
import { createHash } from 'node:crypto'
import type { Wrap } from '@auricle/contract'
import type { KeyUnwrapper, KeyWrapper } from '@auricle/sealed'
import { KeyError } from './error.ts'
import type { KeyService } from './key-service.ts'
import { keyText } from './key-text.ts'

export interface CachedKeysOptions {
  /** How long a data key is kept from when it came, from 1: also how long it outlives the right to unwrap it. */
  readonly keptMs: number
  /** How many are kept at most, from 1; the oldest goes first. */
  readonly keysMost: number
  /** Milliseconds that only grow. Default: `performance.now`. */
  readonly now?: (() => number) | undefined
}

interface Kept {
  readonly dataKey: Uint8Array
  readonly until: number
  readonly timer: NodeJS.Timeout
}

/** One unwrap on its way, for everybody who asks for the same meanwhile. */
interface Flight {
  readonly result: Promise<Uint8Array>
  readonly controller: AbortController
  waiters: number
  /** Wiped when the last waiter has its copy. */
  dataKey: Uint8Array | null
}

/**
 * The service, with what its `unwrap` gives kept by key, wrap and context. Every call gets a copy of its own, to wipe as
 * ever. A failure is not kept. Aborting a call ends the unwrap only where nobody else waits for it. Disposing wipes what
 * is kept and leaves the service as it is.
 */
export function cachedKeys(
  service: KeyService,
  { keptMs, keysMost, now = () => performance.now() }: CachedKeysOptions,
): KeyService & Disposable {
  if (!(keptMs >= 1) || !(keysMost >= 1)) throw new RangeError('keptMs and keysMost are numbers from 1')
  // The order of a Map is that of coming.
  const kept = new Map<string, Kept>()
  const flights = new Map<string, Flight>()
  let isDisposed = false

  function forget(id: string): void {
    const entry = kept.get(id)
    if (entry === undefined) return
    kept.delete(id)
    clearTimeout(entry.timer)
    entry.dataKey.fill(0)
  }

  function keep(id: string, dataKey: Uint8Array): void {
    if (isDisposed) return
    forget(id)
    const timer = setTimeout(() => forget(id), keptMs)
    timer.unref()
    kept.set(id, { dataKey: Uint8Array.from(dataKey), until: now() + keptMs, timer })
    for (const oldest of kept.keys()) {
      if (kept.size <= keysMost) break
      forget(oldest)
    }
  }

  function known(id: string): Uint8Array | null {
    const entry = kept.get(id)
    if (entry === undefined) return null
    if (now() < entry.until) return Uint8Array.from(entry.dataKey)
    forget(id)
    return null
  }

  function begin(id: string, unwrap: (signal: AbortSignal) => Promise<Uint8Array>): Flight {
    const controller = new AbortController()
    const flight: Flight = { controller, waiters: 0, dataKey: null, result: land() }
    flights.set(id, flight)
    return flight

    async function land(): Promise<Uint8Array> {
      try {
        const dataKey = await unwrap(controller.signal)
        if (flight.waiters > 0) {
          flight.dataKey = dataKey
          keep(id, dataKey)
        } else dataKey.fill(0)
        return dataKey
      } finally {
        if (flights.get(id) === flight) flights.delete(id)
      }
    }
  }

  async function join(id: string, flight: Flight, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    flight.waiters++
    try {
      return Uint8Array.from(await Promise.race([flight.result, aborted]))
    } finally {
      signal?.removeEventListener('abort', abort)
      flight.waiters--
      if (flight.waiters === 0) end(id, flight)
    }
  }

  function end(id: string, flight: Flight): void {
    flight.dataKey?.fill(0)
    if (flights.get(id) !== flight) return
    // Whoever comes now begins anew; what this one still brings is nobody's.
    flights.delete(id)
    flight.result.catch(() => undefined)
    flight.controller.abort()
  }

  return {
    ensure: (name, options) => service.ensure(name, options),
    rotate: (name, options) => service.rotate(name, options),
    mac: name => service.mac(name),
    signer: name => service.signer(name),
    inspect: options => service.inspect(options),

    key(name): KeyWrapper & KeyUnwrapper {
      const [handle, text] = [service.key(name), keyText(name)]
      return {
        wrap: (dataKey, aad, options) => handle.wrap(dataKey, aad, options),
        async unwrap(wrap, aad, { signal } = {}) {
          signal?.throwIfAborted()
          if (isDisposed) throw new KeyError('unavailable', 'The key service is closed')
          const id = idOf(text, wrap, aad)
          const found = known(id)
          if (found !== null) return found
          const own = Uint8Array.from(aad)
          const flight = flights.get(id) ?? begin(id, ended => handle.unwrap(wrap, own, { signal: ended }))
          return await join(id, flight, signal)
        },
      }
    },

    [Symbol.dispose]() {
      isDisposed = true
      for (const id of kept.keys()) forget(id)
    },
  }
}

/** The same for exactly the same question: whatever of a wrap differs may be a forgery, which the service decides. */
function idOf(text: string, wrap: Wrap, aad: Uint8Array): string {
  const { kms, key, keyVersion, protection, aad: rule, wrapped, createdAt } = wrap
  const question = JSON.stringify([
    text,
    kms,
    key,
    keyVersion,
    protection,
    rule,
    wrapped,
    createdAt,
    aad.length,
  ])
  return createHash('sha256').update(question).update(aad).digest('base64')
}
