// Reading a prefix: in one read where it has its usual length, in two where not.

import { malformed } from './error.ts'
import { type ParsedHeader, parseHeader, type SealedHeader } from './header.ts'
import { prefixUsualBytes, tinkHeaderBytes } from './limits.ts'
import type { CallOptions, SealedSource } from './port.ts'
import { parseHeaderText, parsePrefixBytes } from './prefix.ts'
import { readExactly } from './source.ts'

export interface ReadPrefix extends ParsedHeader {
  readonly prefix: Buffer
  /** What follows the prefix, or null where the object ends before it would. */
  readonly tinkHeader: Buffer | null
}

/** What an object says of itself, without a key: nothing of it is proven. Throws `malformed`, `unknown_version`. */
export async function inspectSealed(source: SealedSource, options: CallOptions = {}): Promise<SealedHeader> {
  const { header } = await readPrefix(source, options)
  return header
}

export async function readPrefix(source: SealedSource, options: CallOptions): Promise<ReadPrefix> {
  const firstEnd = Math.min(prefixUsualBytes + tinkHeaderBytes, source.sizeBytes)
  let start = await readExactly(source, { start: 0, end: firstEnd }, options)
  const prefixBytes = parsePrefixBytes(start)
  if (prefixBytes > source.sizeBytes) throw malformed('cut off within the prefix')
  const end = Math.min(prefixBytes + tinkHeaderBytes, source.sizeBytes)
  if (end > firstEnd) {
    start = Buffer.concat([start, await readExactly(source, { start: firstEnd, end }, options)])
  }
  const prefix = start.subarray(0, prefixBytes)
  const isWhole = start.length >= prefixBytes + tinkHeaderBytes
  const tinkHeader = isWhole ? start.subarray(prefixBytes, prefixBytes + tinkHeaderBytes) : null
  return { ...parseHeader(parseHeaderText(prefix)), prefix, tinkHeader }
}
