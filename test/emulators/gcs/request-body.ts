// The body of a request, which may be left off at any place and read to its end later.
import type { IncomingMessage } from 'node:http'

export interface Body extends AsyncIterable<Buffer> {
  /** Reads and forgets what is left, also where the connection breaks meanwhile. */
  drain(): Promise<void>
}

export function readBody(request: IncomingMessage): Body {
  const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>
  return {
    // Without `return`: who stops early leaves the rest to be drained.
    [Symbol.asyncIterator]: () => ({ next: () => pieces.next() }),
    async drain() {
      try {
        while ((await pieces.next()).done !== true);
      } catch {
        // The other side is gone, and with it what was left to read.
      }
    },
  }
}
