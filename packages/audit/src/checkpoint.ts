// A log's state in three lines (C2SP tlog-checkpoint): which log, how many leaves, under which root.
import { type Bytes, equalBytes, hashFromBase64, toBase64 } from './bytes.ts'
import { parseDecimal } from './decimal.ts'
import { AuditError } from './error.ts'
import { emptyRoot } from './merkle.ts'
import { isKeyName } from './verifier-key.ts'

export interface Checkpoint {
  /** Which log. The keys that sign it bear it as their name. */
  readonly origin: string
  readonly size: number
  readonly root: Bytes
}

/** The text of the note that is signed. Throws `AuditError('bad_checkpoint')` for what could not be read again. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const text = `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`
  parseCheckpoint(text)
  return text
}

/**
 * Of a note's text, which has to be verified first. Our logs have no further lines, so none are taken. Throws
 * `AuditError('bad_checkpoint')`.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', sizeText = '', rootText = '', end, ...more] = text.split('\n')
  if (end !== '' || more.length > 0) refuse('it has not three lines')
  const size = parseDecimal(sizeText) ?? refuse('its size is no number in its shortest form')
  const root = hashFromBase64(rootText) ?? refuse('its root is no hash in base64')
  if (!isKeyName(origin)) refuse('its origin is empty or has a space or a plus sign')
  if (size === 0 && !equalBytes(root, emptyRoot)) refuse('an empty log has another root')
  return { origin, size, root }
}

function refuse(why: string): never {
  throw new AuditError('bad_checkpoint', `this is no checkpoint: ${why}`)
}
