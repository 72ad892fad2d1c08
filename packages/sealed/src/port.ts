// What the format needs from outside: somebody who wraps its data key, and bytes that can be read at random.
import type { ByteRange, Wrap } from '@auricle/contract'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Wraps a 32-byte data key, bound to `aad`. Abort means: stop waiting; nothing was stored. */
export interface KeyWrapper {
  wrap(dataKey: Uint8Array, aad: Uint8Array, options?: CallOptions): Promise<Wrap>
}

/**
 * Gives the data key of a wrap back, only to the same `aad`. Throws for a wrap of another KMS key,
 * other `aad`, or altered bytes. The caller owns the returned bytes and wipes them.
 */
export interface KeyUnwrapper {
  unwrap(wrap: Wrap, aad: Uint8Array, options?: CallOptions): Promise<Uint8Array>
}

/** Sealed bytes at rest. `read` yields exactly the bytes of the range, in pieces of any size. */
export interface SealedSource {
  readonly sizeBytes: number
  read(range: ByteRange, options?: CallOptions): AsyncIterable<Uint8Array>
}
