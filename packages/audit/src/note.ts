// Signed notes (C2SP signed-note): text, an empty line, and a line for each signature.
import { type Bytes, concat, fromBase64, hex, isPlainText, toBase64 } from './bytes.ts'
import { AuditError } from './error.ts'
import { isSignedBy } from './signature.ts'
import { isKeyName, keyIdBytes, sameKey, type VerifierKey } from './verifier-key.ts'

/** As many as every verifier has to accept; more would only be work for us. */
export const maxSignatures = 16

export interface NoteSignature {
  readonly name: string
  /** Eight lower-case hexadecimal digits. */
  readonly keyId: string
  /** What follows the key's id: never empty. */
  readonly payload: Bytes
}

export interface Note {
  /** What is signed, with its last line feed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Throws `AuditError('bad_note')` for text that is no signed note. Nothing of it is to be believed yet. */
export function parseNote(note: string): Note {
  if (!isPlainText(note)) refuse('it is not plain text')
  // The text may have empty lines itself: the last one of the note is the one before the signatures.
  const separator = note.lastIndexOf('\n\n')
  if (separator === -1) refuse('no empty line stands before its signatures')
  return { text: note.slice(0, separator + 1), signatures: parseSignatures(note.slice(separator + 2)) }
}

/** The inverse of `parseNote`. Throws `AuditError('bad_note')` for what could not be read again. */
export function formatNote({ text, signatures }: Note): string {
  if (!text.endsWith('\n') || !isPlainText(text)) refuse('its text is not plain lines')
  return `${text}\n${formatSignatures(signatures)}`
}

/** One line for each. Throws `AuditError('bad_note')` for none, for more than 16 and for what no line can hold. */
export function formatSignatures(signatures: readonly NoteSignature[]): string {
  checkCount(signatures.length)
  return signatures.map(formatSignature).join('')
}

/** The inverse of `formatSignatures`: what stands below a note, or what a witness answers. */
export function parseSignatures(text: string): readonly NoteSignature[] {
  if (!text.endsWith('\n')) refuse('its last line does not end')
  const lines = text.slice(0, -1).split('\n')
  checkCount(lines.length)
  return lines.map(parseSignature)
}

/** `payload` is the signature of the note's text, of a witness `cosignaturePayload`. */
export const noteSignature = (key: VerifierKey, payload: Uint8Array): NoteSignature => ({
  name: key.name,
  keyId: key.keyId,
  payload: concat(payload),
})

/** The line of one signature, with its line feed. */
export const signatureLine = (key: VerifierKey, payload: Uint8Array): string =>
  formatSignature(noteSignature(key, payload))

/**
 * The note, and which of `keys` have signed it, each once. Signatures of other keys are passed over. Rejects with
 * `AuditError`: `bad_note`; `bad_signature` where one in the name of a known key is not its own; `unsigned` where no known
 * key has signed; `bad_key` where two of `keys` cannot be told apart.
 */
export async function verifyNote(
  note: string,
  keys: readonly VerifierKey[],
): Promise<{ readonly note: Note; readonly by: readonly VerifierKey[] }> {
  const parsed = parseNote(note)
  const by = new Set<VerifierKey>()
  for (const signature of parsed.signatures) {
    const key = findKey(keys, signature)
    if (key === null) continue
    if (!(await isSignedBy(key, parsed.text, signature.payload))) {
      throw new AuditError('bad_signature', 'a signature in the name of a known key is not its own')
    }
    by.add(key)
  }
  if (by.size === 0) throw new AuditError('unsigned', 'no known key has signed the note')
  return { note: parsed, by: [...by] }
}

function findKey(keys: readonly VerifierKey[], { name, keyId }: NoteSignature): VerifierKey | null {
  const [key, ...others] = keys.filter(candidate => candidate.name === name && candidate.keyId === keyId)
  if (key === undefined) return null
  if (!others.every(other => sameKey(other, key))) {
    throw new AuditError('bad_key', 'two verifier keys have the same name and id')
  }
  return key
}

function formatSignature({ name, keyId, payload }: NoteSignature): string {
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(keyId) || payload.length === 0) {
    refuse('a signature has no such name, id or bytes')
  }
  const id = new Uint8Array(keyIdBytes)
  new DataView(id.buffer).setUint32(0, Number.parseInt(keyId, 16))
  return `\u2014 ${name} ${toBase64(concat(id, payload))}\n`
}

function parseSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] =
    /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line) ?? refuse('a line is no signature')
  const bytes = fromBase64(encoded)
  if (!isKeyName(name) || bytes === null || bytes.length <= keyIdBytes) refuse('a line is no signature')
  return { name, keyId: hex(bytes.subarray(0, keyIdBytes)), payload: concat(bytes.subarray(keyIdBytes)) }
}

function checkCount(signatures: number): void {
  if (signatures === 0 || signatures > maxSignatures) refuse(`it has not 1 to ${maxSignatures} signatures`)
}

function refuse(why: string): never {
  throw new AuditError('bad_note', `this is no signed note: ${why}`)
}
