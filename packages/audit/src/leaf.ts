// The bytes of an event in the log, and the hash by which the Merkle tree knows them.
import { type Bytes, concat, equalBytes, fromUtf8, sha256, utf8 } from './bytes.ts'
import { canonicalJson } from './canonical-json.ts'
import { AuditError } from './error.ts'
import { AuditEvent } from './event.ts'

/** First line of every leaf, so that its bytes can never be taken for anything else that is signed or hashed. */
const prefix = utf8('auricle-audit/1\n')
const maxLeafBytes = 8192
/** As long as a writer's part of a leaf can be. */
const longestWriter = {
  id: 'wri_7zzzzzzzzzzzzzzzzzzzzzzzzz',
  name: 'w'.repeat(64),
  n: Number.MAX_SAFE_INTEGER,
} as NonNullable<AuditEvent['writer']>
/** Sets a leaf apart from an interior node (RFC 6962 section 2.1). */
const leafMark = Uint8Array.of(0)

/**
 * `auricle-audit/1`, a line feed, and the event's canonical JSON in UTF-8; at most 8,192 bytes.
 * Throws `AuditError`: `bad_event` where the event does not follow its schema, `too_large`.
 */
export function encodeLeaf(event: AuditEvent): Bytes {
  const parsed = AuditEvent.safeParse(event)
  if (!parsed.success) {
    // zod's messages name fields and expectations, never the refused value.
    throw new AuditError('bad_event', `the event cannot be logged: ${fields(parsed.error)}`, {
      cause: parsed.error,
    })
  }
  const leaf = concat(prefix, utf8(canonicalJson(parsed.data)))
  if (leaf.length > maxLeafBytes)
    throw new AuditError('too_large', `a leaf has at most ${maxLeafBytes} bytes`)
  return leaf
}

/**
 * The text of a leaf up to where its writer stands, who is its last member: `writer` sorts behind all others. Throws as
 * `encodeLeaf`, for whichever writer it would become too large for.
 */
export function beginLeaf(event: Omit<AuditEvent, 'writer'>): string {
  const whole = encodeLeaf({ ...event, writer: longestWriter })
  const tail = `,"writer":${canonicalJson(longestWriter)}}`
  return fromUtf8(whole).slice(0, -tail.length)
}

/** The leaf that `encodeLeaf` would make of the event with its writer, without looking at the event again. */
export function finishLeaf(begun: string, { id, name, n }: NonNullable<AuditEvent['writer']>): Bytes {
  return utf8(`${begun},"writer":${canonicalJson({ id, n, name })}}`)
}

/** The event of a leaf. Throws `AuditError('bad_leaf')` for any bytes that `encodeLeaf` would not write. */
export function decodeLeaf(leaf: Uint8Array): AuditEvent {
  if (leaf.length > maxLeafBytes) throw new AuditError('bad_leaf', 'the leaf is too large')
  if (!equalBytes(leaf.subarray(0, prefix.length), prefix)) {
    throw new AuditError('bad_leaf', 'the leaf does not begin as leaves do')
  }
  const event = parseEvent(leaf.subarray(prefix.length))
  if (!equalBytes(encodeLeaf(event), leaf)) throw new AuditError('bad_leaf', 'the leaf is not canonical')
  return event
}

/** SHA-256(0x00 || leaf) (RFC 6962 section 2.1). */
export function leafHash(leaf: Uint8Array): Bytes {
  return sha256(concat(leafMark, leaf))
}

function parseEvent(json: Uint8Array): AuditEvent {
  try {
    return AuditEvent.parse(JSON.parse(fromUtf8(json)))
  } catch (cause) {
    throw new AuditError('bad_leaf', 'the leaf does not hold an event', { cause })
  }
}

function fields(error: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] }): string {
  return [...new Set(error.issues.map(issue => issue.path.map(String).join('.') || 'its shape'))].join(', ')
}
