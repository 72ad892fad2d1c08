// Sealing and opening a run of Tink segments, one held at a time, pulled as the consumer asks.
import type { ByteRange } from '@auricle/contract'
import { notAuthentic, SealedError } from './error.ts'
import { segmentsMost, tagBytes } from './limits.ts'
import { PieceQueue } from './piece-queue.ts'
import type { CallOptions } from './port.ts'
import { type SegmentSpan, segmentCapacity, segmentRange, type TinkLayout } from './tink-layout.ts'
import { openSegment, type SegmentKey, sealSegment } from './tink-segment.ts'

/** Sees every plaintext piece, in order, just before it is encrypted. */
export interface PlaintextObserver {
  update(piece: Uint8Array): unknown
}

export interface SealSegmentsOptions extends CallOptions {
  readonly observer?: PlaintextObserver | undefined
}

/**
 * The segments of a stream, without its header. A full segment is held back until one more byte exists, since
 * its nonce says whether it is the last. Pieces are kept by reference: the source must not reuse its buffers.
 * Abort stops pulling; what was yielded is then an unfinished stream that no reader takes for a whole one.
 */
export async function* sealSegments(
  source: AsyncIterable<Uint8Array>,
  segmentKey: SegmentKey,
  layout: TinkLayout,
  { signal, observer }: SealSegmentsOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const queue = new PieceQueue(layout.segmentBytes)
  let index = 0
  let capacity = segmentCapacity(layout, index)
  const sealNext = (bytes: number, isLast: boolean) => {
    const plaintext = queue.take(bytes)
    if (observer !== undefined) for (const piece of plaintext) observer.update(piece)
    return sealSegment(segmentKey, index, isLast, plaintext)
  }
  for await (const piece of source) {
    signal?.throwIfAborted()
    queue.push(piece)
    while (queue.bytes > capacity) {
      yield* sealNext(capacity, false)
      signal?.throwIfAborted()
      index++
      if (index >= segmentsMost) throw new SealedError('too_large', 'The source has too many segments')
      capacity = segmentCapacity(layout, index)
    }
  }
  signal?.throwIfAborted()
  yield* sealNext(queue.bytes, true)
}

export interface OpenedSegment {
  readonly index: number
  readonly plaintext: readonly Uint8Array[]
}

/**
 * Opens the segments of `span` out of exactly their ciphertext. Each is given only after its tag was verified.
 * Throws `not_authentic` at the first that fails, and where the source gives fewer or more bytes than the span.
 */
export async function* openSegments(
  ciphertext: AsyncIterable<Uint8Array>,
  segmentKey: SegmentKey,
  layout: TinkLayout,
  span: SegmentSpan,
  streamLength: number,
  { signal }: CallOptions = {},
): AsyncGenerator<OpenedSegment, void, undefined> {
  const queue = new PieceQueue(layout.segmentBytes)
  const lastOfStream = Math.ceil(streamLength / layout.segmentBytes) - 1
  let index = span.first
  let sealedBytes = lengthOf(segmentRange(layout, index, streamLength))
  let missingBytes = lengthOf(span.ciphertext)
  for await (const piece of ciphertext) {
    signal?.throwIfAborted()
    missingBytes -= piece.length
    if (missingBytes < 0) throw notAuthentic('the source gave more bytes than it was asked for')
    queue.push(piece)
    while (index <= span.last && queue.bytes >= sealedBytes) {
      const body = queue.take(sealedBytes - tagBytes)
      const tag = joined(queue.take(tagBytes))
      yield { index, plaintext: openSegment(segmentKey, index, index === lastOfStream, body, tag) }
      signal?.throwIfAborted()
      index++
      sealedBytes = lengthOf(segmentRange(layout, index, streamLength))
    }
  }
  signal?.throwIfAborted()
  if (missingBytes > 0) throw notAuthentic('the source ended early')
}

const lengthOf = (range: ByteRange) => range.end - range.start

const joined = (pieces: readonly Uint8Array[]) => {
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
}
