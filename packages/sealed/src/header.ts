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
import { segmentBytesLeast, segmentBytesMost, wrapsMost } from './limits.ts'

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

/** base64url of 32 bytes without padding, its last character free of stray bits: each value has one spelling. */
const base64urlOf32 = /^[\w-]{42}[AEIMQUYcgkosw048]$/

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
    objectSalt: bytesOf(objectSalt, 'objectSalt'),
    context: sealContext,
    commitment: bytesOf(commitment, 'commitment'),
    wraps: parseWraps(wraps),
    mac: bytesOf(mac, 'mac'),
    coreDigest: digestCore(bareCore),
  }
  const coreText = canonicalCore(bareCore, textOf(commitment, 'commitment'))
  const wrapsText = canonicalWraps(header.wraps)
  if (canonicalHeader(coreText, textOf(mac, 'mac'), wrapsText) !== json) throw malformed('not canonical')
  return { header, core: coreText, wraps: wrapsText }
}

/** Checks a list of wraps: 1 to 8, nothing in them beyond the contract. Throws `malformed`. */
function parseWraps(value: unknown): Wrap[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > wrapsMost) throw malformed('wraps')
  return value.map(parseWrap)
}

/** Throws `malformed`. */
export function parseWrap(value: unknown): Wrap {
  const parsed = Wrap.safeParse(value)
  if (!parsed.success) throw malformed('wrap', parsed.error)
  const { kms, key, keyVersion, protection, wrapped } = parsed.data
  const isWellFormed =
    kms.isWellFormed() &&
    key.isWellFormed() &&
    keyVersion.isWellFormed() &&
    protection.isWellFormed() &&
    wrapped.isWellFormed()
  if (!isWellFormed) throw malformed('wrap text')
  return parsed.data
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

/** 32 bytes, which is what every byte string of a header has. */
function bytesOf(value: unknown, name: string): Buffer {
  const text = textOf(value, name)
  if (!base64urlOf32.test(text)) throw malformed(name)
  return Buffer.from(text, 'base64url')
}
