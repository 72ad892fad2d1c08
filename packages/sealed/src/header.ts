// The header of a sealed object: JSON that is read strictly, and only in its one canonical spelling.
import { Wrap } from '@auricle/contract'
import {
  canonicalBareCore,
  canonicalCore,
  canonicalHeader,
  canonicalWraps,
  suite,
  version,
} from './canonical.ts'
import { parseContext, type SealContext } from './context.ts'
import { malformed, SealedError } from './error.ts'
import { digestCore } from './keys.ts'
import { objectSaltBytes, segmentBytesLeast, segmentBytesMost, sha256Bytes, wrapsMost } from './limits.ts'

/** What an object says of itself. Without the data key nothing of it is proven. */
export interface SealedHeader {
  readonly version: 1
  readonly suite: typeof suite
  readonly segmentBytes: number
  readonly objectSalt: Uint8Array
  readonly context: SealContext
  readonly commitment: Uint8Array
  readonly wraps: readonly Wrap[]
  readonly mac: Uint8Array
  /** SHA-256 of the canonical core without its commitment: what every key and wrap is bound to. */
  readonly coreDigest: Uint8Array
}

/** A header and the exact texts its MAC is taken of. */
export interface ParsedHeader {
  readonly header: SealedHeader
  readonly core: string
  readonly wraps: string
}

type Members = Partial<Record<string, unknown>>

export function isSegmentBytes(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= segmentBytesLeast && Number(value) <= segmentBytesMost
}

/** Throws `malformed`, and `unknown_version` for a version or suite that this program does not know. */
export function parseHeader(json: string): ParsedHeader {
  const { core, mac, wraps } = membersOf(parseJson(json), 'header')
  const { v, suite: suiteName, segmentSize, objectSalt, context, commitment } = membersOf(core, 'core')
  if (v !== version || suiteName !== suite) {
    throw new SealedError('unknown_version', 'Sealed by a version or suite that is not known here')
  }
  if (!isSegmentBytes(segmentSize)) throw malformed('segmentSize')
  const sealContext = parseContext(context)
  const bareCore = canonicalBareCore({
    context: sealContext,
    objectSalt: textOf(objectSalt, 'objectSalt'),
    segmentBytes: segmentSize,
  })
  const header: SealedHeader = {
    version,
    suite,
    segmentBytes: segmentSize,
    objectSalt: bytesOf(objectSalt, objectSaltBytes, 'objectSalt'),
    context: sealContext,
    commitment: bytesOf(commitment, sha256Bytes, 'commitment'),
    wraps: parseWraps(wraps),
    mac: bytesOf(mac, sha256Bytes, 'mac'),
    coreDigest: digestCore(bareCore),
  }
  const coreText = canonicalCore(bareCore, textOf(commitment, 'commitment'))
  const wrapsText = canonicalWraps(header.wraps)
  if (canonicalHeader(coreText, textOf(mac, 'mac'), wrapsText) !== json) throw malformed('not canonical')
  return { header, core: coreText, wraps: wrapsText }
}

/** Checks a list of wraps: 1 to 8, nothing in them beyond the contract. Throws `malformed`. */
export function parseWraps(value: unknown): Wrap[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > wrapsMost) throw malformed('wraps')
  return value.map(item => {
    const parsed = Wrap.safeParse(item)
    if (!parsed.success) throw malformed('wrap', parsed.error)
    if (!Object.values(parsed.data).every(member => typeof member !== 'string' || member.isWellFormed())) {
      throw malformed('wrap text')
    }
    return parsed.data
  })
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw malformed('header is not JSON', cause)
  }
}

function membersOf(value: unknown, name: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(name)
  return value as Members
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw malformed(name)
  return value
}

/** base64url without padding, in its only spelling. */
function bytesOf(value: unknown, lengthBytes: number, name: string): Buffer {
  const text = textOf(value, name)
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== lengthBytes || bytes.toString('base64url') !== text) throw malformed(name)
  return bytes
}
