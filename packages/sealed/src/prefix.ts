// The prefix: magic, two lengths, the header, zeros up to a multiple of 512 bytes.
import { isUtf8 } from 'node:buffer'
import { malformed, misuse, SealedError } from './error.ts'
import {
  magicBytes,
  prefixFixedBytes,
  prefixMostBytes,
  prefixStepBytes,
  prefixUsualBytes,
  tinkHeaderBytes,
} from './limits.ts'

const magic = Buffer.from('SEALREC1')
const family = magic.subarray(0, magicBytes - 1)
const prefixLengthAt = magicBytes
const headerLengthAt = magicBytes + 4
const zeros = Buffer.alloc(prefixMostBytes)

export interface SealedPrefix {
  /** The prefix with room for the Tink header behind it, so that both leave as one piece. */
  readonly bytes: Buffer
  readonly prefixBytes: number
}

/** Throws `misuse` where the header does not fit into the longest prefix. */
export function encodePrefix(headerJson: string): SealedPrefix {
  const headerBytes = Buffer.byteLength(headerJson)
  const filled = prefixFixedBytes + headerBytes
  const prefixBytes = Math.max(prefixUsualBytes, Math.ceil(filled / prefixStepBytes) * prefixStepBytes)
  if (prefixBytes > prefixMostBytes) throw misuse('The header is too long')
  const bytes = Buffer.allocUnsafe(prefixBytes + tinkHeaderBytes).fill(0, filled)
  bytes.set(magic)
  bytes.writeUInt32BE(prefixBytes, prefixLengthAt)
  bytes.writeUInt32BE(headerBytes, headerLengthAt)
  bytes.write(headerJson, prefixFixedBytes)
  return { bytes, prefixBytes }
}

/** Length of the whole prefix, out of its first 16 bytes. Throws `malformed`, `unknown_version`. */
export function parsePrefixBytes(start: Buffer): number {
  if (start.length < prefixFixedBytes || !start.subarray(0, family.length).equals(family)) {
    throw malformed('no magic')
  }
  if (start[magicBytes - 1] !== magic[magicBytes - 1]) {
    throw new SealedError('unknown_version', 'Sealed by a version that is not known here')
  }
  const prefixBytes = start.readUInt32BE(prefixLengthAt)
  const isLegal = prefixBytes > 0 && prefixBytes % prefixStepBytes === 0 && prefixBytes <= prefixMostBytes
  if (!isLegal) throw malformed('prefix length')
  return prefixBytes
}

/** The header's text out of a whole prefix. Throws `malformed`. */
export function parseHeaderText(prefix: Buffer): string {
  const headerBytes = prefix.readUInt32BE(headerLengthAt)
  const headerEnd = prefixFixedBytes + headerBytes
  if (headerBytes < 1 || headerEnd > prefix.length) throw malformed('header length')
  if (zeros.compare(prefix, headerEnd, prefix.length, headerEnd, prefix.length) !== 0)
    throw malformed('padding')
  const header = prefix.subarray(prefixFixedBytes, headerEnd)
  if (!isUtf8(header)) throw malformed('header is not UTF-8')
  return header.toString()
}
