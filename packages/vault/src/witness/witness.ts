// What a witness says to a checkpoint that it is asked to cosign (C2SP tlog-witness): it signs only what goes on from
// all that it signed before, as far as a proof shows it.
import {
  type AddCheckpoint,
  AuditError,
  type Bytes,
  type Checkpoint,
  cosignaturePayload,
  cosignedMessage,
  emptyRoot,
  equalBytes,
  parseAddCheckpoint,
  parseCheckpoint,
  parseNote,
  signatureLine,
  type VerifierKey,
  verifyConsistency,
  verifyNote,
} from '@auricle/audit'

/** What was cosigned last, by origin: the whole note, with the log's signatures and our own. */
export interface WitnessStore {
  /** Null where the origin was never cosigned. What is there and cannot be read is an error, never absence. */
  read(origin: string): Promise<string | null>
  /**
   * `decide` gets the last note and gives the next. Calls for one origin run one after another, and the note survives a
   * loss of power when this resolves. Where `decide` gives null, or throws, the last note stays.
   */
  replace(origin: string, decide: (last: string | null) => Promise<string | null>): Promise<void>
}

export interface WitnessKey {
  /** Of the algorithm `cosignature-ed25519`. */
  readonly key: VerifierKey
  sign(message: Bytes): Promise<Bytes>
}

export interface WitnessParts {
  /** Keys of the logs that it cosigns. The name of a key is the origin of its log; a log may have several. */
  readonly logs: readonly VerifierKey[]
  readonly key: WitnessKey
  readonly store: WitnessStore
  readonly now?: (() => Date) | undefined
}

/**
 * `malformed`: no request, or an old size above the new. `unknown_log`: no key for that origin. `untrusted`: no good
 * signature of a key of that origin. `stale`: the old size is not the one cosigned last, which is `size`.
 * `inconsistent`: the proof does not hold, or the size is the same and the root another: a log that shows two histories.
 */
export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly origin: string; readonly size: number; readonly lines: string }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'unknown_log' }
  | { readonly kind: 'untrusted'; readonly origin: string }
  | { readonly kind: 'stale'; readonly origin: string; readonly size: number }
  | { readonly kind: 'inconsistent'; readonly origin: string; readonly size: number; readonly last: number }

export interface Witness {
  /** Commit point: the replaced note in the store. Nothing is answered with a signature before it. */
  addCheckpoint(body: string): Promise<WitnessAnswer>
  /** The checkpoint that was cosigned last, as a note; null without one. */
  latest(origin: string): Promise<string | null>
  readonly origins: readonly string[]
}

const millisecondsPerSecond = 1000

export function createWitness(parts: WitnessParts): Witness {
  const { logs, store } = parts
  return {
    origins: [...new Set(logs.map(({ name }) => name))],
    latest: origin => store.read(origin),
    async addCheckpoint(body) {
      const asked = parseAsked(body)
      if (asked === null) return { kind: 'malformed' }
      const { request, checkpoint } = asked
      const { origin, size } = checkpoint
      const keys = logs.filter(({ name }) => name === origin)
      if (keys.length === 0) return { kind: 'unknown_log' }
      const signed = await trustedLines(request.checkpoint, keys)
      if (signed === null) return { kind: 'untrusted', origin }
      if (request.oldSize > size) return { kind: 'malformed' }

      let answer: WitnessAnswer = { kind: 'malformed' }
      await store.replace(origin, async last => {
        const before = last === null ? nothingYet(origin) : parseCheckpoint(parseNote(last).text)
        if (request.oldSize !== before.size) {
          answer = { kind: 'stale', origin, size: before.size }
          return null
        }
        if (!goesOn(before, checkpoint, request)) {
          answer = { kind: 'inconsistent', origin, size, last: before.size }
          return null
        }
        const lines = await cosign(signed.text, parts)
        answer = { kind: 'cosigned', origin, size, lines }
        return `${signed.text}\n${signed.lines}${lines}`
      })
      return answer
    },
  }
}

function parseAsked(body: string): { request: AddCheckpoint; checkpoint: Checkpoint } | null {
  try {
    const request = parseAddCheckpoint(body)
    return { request, checkpoint: parseCheckpoint(parseNote(request.checkpoint).text) }
  } catch (error) {
    if (error instanceof AuditError) return null
    throw error
  }
}

const nothingYet = (origin: string): Checkpoint => ({ origin, size: 0, root: emptyRoot })

function goesOn(from: Checkpoint, to: Checkpoint, { proof }: AddCheckpoint): boolean {
  // Of nothing everything goes on, but the root of nothing is only one.
  if (from.size === 0 && to.size > 0) return proof.length === 0
  if (from.size === to.size) return proof.length === 0 && equalBytes(from.root, to.root)
  return verifyConsistency({ from: from.size, to: to.size, fromRoot: from.root, toRoot: to.root, proof })
}

/** The note's text, and of its lines those of the log's own keys; null where none of them is good. */
async function trustedLines(
  noteText: string,
  keys: readonly VerifierKey[],
): Promise<{ readonly text: string; readonly lines: string } | null> {
  try {
    const { note, by } = await verifyNote(noteText, keys)
    const lines = by.map(key => {
      const signature = note.signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId)
      return signature === undefined ? '' : signatureLine(key, signature.payload)
    })
    return { text: note.text, lines: lines.join('') }
  } catch (error) {
    if (error instanceof AuditError) return null
    throw error
  }
}

async function cosign(text: string, { key, now = () => new Date() }: WitnessParts): Promise<string> {
  const timeSeconds = Math.floor(now().getTime() / millisecondsPerSecond)
  const signature = await key.sign(cosignedMessage(timeSeconds, text))
  return signatureLine(key.key, cosignaturePayload(timeSeconds, signature))
}
