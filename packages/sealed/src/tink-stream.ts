// Cutting a stream into segments and back, one held at a time. Nothing here waits: the callers pull.
import { notAuthentic, SealedError } from './error.ts'
import { segmentsMost, tagBytes } from './limits.ts'
import { PieceQueue } from './piece-queue.ts'
import { type SegmentSpan, segmentCapacity, segmentRange, type TinkLayout } from './tink-layout.ts'
import { openSegment, type SegmentKey, sealSegment } from './tink-segment.ts'

/** Sees each segment's plaintext just before it is encrypted, so that both find it in the processor's cache. */
export type SegmentObserver = (plaintext: readonly Uint8Array[], isLast: boolean) => void

/**
 * Seals what is pushed, without the stream's header. A full segment is held back until one more byte exists, since
 * its nonce says whether it is the last. Plaintext is kept by reference until its segment was sealed.
 */
export class SegmentSealer {
  readonly #queue: PieceQueue
  readonly #segmentKey: SegmentKey
  readonly #layout: TinkLayout
  readonly #observe: SegmentObserver
  #index = 0
  #capacity: number

  constructor(segmentKey: SegmentKey, layout: TinkLayout, observe: SegmentObserver = () => {}) {
    this.#queue = new PieceQueue(layout.segmentBytes)
    this.#segmentKey = segmentKey
    this.#layout = layout
    this.#observe = observe
    this.#capacity = segmentCapacity(layout, 0)
  }

  push(plaintext: Uint8Array): void {
    this.#queue.push(plaintext)
  }

  /** The next segment that is known not to be the last, or null while more plaintext is needed. */
  next(): Uint8Array[] | null {
    if (this.#queue.bytes <= this.#capacity) return null
    if (this.#index + 1 >= segmentsMost)
      throw new SealedError('too_large', 'The source has too many segments')
    const sealed = this.#seal(this.#capacity, false)
    this.#index++
    this.#capacity = segmentCapacity(this.#layout, this.#index)
    return sealed
  }

  /** The last segment: after the end of the plaintext, once `next` gives null. */
  last(): Uint8Array[] {
    return this.#seal(this.#queue.bytes, true)
  }

  #seal(plaintextBytes: number, isLast: boolean): Uint8Array[] {
    const plaintext = this.#queue.take(plaintextBytes)
    this.#observe(plaintext, isLast)
    return sealSegment(this.#segmentKey, this.#index, isLast, plaintext)
  }
}

export interface OpenedSegment {
  readonly index: number
  readonly plaintext: readonly Uint8Array[]
}

/** Opens the segments of a span out of exactly their ciphertext; each is given only after its tag was verified. */
export class SegmentOpener {
  readonly #queue: PieceQueue
  readonly #segmentKey: SegmentKey
  readonly #layout: TinkLayout
  readonly #span: SegmentSpan
  readonly #streamBytes: number
  readonly #lastOfStream: number
  #index: number
  #missingBytes: number

  constructor(segmentKey: SegmentKey, layout: TinkLayout, span: SegmentSpan, streamBytes: number) {
    this.#queue = new PieceQueue(layout.segmentBytes)
    this.#segmentKey = segmentKey
    this.#layout = layout
    this.#span = span
    this.#streamBytes = streamBytes
    this.#lastOfStream = Math.ceil(streamBytes / layout.segmentBytes) - 1
    this.#index = span.first
    this.#missingBytes = span.ciphertext.end - span.ciphertext.start
  }

  /** Throws `not_authentic` where the source gives more than the span. */
  push(ciphertext: Uint8Array): void {
    this.#missingBytes -= ciphertext.length
    if (this.#missingBytes < 0) throw notAuthentic('the source gave more bytes than it was asked for')
    this.#queue.push(ciphertext)
  }

  /** The next segment, or null while more ciphertext is needed. Throws `not_authentic`. */
  next(): OpenedSegment | null {
    const index = this.#index
    if (index > this.#span.last) return null
    const { start, end } = segmentRange(this.#layout, index, this.#streamBytes)
    if (this.#queue.bytes < end - start) return null
    const body = this.#queue.take(end - start - tagBytes)
    const tag = joined(this.#queue.take(tagBytes))
    this.#index++
    return { index, plaintext: openSegment(this.#segmentKey, index, index === this.#lastOfStream, body, tag) }
  }

  /** After the end of the ciphertext: throws `not_authentic` where it came too early. */
  end(): void {
    if (this.#missingBytes > 0) throw notAuthentic('the source ended early')
  }
}

const joined = (pieces: readonly Uint8Array[]) => {
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
}
