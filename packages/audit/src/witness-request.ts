// What a log asks of a witness and what it hears (C2SP tlog-witness): sign this, it adds to what you signed last.
import { type Bytes, hashFromBase64, hex, sha256, toBase64, utf8 } from './bytes.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { parseDecimal } from './decimal.ts'
import { AuditError } from './error.ts'
import { parseNote } from './note.ts'

/** Most lines of proof that a request may have. */
const maxProofHashes = 63
/** Content type of the answer 409, whose body is `formatTreeSize` of what the witness signed last. */
export const treeSizeContentType = 'text/x.tlog.size'

export interface AddCheckpoint {
  /** What the log takes for the size that the witness signed last; 0 for none. */
  readonly oldSize: number
  readonly proof: readonly Bytes[]
  /** The signed note, word for word. */
  readonly checkpoint: string
}

/** Throws `AuditError('bad_request')` for what could not be read again. */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  const text = [`old ${oldSize}`, ...proof.map(toBase64), '', checkpoint].join('\n')
  parseAddCheckpoint(text)
  return text
}

/** Says nothing of signatures and proof. Throws `AuditError('bad_request')` for text of another form. */
export function parseAddCheckpoint(text: string): AddCheckpoint {
  const end = text.indexOf('\n\n')
  if (end === -1) refuse('no empty line stands before its checkpoint')
  const [first = '', ...hashLines] = text.slice(0, end).split('\n')
  const oldSize = first.startsWith('old ') ? parseDecimal(first.slice('old '.length)) : null
  if (oldSize === null) refuse('its first line is not the size before')
  if (hashLines.length > maxProofHashes) refuse('it has too many hashes')
  const proof = hashLines.map(line => hashFromBase64(line) ?? refuse('one of its hashes is none in base64'))
  const checkpoint = text.slice(end + 2)
  checkCheckpoint(checkpoint)
  return { oldSize, proof, checkpoint }
}

export const formatTreeSize = (size: number): string => `${size}\n`

/** The inverse of `formatTreeSize`. Throws `AuditError('bad_request')` for any other text. */
export function parseTreeSize(text: string): number {
  const size = text.endsWith('\n') ? parseDecimal(text.slice(0, -1)) : null
  return size ?? refuse('it is no size')
}

/** Where a witness shows the checkpoint that it signed last, below its address for monitors. */
export const monitoringPath = (origin: string): string => `${hex(sha256(utf8(origin)))}/checkpoint`

function checkCheckpoint(note: string): void {
  try {
    parseCheckpoint(parseNote(note).text)
  } catch (cause) {
    refuse('it holds no signed checkpoint', cause)
  }
}

function refuse(why: string, cause?: unknown): never {
  throw new AuditError('bad_request', `this is nothing between a log and a witness: ${why}`, { cause })
}
