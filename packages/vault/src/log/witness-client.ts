// Asks witnesses to sign a checkpoint (C2SP tlog-witness): each keeps what it signed last, so that nobody can be shown a
// log that was cut off or made anew.
import {
  formatAddCheckpoint,
  formatNote,
  type Note,
  type NoteSignature,
  parseNote,
  parseSignatures,
  parseTreeSize,
  parseVerifierKey,
  type VerifierKey,
  verifyNote,
} from '@auricle/audit'
import type { CallOptions } from '@auricle/sealed'

export interface WitnessAddress {
  /** Of a cosignature key (C2SP tlog-cosignature). */
  readonly verifierKey: string
  /** Without a trailing slash. */
  readonly url: string
}

/**
 * `signed`; `away`: no answer in time, or one that says nothing; `refused`: it does not know the log, or does not take its
 * signature; `conflict`: what it signed before is no beginning of this, and that is for people to look at.
 */
export type WitnessOutcome = 'signed' | 'away' | 'refused' | 'conflict'

export interface WitnessesOptions {
  readonly witnesses: readonly WitnessAddress[]
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** How long an answer is waited for, in milliseconds. Default: 2,000. */
  readonly timeoutMs?: number | undefined
  readonly onOutcome?: ((name: string, outcome: WitnessOutcome) => void) | undefined
}

export interface Witnesses {
  /**
   * The note with the signatures that came in time. `proof` gives the consistency proof from an earlier size; the first
   * guess is `lastSize`.
   */
  cosign(
    checkpoint: { readonly note: string; readonly size: number; readonly lastSize: number },
    proof: (fromSize: number) => Promise<readonly Uint8Array<ArrayBuffer>[]>,
    options: CallOptions,
  ): Promise<string>
}

const defaultTimeoutMs = 2_000
/** Signature lines of a witness; more is no answer. */
const answerBytesMost = 65_536
const httpConflict = 409
const httpUnprocessable = 422

/** Throws `AuditError('bad_key')` for a key that is none. */
export function createWitnesses(options: WitnessesOptions): Witnesses {
  const { fetch = globalThis.fetch, timeoutMs = defaultTimeoutMs, onOutcome } = options
  const all = options.witnesses.map(({ verifierKey, url }) => ({ key: parseVerifierKey(verifierKey), url }))
  /** What each is known to have signed last. */
  const sizes = new Map<string, number>()

  async function ask(
    { key, url }: (typeof all)[number],
    { note, size, lastSize }: Parameters<Witnesses['cosign']>[0],
    proof: Parameters<Witnesses['cosign']>[1],
    signal: AbortSignal,
  ): Promise<{ readonly outcome: WitnessOutcome; readonly signatures: readonly NoteSignature[] }> {
    const nothing = (outcome: WitnessOutcome) => ({ outcome, signatures: [] })
    let oldSize = sizes.get(key.keyId) ?? lastSize
    // It answers once with what it signed last; a second time would mean that somebody else asks it meanwhile.
    for (const isLast of [false, true]) {
      const body = formatAddCheckpoint({ oldSize, proof: [...(await proof(oldSize))], checkpoint: note })
      const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body, signal, redirect: 'error' })
      const said = await readText(answer)
      if (answer.ok) {
        const signatures = await ownSignatures(note, parseSignatures(said), key)
        if (signatures.length === 0) return nothing('away')
        sizes.set(key.keyId, size)
        return { outcome: 'signed', signatures }
      }
      if (answer.status === httpUnprocessable) return nothing('conflict')
      if (answer.status !== httpConflict) return nothing(answer.status < 500 ? 'refused' : 'away')
      const theirs = parseTreeSize(said)
      if (theirs > size || isLast) return nothing(theirs > size ? 'conflict' : 'away')
      oldSize = theirs
    }
    return nothing('away')
  }

  return {
    async cosign(checkpoint, proof, { signal }) {
      const deadline = AbortSignal.timeout(timeoutMs)
      const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
      const answers = await Promise.all(
        all.map(async witness => {
          // Whatever a witness does, the log goes on; what it did is told.
          const answer = await ask(witness, checkpoint, proof, either).catch(() => null)
          signal?.throwIfAborted()
          onOutcome?.(witness.key.name, answer?.outcome ?? 'away')
          return answer?.signatures ?? []
        }),
      )
      const own: Note = parseNote(checkpoint.note)
      return formatNote({ text: own.text, signatures: [...own.signatures, ...answers.flat()] })
    },
  }
}

/** Those of the witness that hold for the note; one in its name that does not is as bad as none. */
async function ownSignatures(
  note: string,
  signatures: readonly NoteSignature[],
  key: VerifierKey,
): Promise<readonly NoteSignature[]> {
  const own = signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId).slice(0, 1)
  if (own.length === 0) return []
  await verifyNote(formatNote({ text: parseNote(note).text, signatures: own }), [key])
  return own
}

async function readText(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of answer.body ?? []) {
    bytes += piece.length
    if (bytes > answerBytesMost) throw new RangeError('The answer of a witness is too long')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
