// One leaf's proof as a file of its own (C2SP tlog-proof): where it stands, the hashes beside its way, the signed root.
import { type Bytes, fromBase64, hashFromBase64, toBase64 } from './bytes.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { parseDecimal } from './decimal.ts'
import { AuditError } from './error.ts'
import { verifyInclusion } from './merkle.ts'
import { parseNote } from './note.ts'
import { type Policy, verifyCheckpoint } from './policy.ts'

const version = 'c2sp.org/tlog-proof@v1'
/** More than any tree asks for whose size is a safe integer. */
const maxProofHashes = 63

export interface ProofFile {
  /** Beside the proof, and proved by nothing; null without. */
  readonly extra: Bytes | null
  readonly index: number
  readonly proof: readonly Bytes[]
  /** The signed note, word for word. */
  readonly checkpoint: string
}

/** Throws `AuditError('bad_proof')` for what could not be read again. */
export function formatProofFile({ extra, index, proof, checkpoint }: ProofFile): string {
  const lines = [
    version,
    ...(extra === null ? [] : [`extra ${toBase64(extra)}`]),
    `index ${index}`,
    ...proof.map(toBase64),
    '',
    checkpoint,
  ]
  const text = lines.join('\n')
  parseProofFile(text)
  return text
}

/** Says nothing of whether it is true. Throws `AuditError('bad_proof')` for text of another form. */
export function parseProofFile(text: string): ProofFile {
  const end = text.indexOf('\n\n')
  const [first, ...lines] = text.slice(0, end).split('\n')
  if (end === -1 || first !== version) refuse('it does not begin as proofs do')
  const extraLine = lines[0]?.startsWith('extra ') ? lines[0] : null
  const extra = extraLine === null ? null : extraOf(extraLine.slice('extra '.length))
  const [indexLine = '', ...hashLines] = extraLine === null ? lines : lines.slice(1)
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice('index '.length)) : null
  if (index === null) refuse('its index is no number in its shortest form')
  if (hashLines.length > maxProofHashes) refuse('it has too many hashes')
  const proof = hashLines.map(line => hashFromBase64(line) ?? refuse('one of its hashes is none in base64'))
  const checkpoint = text.slice(end + 2)
  if (index >= sizeOf(checkpoint)) refuse('the log has no leaf of that index')
  return { extra, index, proof, checkpoint }
}

/**
 * The checkpoint that stands for the leaf with this hash, and the leaf's place. Rejects with `AuditError`: `bad_proof`
 * where the text is no proof or proves another leaf, and as `verifyCheckpoint` does.
 */
export async function verifyProofFile(
  text: string,
  leafHash: Uint8Array,
  policy: Policy,
): Promise<{ readonly checkpoint: Checkpoint; readonly index: number }> {
  const { index, proof, checkpoint: note } = parseProofFile(text)
  const { checkpoint } = await verifyCheckpoint(note, policy)
  const { size, root } = checkpoint
  if (!verifyInclusion({ index, size, leafHash, proof, root })) refuse('it proves another leaf, or none')
  return { checkpoint, index }
}

function extraOf(encoded: string): Bytes {
  const extra = fromBase64(encoded)
  if (extra === null || extra.length === 0) refuse('what it has beside the proof is empty or not in base64')
  return extra
}

function sizeOf(note: string): number {
  try {
    return parseCheckpoint(parseNote(note).text).size
  } catch (cause) {
    return refuse('it holds no signed checkpoint', cause)
  }
}

function refuse(why: string, cause?: unknown): never {
  throw new AuditError('bad_proof', `this is no proof of a leaf: ${why}`, { cause })
}
