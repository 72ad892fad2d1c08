// Whether the witnesses signed the same log that is published: what one of them saw and is not there was taken back.
import { AuditError, equalBytes, parseCheckpoint, type VerifierKey, verifyNote } from '@auricle/audit'
import { type Candidate, found } from './finding.ts'
import { type Published, placeOfAnchor, publishedRoot } from './published.ts'
import type { MonitorState } from './state.ts'

export interface WatchedWitness {
  readonly key: VerifierKey
  /** The checkpoint that it cosigned last for an origin; null where it has none. Rejects where it cannot be asked. */
  latest(origin: string): Promise<string | null>
}

export interface WitnessesParts {
  readonly witnesses: readonly WatchedWitness[]
  readonly published: Published
  readonly now: () => Date
  /** How long a published state may take after its cosignature. */
  readonly publishMs: number
  /** How long a witness may be behind, or not there. */
  readonly silenceMs: number
}

export async function checkWitnesses(
  parts: WitnessesParts,
  state: MonitorState,
): Promise<{ readonly findings: readonly Candidate[]; readonly state: MonitorState }> {
  const findings: Candidate[] = []
  const silentWitnesses: Record<string, Date> = {}
  for (const witness of parts.witnesses) {
    const judged = await judge(parts, witness, state.anchor)
    if (judged === 'good') continue
    if (judged !== 'silent') {
      findings.push(judged)
      continue
    }
    const since = state.silentWitnesses[witness.key.name] ?? parts.now()
    silentWitnesses[witness.key.name] = since
    if (parts.now().getTime() - since.getTime() > parts.silenceMs)
      findings.push(found('missing_heartbeat', 'witness', { eventId: witness.key.name }))
  }
  return { findings, state: { ...state, silentWitnesses } }
}

async function judge(
  { published, publishMs }: WitnessesParts,
  { key, latest }: WatchedWitness,
  anchor: MonitorState['anchor'],
): Promise<'good' | 'silent' | Candidate> {
  if (anchor === null) return 'good'
  const note = await latest(anchor.origin).catch(() => null)
  if (note === null) return 'silent'
  const seen = await readCosigned(note, key)
  if (seen === null || seen.origin !== anchor.origin)
    return found('fork', 'witness_signature', { eventId: key.name })
  // It signs before that is published; what is not there a while later was never going to be.
  if (seen.size > anchor.size)
    return found('truncation', 'witness', { eventId: key.name, seq: seen.size }, publishMs)
  const root = await publishedRoot(published, placeOfAnchor, seen.size, anchor.size)
  if (root === null) return found('truncation', 'anchor_tiles')
  if (!equalBytes(root, seen.root)) return found('fork', 'witness', { eventId: key.name, seq: seen.size })
  return seen.size < anchor.size ? 'silent' : 'good'
}

async function readCosigned(note: string, key: VerifierKey) {
  try {
    const { note: read } = await verifyNote(note, [key])
    return parseCheckpoint(read.text)
  } catch (error) {
    if (error instanceof AuditError) return null
    throw error
  }
}
