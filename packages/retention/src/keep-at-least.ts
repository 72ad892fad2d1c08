// The rule "keep at least so many days from the recording's start", and what it means when a PBX's clock lies.
//
// A recording cannot have begun after it was received, so days counted from its receipt are never fewer than days
// counted from its true start. Therefore they are counted from the later of the two times: a start in 1970 cannot
// make a recording expire on arrival. A start after receipt means that one of the two clocks is wrong. Up to one
// day (a wrong time zone, a slow clock of ours) it is believed, to the safe side; beyond, it says nothing, and to
// believe it could lock a recording for decades that a court or a patient may ask to be erased.
//
// So whatever a PBX says, a recording is kept at least `keepDays` days from its true start, and locked at most
// one day longer than `keepDays` days from its receipt. Days are 24 hours of UTC: no time zone, no daylight
// saving, no leap day changes their length.
import { RetentionError } from './error.ts'
import { beyondCalendar, dayMs, lastMs, milliseconds } from './time.ts'

/** Days a rule may ask for, both inclusive; object stores lock for no more than 100 years. */
export const keepDaysBounds = { least: 1, most: 36_500 } as const

/** How far after its receipt a recording's start is still believed. */
const believedAheadMs = dayMs

/** When a recording was made, by a clock that may lie and by one that does not. */
interface Claim {
  /** As the PBX says; null where it does not say. */
  readonly startedAt: Date | null
  /** By our own clock. */
  readonly receivedAt: Date
}

export interface MinimumFacts extends Claim {
  /** Whole days, see `keepDaysBounds`. */
  readonly keepDays: number
}

/** Until when nothing may delete the recording. Throws `RetentionError`: `bad_days`, `bad_date`. */
export function retainUntil(facts: MinimumFacts): Date {
  const { keepDays } = facts
  const { least, most } = keepDaysBounds
  if (!Number.isInteger(keepDays) || keepDays < least || keepDays > most) {
    throw new RetentionError('bad_days', `a rule keeps a whole number of days from ${least} to ${most}`)
  }
  const untilMs = countedFromMs(facts) + keepDays * dayMs
  if (untilMs > lastMs) throw beyondCalendar()
  return new Date(untilMs)
}

/** The same decision in one sentence for people, with the times it rests on. Throws as `retainUntil` does. */
export function explainRetention(facts: MinimumFacts): string {
  const until = retainUntil(facts).toISOString()
  const days = facts.keepDays === 1 ? '1 day' : `${facts.keepDays} days`
  return `Nothing can delete it before ${until}: it is kept for at least ${days}, counted from ${reason(facts)}.`
}

/** The later of start and receipt, in Unix milliseconds, as far as the start is believed. Throws `bad_date`. */
export function countedFromMs({ startedAt, receivedAt }: Claim): number {
  const receivedMs = milliseconds(receivedAt)
  if (startedAt === null) return receivedMs
  const aheadMs = milliseconds(startedAt) - receivedMs
  return aheadMs > 0 && aheadMs <= believedAheadMs ? receivedMs + aheadMs : receivedMs
}

function reason(facts: MinimumFacts): string {
  const received = `when it was received, ${facts.receivedAt.toISOString()}`
  if (facts.startedAt === null) return `${received}, since its start is not known`
  const started = facts.startedAt.toISOString()
  if (facts.startedAt <= facts.receivedAt)
    return `${received}, which is no earlier than its start, ${started}`
  return countedFromMs(facts) === facts.receivedAt.getTime()
    ? `${received}, since its stated start, ${started}, lies too far in the future to be true`
    : `its stated start, ${started}, which is later than when it was received`
}
