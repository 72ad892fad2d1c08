// Whether an object is kept as is decided: what there should be against what a store says there is.
import type { KeptRow } from '@auricle/catalog'
import type { DriftKind, StoreName } from '@auricle/contract'
import type { ObjectFacts } from '@auricle/objects'

/** What is asked of the stores is theirs to do for so long before it is missed. */
const followsMs = 3_600_000

/** One of the two at least. Of an object that no row knows, what its recording is has to be asked for. */
export interface Compared {
  readonly row: KeptRow | null
  readonly facts: ObjectFacts | null
}

/** `unknown`: an object that no row knows. */
export function judgeKept(
  { row, facts }: Compared,
  store: StoreName,
  now: Date,
): readonly (DriftKind | 'unknown')[] {
  if (row === null) return facts === null ? [] : ['unknown']
  const { recording, askedAt } = row
  const kept = row[store]
  const isGone = recording === 'destroyed' || kept?.isDestroyed === true
  if (facts === null) return isGone || kept === null ? [] : ['missing']
  if (isGone) return ['reappeared']
  // A copy that nobody has marked yet: whoever replicates takes it up.
  if (kept === null) return []
  if (kept.generation !== facts.generation) return ['other_generation']
  const isAsked = askedAt !== null && now.getTime() - askedAt.getTime() < followsMs
  // What is being destroyed is kept by nothing that could be too little.
  if (isAsked || (recording === 'destroying' && !row.held)) return []
  return judgeKeeping(row, facts, now)
}

function judgeKeeping(
  { keepUntil, locked, held }: KeptRow,
  facts: ObjectFacts,
  now: Date,
): readonly DriftKind[] {
  const until = facts.retainUntil !== null && facts.retainUntil > now ? facts.retainUntil : null
  const kinds: DriftKind[] = []
  if (held && !facts.held) kinds.push('not_held')
  if (keepUntil > now && (until === null || until < keepUntil)) kinds.push('shorter')
  if (locked && until !== null && !facts.locked) kinds.push('unlocked')
  if (until !== null && until > keepUntil) kinds.push('longer')
  if (!held && facts.held) kinds.push('held_for_nothing')
  return kinds
}
