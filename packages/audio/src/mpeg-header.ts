// Tells MP3 (ISO 11172-3, 13818-3) and ADTS AAC (ISO 13818-7) from bytes that only happen to begin with ones.
import type { Head } from './bytes.ts'

/** The eleven bits that begin a frame. */
const frameSync = 0x7ff
const kilobitsByIndex = {
  mpeg1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mpeg2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const
const mpeg1Rates = [44_100, 48_000, 32_000] as const
const id3HeaderBytes = 10
const id3FooterBytes = 10
const bytesPerKilobit = 125

/** Bytes of the layer III frame at `offset`; null where there is none, or one of a free or reserved form. */
function layer3FrameBytes(head: Head, offset: number): number | null {
  const word = head.uint32be(offset)
  if (word === null || word >>> 21 !== frameSync) return null
  const version = (word >>> 19) & 3
  const layer = (word >>> 17) & 3
  const rate = mpeg1Rates[(word >>> 10) & 3]
  const isMpeg1 = version === 3
  const kilobits = (isMpeg1 ? kilobitsByIndex.mpeg1 : kilobitsByIndex.mpeg2)[(word >>> 12) & 15]
  const emphasisIsReserved = (word & 3) === 2
  if (version === 1 || layer !== 1 || rate === undefined || emphasisIsReserved) return null
  if (kilobits === undefined || kilobits === 0) return null
  const sampleRate = isMpeg1 ? rate : version === 2 ? rate / 2 : rate / 4
  const padding = (word >>> 9) & 1
  const samplesPerFrame = isMpeg1 ? 1152 : 576
  return Math.floor((samplesPerFrame * kilobits * bytesPerKilobit) / sampleRate) + padding
}

/** Whether an MP3 stream begins here: an ID3v2 tag, or a frame followed by another (or by the end of what is known). */
export function isMp3(head: Head): boolean {
  const tagBytes = id3TagBytes(head)
  if (tagBytes !== null) {
    // A tag may be larger than what is known of the file (cover art): then it has to do as evidence.
    return tagBytes + 4 > head.length || layer3FrameBytes(head, skipZeros(head, tagBytes)) !== null
  }
  const first = layer3FrameBytes(head, 0)
  return first !== null && (first + 4 > head.length || layer3FrameBytes(head, first) !== null)
}

/** Length of an ID3v2 tag with its header (id3.org, version 2.4, section 3.1); null where there is none. */
function id3TagBytes(head: Head): number | null {
  if (!head.has('ID3')) return null
  const [major, flags] = [head.byte(3), head.byte(5)]
  const sizes = [6, 7, 8, 9].map(offset => head.byte(offset) ?? 0x80)
  if (major === null || major < 2 || major > 4 || flags === null || sizes.some(size => size > 0x7f))
    return null
  const size = sizes.reduce((sum, byte) => sum * 128 + byte, 0)
  return id3HeaderBytes + size + ((flags & 0x10) === 0 ? 0 : id3FooterBytes)
}

/** Encoders pad between tag and first frame. */
function skipZeros(head: Head, from: number): number {
  let offset = from
  while (head.byte(offset) === 0) offset += 1
  return offset
}

/** Bytes of the ADTS frame at `offset`; null where there is none. */
function adtsFrameBytes(head: Head, offset: number): number | null {
  const word = head.uint32be(offset)
  const [fifth, sixth] = [head.byte(offset + 4), head.byte(offset + 5)]
  if (word === null || fifth === null || sixth === null) return null
  // Sync word, layer always 0 (which no MP3 frame has), a sampling rate that exists.
  if (word >>> 20 !== 0xfff || ((word >>> 17) & 3) !== 0 || ((word >>> 10) & 15) > 12) return null
  const bytes = ((word & 3) << 11) | (fifth << 3) | (sixth >> 5)
  const headerBytes = ((word >>> 16) & 1) === 1 ? 7 : 9
  return bytes >= headerBytes ? bytes : null
}

export function isAdts(head: Head): boolean {
  const first = adtsFrameBytes(head, 0)
  return first !== null && (first + 6 > head.length || adtsFrameBytes(head, first) !== null)
}
