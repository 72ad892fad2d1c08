// An opened object that several requests read at once, and whose key is wiped when the last of them is done.
import type { ByteRange } from '@auricle/contract'
import type { CallOptions, OpenedObject } from '@auricle/sealed'

export interface SharedReading extends Disposable {
  readonly opened: OpenedObject
  read(range: ByteRange | null, options?: CallOptions): AsyncGenerator<Uint8Array>
}

/** Disposing lets no new reader in; those under way finish first. */
export function shareReading(opened: OpenedObject): SharedReading {
  let readers = 0
  let closed = false
  return {
    opened,
    async *read(range, options) {
      if (closed) throw new TypeError('this object was closed')
      readers++
      try {
        yield* opened.read(range, options)
      } finally {
        readers--
        if (closed && readers === 0) opened[Symbol.dispose]()
      }
    },
    [Symbol.dispose]() {
      if (closed) return
      closed = true
      if (readers === 0) opened[Symbol.dispose]()
    },
  }
}
