// An object that was found authentic, ready for any number of range reads: holds the derived payload key.
import { timingSafeEqual } from 'node:crypto'
import type { ByteRange } from '@auricle/contract'
import { misuse, notAuthentic, SealedError } from './error.ts'
import type { SealedHeader } from './header.ts'
import type { CallOptions, SealedSource } from './port.ts'
import type { RecordingSecret } from './recording-secret.ts'
import { RunningSha256 } from './running-sha256.ts'
import { type SegmentSpan, spanOfAll, spanOfRange, type TinkLayout } from './tink-layout.ts'
import type { SegmentKey } from './tink-segment.ts'
import { SegmentOpener } from './tink-stream.ts'
import { fingerprintOf } from './trailer.ts'
import { trimmed } from './trim.ts'

export interface OpenedObject extends Disposable {
  readonly header: SealedHeader
  readonly plaintextBytes: number
  readonly plaintextSha256: Uint8Array
  /** The same as in `SealFacts`: SHA-256 of prefix and trailer. */
  readonly fingerprint: Uint8Array
  /** Opens and seals the other objects of the recording; null where this one has a key of its own. Wiped with it. */
  readonly recordingSecret: RecordingSecret | null
  /**
   * The plaintext of the range, or all when null, in pieces. Reads only the segments the range touches, in one
   * contiguous read, and gives each only after its tag was verified. A read of everything also compares the
   * SHA-256 of the plaintext before it gives the last segment. Reads may run side by side.
   * Throws `bad_range` and `misuse` (disposed) at once, `not_authentic` while reading. Abort stops reading.
   */
  read(range: ByteRange | null, options?: CallOptions): AsyncGenerator<Uint8Array, void, undefined>
}

export interface OpenedParts {
  readonly header: SealedHeader
  readonly plaintextBytes: number
  readonly plaintextSha256: Uint8Array
  readonly prefix: Uint8Array
  readonly trailer: Uint8Array
  readonly segmentKey: SegmentKey
  readonly layout: TinkLayout
  readonly payloadBytes: number
  readonly source: SealedSource
  /** Taken over. */
  readonly recordingSecret: RecordingSecret | null
}

export function createOpenedObject(parts: OpenedParts): OpenedObject {
  return new AuthenticObject(parts)
}

class AuthenticObject implements OpenedObject {
  readonly header: SealedHeader
  readonly plaintextBytes: number
  readonly plaintextSha256: Uint8Array
  readonly recordingSecret: RecordingSecret | null
  readonly #parts: OpenedParts
  /** The data key itself was wiped when this key had been derived; disposing lets go of the last reference. */
  #segmentKey: SegmentKey | null

  constructor(parts: OpenedParts) {
    this.header = parts.header
    this.plaintextBytes = parts.plaintextBytes
    this.plaintextSha256 = parts.plaintextSha256
    this.recordingSecret = parts.recordingSecret
    this.#parts = parts
    this.#segmentKey = parts.segmentKey
  }

  get fingerprint(): Uint8Array {
    return fingerprintOf(this.#parts.prefix, this.#parts.trailer)
  }

  read(range: ByteRange | null, options: CallOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    this.#checkUsable(undefined)
    if (range === null) return this.#readAll(options)
    if (!isWithin(range, this.plaintextBytes)) {
      throw new SealedError('bad_range', 'The range lies outside the plaintext')
    }
    const isAll = range.end - range.start === this.plaintextBytes
    return isAll ? this.#readAll(options) : this.#readRange(range, options)
  }

  [Symbol.dispose](): void {
    this.#segmentKey = null
    this.recordingSecret?.[Symbol.dispose]()
  }

  async *#readAll({ signal }: CallOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const span = spanOfAll(this.#parts.layout, this.#parts.payloadBytes)
    const opener = this.#openerOf(span)
    const sha256 = new RunningSha256()
    for await (const piece of this.#ciphertextOf(span, signal)) {
      this.#checkUsable(signal)
      opener.push(piece)
      for (let segment = opener.next(); segment !== null; segment = opener.next()) {
        const isLast = segment.index === span.last
        sha256.update(segment.plaintext, isLast)
        if (isLast && !timingSafeEqual(sha256.digest(), this.plaintextSha256)) {
          throw notAuthentic('SHA-256 of the plaintext')
        }
        for (const opened of segment.plaintext) {
          this.#checkUsable(signal)
          yield opened
        }
      }
    }
    opener.end()
  }

  async *#readRange(range: ByteRange, { signal }: CallOptions): AsyncGenerator<Uint8Array, void, undefined> {
    if (range.start === range.end) return
    const { layout, payloadBytes } = this.#parts
    const span = spanOfRange(layout, range, payloadBytes)
    const opener = this.#openerOf(span)
    for await (const piece of this.#ciphertextOf(span, signal)) {
      this.#checkUsable(signal)
      opener.push(piece)
      for (let segment = opener.next(); segment !== null; segment = opener.next()) {
        for (const opened of trimmed(segment, layout, range)) {
          this.#checkUsable(signal)
          yield opened
        }
      }
    }
    opener.end()
  }

  #openerOf(span: SegmentSpan): SegmentOpener {
    if (this.#segmentKey === null) throw disposed()
    return new SegmentOpener(this.#segmentKey, this.#parts.layout, span, this.#parts.payloadBytes)
  }

  #ciphertextOf({ ciphertext: { start, end } }: SegmentSpan, signal: AbortSignal | undefined) {
    const { source, prefix } = this.#parts
    return source.read({ start: start + prefix.length, end: end + prefix.length }, { signal })
  }

  #checkUsable(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#segmentKey === null) throw disposed()
  }
}

const disposed = () => misuse('The opened object was disposed')

function isWithin({ start, end }: ByteRange, plaintextBytes: number): boolean {
  return (
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(end) &&
    start >= 0 &&
    start <= end &&
    end <= plaintextBytes
  )
}
