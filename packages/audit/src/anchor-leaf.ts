// A leaf of the log over all logs: a time, and with it a checkpoint of one of them or nothing else.
import { type Bytes, fromUtf8, utf8 } from './bytes.ts'
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { AuditError } from './error.ts'
import { isTime } from './time.ts'

/** First line, so that these bytes can never be taken for an event's. */
const version = 'auricle-anchor/1'

export interface AnchorLeaf {
  /** RFC 3339 UTC with milliseconds. */
  readonly at: string
  /** Null for the time alone, which says that nothing happened until then. */
  readonly checkpoint: Checkpoint | null
}

/** Throws `AuditError`: `bad_anchor` for no time, `bad_checkpoint`. */
export function encodeAnchorLeaf({ at, checkpoint }: AnchorLeaf): Bytes {
  if (!isTime(at)) refuse()
  return utf8(`${version}\n${at}\n${checkpoint === null ? '' : formatCheckpoint(checkpoint)}`)
}

/** The inverse of `encodeAnchorLeaf`. Throws `AuditError('bad_anchor')` for any other bytes. */
export function decodeAnchorLeaf(leaf: Uint8Array): AnchorLeaf {
  const [first, at = '', ...lines] = textOf(leaf).split('\n')
  if (first !== version || lines.length === 0 || !isTime(at)) refuse()
  const text = lines.join('\n')
  return { at, checkpoint: text === '' ? null : checkpointOf(text) }
}

function textOf(leaf: Uint8Array): string {
  try {
    return fromUtf8(leaf)
  } catch (cause) {
    return refuse(cause)
  }
}

function checkpointOf(text: string): Checkpoint {
  try {
    return parseCheckpoint(text)
  } catch (cause) {
    return refuse(cause)
  }
}

function refuse(cause?: unknown): never {
  throw new AuditError('bad_anchor', 'this is no leaf of the log over all logs', { cause })
}
