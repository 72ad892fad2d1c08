// What a recording is at a moment: what was decided of it, the holds on it, and the time.
import type { HoldId } from '@auricle/contract'
import type { RetentionDecision } from './decide.ts'

/** `until`: nothing deletes it before. */
export type State =
  | { readonly state: 'held'; readonly holdIds: readonly HoldId[]; readonly until: Date }
  | { readonly state: 'permanent'; readonly until: Date }
  | { readonly state: 'undecided'; readonly until: Date }
  | { readonly state: 'waiting'; readonly until: Date }
  | { readonly state: 'unruled'; readonly until: Date }
  | { readonly state: 'kept'; readonly until: Date; readonly dueAt: Date }
  | { readonly state: 'due'; readonly since: Date }

/** `holds`: those that are on it. A hold goes before all. */
export function stateAt(
  { status, keepUntil: until, dueAt }: Pick<RetentionDecision, 'status' | 'keepUntil' | 'dueAt'>,
  holds: readonly { readonly holdId: HoldId }[],
  now: Date,
): State {
  if (holds.length > 0) return { state: 'held', holdIds: holds.map(({ holdId }) => holdId), until }
  if (status !== 'kept') return { state: status, until }
  // A row without the date says less than it should: it is not due then.
  if (dueAt === null) return { state: 'undecided', until }
  return dueAt <= now ? { state: 'due', since: dueAt } : { state: 'kept', until, dueAt }
}
