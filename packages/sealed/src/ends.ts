// Reading the two ends of an object, its prefix and its trailer, in as few reads as can be.
import { malformed } from './error.ts'
import { prefixUsualBytes, tinkHeaderBytes, trailerBytes } from './limits.ts'
import type { CallOptions, SealedSource } from './port.ts'
import { parsePrefixBytes } from './prefix.ts'
import { bytesSource, readExactly } from './source.ts'

/** Objects up to this size are read whole at once: a round trip costs more than the bytes. */
const wholeReadBytes = 64 * 1024

export interface ObjectStart {
  readonly prefix: Buffer
  /** Shorter than a Tink header where the object ends before it would. */
  readonly tinkHeader: Buffer
}

export interface ObjectEnds extends ObjectStart {
  readonly trailer: Buffer
  /** Where to read on: the source as it was, or the whole of a small object in memory. */
  readonly source: SealedSource
}

/** One read of the source for a small object, else two side by side, and one more after an unusually long prefix. */
export async function readEnds(source: SealedSource, options: CallOptions): Promise<ObjectEnds> {
  const { sizeBytes } = source
  const trailerStart = Math.max(0, sizeBytes - trailerBytes)
  if (sizeBytes <= wholeReadBytes) {
    const whole = await readExactly(source, { start: 0, end: sizeBytes }, options)
    return {
      ...splitStart(whole, parsePrefixBytes(whole)),
      trailer: whole.subarray(trailerStart),
      source: bytesSource(whole),
    }
  }
  const [start, trailer] = await Promise.all([
    readStart(source, options),
    readExactly(source, { start: trailerStart, end: sizeBytes }, options),
  ])
  return { ...start, trailer, source }
}

/** Throws `malformed` and `unknown_version` where the object does not begin as a sealed object does. */
export async function readStart(source: SealedSource, options: CallOptions): Promise<ObjectStart> {
  const { sizeBytes } = source
  const usualEnd = Math.min(prefixUsualBytes + tinkHeaderBytes, sizeBytes)
  const usual = await readExactly(source, { start: 0, end: usualEnd }, options)
  const prefixBytes = parsePrefixBytes(usual)
  const end = Math.min(prefixBytes + tinkHeaderBytes, sizeBytes)
  if (end <= usualEnd) return splitStart(usual, prefixBytes)
  const rest = await readExactly(source, { start: usualEnd, end }, options)
  return splitStart(Buffer.concat([usual, rest]), prefixBytes)
}

function splitStart(bytes: Buffer, prefixBytes: number): ObjectStart {
  if (prefixBytes > bytes.length) throw malformed('cut off within the prefix')
  return {
    prefix: bytes.subarray(0, prefixBytes),
    tinkHeader: bytes.subarray(prefixBytes, prefixBytes + tinkHeaderBytes),
  }
}
