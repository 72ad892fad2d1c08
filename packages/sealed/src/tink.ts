// The payload alone: a plain Tink AES-GCM-HKDF streaming ciphertext, as any Tink library writes and reads it.
// For tests, benchmarks and tools; sealed objects use the same segments through seal.ts and open.ts.
import { createSecretKey } from 'node:crypto'
import type { ByteRange } from '@auricle/contract'
import { notAuthentic, SealedError } from './error.ts'
import { type HashName, hkdfExpand, hkdfExtract } from './hmac.ts'
import { noncePrefixBytes } from './limits.ts'
import type { CallOptions, SealedSource } from './port.ts'
import { readExactly } from './source.ts'
import { plaintextBytesOf, spanOfAll, spanOfRange, tinkLayout } from './tink-layout.ts'
import type { SegmentKey } from './tink-segment.ts'
import { SegmentOpener, SegmentSealer } from './tink-stream.ts'
import { trimmed } from './trim.ts'

export {
  plaintextBytesOf,
  plaintextStart,
  type SegmentSpan,
  segmentAt,
  segmentCapacity,
  segmentCount,
  segmentRange,
  spanOfAll,
  spanOfRange,
  streamBytes,
  type TinkLayout,
  tinkLayout,
} from './tink-layout.ts'

/** A Tink key with its parameters. Defaults are those of a sealed object's payload. */
export interface TinkKey {
  /** At least 16 bytes and at least `derivedKeyBytes`. */
  readonly inputKey: Uint8Array
  /** Any length; bound, not stored. */
  readonly associatedData: Uint8Array
  /** Ciphertext bytes of a segment: at least `derivedKeyBytes + 25`, below 2^31. */
  readonly segmentBytes: number
  /** Default 32. */
  readonly derivedKeyBytes?: 16 | 32 | undefined
  /** Default `sha256`. */
  readonly hash?: HashName | undefined
}

const derivedKeyDefault = 32
const inputKeyLeast = 16
const segmentSurplusLeast = 25
const segmentBytesBound = 2 ** 31

/** The AES key of one stream: HKDF with the stream's salt and the associated data as info. */
function deriveSegmentKey(tink: TinkKey, salt: Uint8Array, noncePrefix: Uint8Array): SegmentKey {
  const { inputKey, associatedData, derivedKeyBytes = derivedKeyDefault, hash = 'sha256' } = tink
  const pseudorandomKey = hkdfExtract(hash, salt, inputKey)
  const derived = hkdfExpand(hash, pseudorandomKey, [associatedData], derivedKeyBytes)
  const key = createSecretKey(derived)
  pseudorandomKey.fill(0)
  derived.fill(0)
  return {
    algorithm: derivedKeyBytes === derivedKeyDefault ? 'aes-256-gcm' : 'aes-128-gcm',
    key,
    noncePrefix,
  }
}

export interface SealTinkOptions extends CallOptions {
  /** As long as the derived key; random and never used twice under one input key. */
  readonly salt: Uint8Array
  /** 7 bytes; random. */
  readonly noncePrefix: Uint8Array
}

/** Header and segments. Deterministic, given salt and nonce prefix. Throws `misuse`, `too_large`. */
export async function* sealTink(
  source: AsyncIterable<Uint8Array>,
  tink: TinkKey,
  { salt, noncePrefix, signal }: SealTinkOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const layout = checkedLayout(tink)
  if (
    1 + salt.length + noncePrefix.length !== layout.headerBytes ||
    noncePrefix.length !== noncePrefixBytes
  ) {
    throw new SealedError('misuse', 'Salt or nonce prefix of another length than the key demands')
  }
  yield Buffer.concat([Uint8Array.of(layout.headerBytes), salt, noncePrefix])
  const sealer = new SegmentSealer(deriveSegmentKey(tink, salt, noncePrefix), layout)
  for await (const piece of source) {
    signal?.throwIfAborted()
    sealer.push(piece)
    for (let sealed = sealer.next(); sealed !== null; sealed = sealer.next()) yield* sealed
  }
  signal?.throwIfAborted()
  yield* sealer.last()
}

/**
 * Opens a range of the plaintext, or all when null, reading the header and then only the segments it needs.
 * The stream's length is the source's word: a cut stream shows only when its last segment is opened, so a range
 * before the cut still opens (sealed objects authenticate the length beforehand). Throws `not_authentic`, `bad_range`.
 */
export async function* openTink(
  source: SealedSource,
  tink: TinkKey,
  range: ByteRange | null,
  { signal }: CallOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const layout = checkedLayout(tink)
  const plaintextBytes = plaintextBytesOf(layout, source.sizeBytes)
  if (plaintextBytes === null) throw notAuthentic('no stream has this length')
  const wanted = range ?? { start: 0, end: plaintextBytes }
  if (!(wanted.start >= 0 && wanted.start <= wanted.end && wanted.end <= plaintextBytes)) {
    throw new SealedError('bad_range', 'The range lies outside the plaintext')
  }
  if (range !== null && wanted.start === wanted.end) return
  const header = await readExactly(source, { start: 0, end: layout.headerBytes }, { signal })
  if (header[0] !== layout.headerBytes) throw notAuthentic('header length byte')
  const salt = header.subarray(1, layout.headerBytes - noncePrefixBytes)
  const noncePrefix = header.subarray(layout.headerBytes - noncePrefixBytes)
  const segmentKey = deriveSegmentKey(tink, salt, noncePrefix)
  const span =
    range === null ? spanOfAll(layout, source.sizeBytes) : spanOfRange(layout, wanted, source.sizeBytes)
  const opener = new SegmentOpener(segmentKey, layout, span, source.sizeBytes)
  for await (const piece of source.read(span.ciphertext, { signal })) {
    signal?.throwIfAborted()
    opener.push(piece)
    for (let segment = opener.next(); segment !== null; segment = opener.next()) {
      yield* trimmed(segment, layout, wanted)
    }
  }
  opener.end()
}

function checkedLayout({ inputKey, segmentBytes, derivedKeyBytes = derivedKeyDefault }: TinkKey) {
  if (inputKey.length < inputKeyLeast || inputKey.length < derivedKeyBytes) {
    throw new SealedError('misuse', 'The input key is too short')
  }
  const least = derivedKeyBytes + segmentSurplusLeast
  if (!Number.isInteger(segmentBytes) || segmentBytes < least || segmentBytes >= segmentBytesBound) {
    throw new SealedError('misuse', 'The segment size is out of its limits')
  }
  return tinkLayout(segmentBytes, derivedKeyBytes)
}
