// An object that was found authentic, ready for any number of range reads: holds the derived payload key.
import { timingSafeEqual } from 'node:crypto'
import type { ByteRange } from '@auricle/contract'
import { misuse, notAuthentic, SealedError } from './error.ts'
import type { SealedHeader } from './header.ts'
import type { CallOptions, SealedSource } from './port.ts'
import { RunningSha256 } from './running-sha256.ts'
import { spanOfAll, spanOfRange, type TinkLayout } from './tink-layout.ts'
import type { SegmentKey } from './tink-segment.ts'
import { SegmentOpener } from './tink-stream.ts'
import { trimmed } from './trim.ts'

export interface OpenedObject extends Disposable {
  readonly header: SealedHeader
  readonly plaintextBytes: number
  readonly plaintextSha256: Uint8Array
  /** The same as in `SealFacts`: SHA-256 of prefix and trailer. */
  readonly fingerprint: Uint8Array
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
  readonly fingerprint: () => Uint8Array
  readonly segmentKey: SegmentKey
  readonly layout: TinkLayout
  readonly payloadBytes: number
  /** Ranges count from the beginning of the payload. */
  readonly payload: SealedSource['read']
}

export function createOpenedObject(parts: OpenedParts): OpenedObject {
  const { header, plaintextBytes, plaintextSha256, layout, payloadBytes, payload } = parts
  // The data key itself was wiped when this key had been derived; disposing lets go of the last reference.
  let segmentKey: SegmentKey | null = parts.segmentKey

  const usableKey = (): SegmentKey => {
    if (segmentKey === null) throw misuse('The opened object was disposed')
    return segmentKey
  }
  const checkUsable = (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted()
    usableKey()
  }

  async function* readAll({ signal }: CallOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const span = spanOfAll(layout, payloadBytes)
    const opener = new SegmentOpener(usableKey(), layout, span, payloadBytes)
    const sha256 = new RunningSha256()
    for await (const piece of payload(span.ciphertext, { signal })) {
      checkUsable(signal)
      opener.push(piece)
      for (let segment = opener.next(); segment !== null; segment = opener.next()) {
        const isLast = segment.index === span.last
        sha256.update(segment.plaintext, isLast)
        if (isLast && !timingSafeEqual(sha256.digest(), plaintextSha256)) {
          throw notAuthentic('SHA-256 of the plaintext')
        }
        for (const opened of segment.plaintext) {
          checkUsable(signal)
          yield opened
        }
      }
    }
    opener.end()
  }

  async function* readRange(
    range: ByteRange,
    { signal }: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (range.start === range.end) return
    const span = spanOfRange(layout, range, payloadBytes)
    const opener = new SegmentOpener(usableKey(), layout, span, payloadBytes)
    for await (const piece of payload(span.ciphertext, { signal })) {
      checkUsable(signal)
      opener.push(piece)
      for (let segment = opener.next(); segment !== null; segment = opener.next()) {
        for (const opened of trimmed(segment, layout, range)) {
          checkUsable(signal)
          yield opened
        }
      }
    }
    opener.end()
  }

  return {
    header,
    plaintextBytes,
    plaintextSha256,
    get fingerprint() {
      return parts.fingerprint()
    },
    read(range, options = {}) {
      usableKey()
      if (range === null) return readAll(options)
      if (!isWithin(range, plaintextBytes)) {
        throw new SealedError('bad_range', 'The range lies outside the plaintext')
      }
      return range.end - range.start === plaintextBytes ? readAll(options) : readRange(range, options)
    },
    [Symbol.dispose]() {
      segmentKey = null
    },
  }
}

function isWithin({ start, end }: ByteRange, plaintextBytes: number): boolean {
  return (
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(end) &&
    start >= 0 &&
    start <= end &&
    end <= plaintextBytes
  )
}
