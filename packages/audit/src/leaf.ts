// The bytes of an event in the log, and the hash by which the Merkle tree knows them.
import { type Bytes, concat, equalBytes, fromUtf8, sha256, utf8 } from './bytes.ts'
import { canonicalJson } from './canonical-json.ts'
import { AuditError } from './error.ts'
import { AuditEvent } from './event.ts'

/** First line of every leaf, so that its bytes can never be taken for anything else that is signed or hashed. */
const prefix = utf8('auricle-audit/1\n')
const maxLeafBytes = 8192
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
