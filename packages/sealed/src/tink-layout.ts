// Where things are in a Tink AES-GCM-HKDF stream: pure arithmetic on lengths and offsets, no bytes, no keys.
// The header shares its slot with segment 0, so every later segment begins at a multiple of the segment size.
import type { ByteRange } from '@auricle/contract'
import { noncePrefixBytes, tagBytes } from './limits.ts'

export interface TinkLayout {
  /** Ciphertext bytes of a full segment, tag included (the first one counts the header in). */
  readonly segmentBytes: number
  /** 24 for a 16-byte derived key, 40 for a 32-byte one. */
  readonly headerBytes: number
}

/** Segments `first` to `last`, both inclusive, and where their ciphertext lies in the stream. */
export interface SegmentSpan {
  readonly first: number
  readonly last: number
  readonly ciphertext: ByteRange
}

export function tinkLayout(segmentBytes: number, derivedKeyBytes: number): TinkLayout {
  return { segmentBytes, headerBytes: 1 + derivedKeyBytes + noncePrefixBytes }
}

/** Plaintext bytes of segment `index` when it is full. */
export function segmentCapacity({ segmentBytes, headerBytes }: TinkLayout, index: number): number {
  return index === 0 ? segmentBytes - tagBytes - headerBytes : segmentBytes - tagBytes
}

export function segmentCount({ segmentBytes, headerBytes }: TinkLayout, plaintextBytes: number): number {
  return Math.max(1, Math.ceil((plaintextBytes + headerBytes) / (segmentBytes - tagBytes)))
}

/** Length of the whole stream, header and tags included. */
export function streamBytes(layout: TinkLayout, plaintextBytes: number): number {
  return layout.headerBytes + plaintextBytes + tagBytes * segmentCount(layout, plaintextBytes)
}

/** Length of the plaintext of a stream, or null where no writer makes a stream of that length. */
export function plaintextBytesOf(layout: TinkLayout, streamLength: number): number | null {
  const count = Math.ceil(streamLength / layout.segmentBytes)
  const plaintextBytes = streamLength - layout.headerBytes - tagBytes * count
  return plaintextBytes >= 0 && streamBytes(layout, plaintextBytes) === streamLength ? plaintextBytes : null
}

/** Index of the segment that holds the plaintext byte at `offset`. */
export function segmentAt({ segmentBytes, headerBytes }: TinkLayout, offset: number): number {
  return Math.floor((offset + headerBytes) / (segmentBytes - tagBytes))
}

/** Plaintext offset of the first byte of segment `index`. */
export function plaintextStart({ segmentBytes, headerBytes }: TinkLayout, index: number): number {
  return index === 0 ? 0 : index * (segmentBytes - tagBytes) - headerBytes
}

/** Ciphertext of segment `index`, tag included, in a stream of `streamLength` bytes. */
export function segmentRange(
  { segmentBytes, headerBytes }: TinkLayout,
  index: number,
  streamLength: number,
): ByteRange {
  return {
    start: index === 0 ? headerBytes : index * segmentBytes,
    end: Math.min((index + 1) * segmentBytes, streamLength),
  }
}

/** The segments that a non-empty range of the plaintext needs; the range must lie within the plaintext. */
export function spanOfRange(layout: TinkLayout, range: ByteRange, streamLength: number): SegmentSpan {
  return spanOf(layout, segmentAt(layout, range.start), segmentAt(layout, range.end - 1), streamLength)
}

/** All segments of a stream, the one empty segment of an empty message included. */
export function spanOfAll(layout: TinkLayout, streamLength: number): SegmentSpan {
  return spanOf(layout, 0, Math.ceil(streamLength / layout.segmentBytes) - 1, streamLength)
}

function spanOf(layout: TinkLayout, first: number, last: number, streamLength: number): SegmentSpan {
  const { start } = segmentRange(layout, first, streamLength)
  const { end } = segmentRange(layout, last, streamLength)
  return { first, last, ciphertext: { start, end } }
}
