// The same decision in sentences for people: every time as RFC 3339 has it, with the date in the tenant's zone beside it.
import type { HoldId, Period, RetentionEventKind } from '@auricle/contract'
import { dateAt } from './calendar.ts'
import type { Clock, Minor, RetentionDecision } from './decide.ts'
import type { State } from './state.ts'

export interface ExplainNames {
  /** Of holds, for whoever may know them; a hold without one is told by its id. */
  readonly matters: ReadonlyMap<HoldId, string>
}

/** First what it is now, then each rule that applies, then what else keeps it. */
export function explain(decision: RetentionDecision, state: State, names: ExplainNames): readonly string[] {
  const say = (time: Date) => inZone(time, decision.zone)
  const { floor, lockedUntil, clocks } = decision
  return [
    ...sayState(decision, state, names),
    ...(clocks.length === 0 ? ['No rule applies to it.'] : []),
    ...clocks.map(clock => sayClock(clock, say)),
    ...(decision.governing === null || clocks.length < 2
      ? []
      : [`Of these, ${governingName(decision)} keeps it longest.`]),
    `The minimum that was set when it was archived ends at ${say(floor)}.`,
    ...(lockedUntil === null ? [] : [`A store has locked it for good until ${say(lockedUntil)}.`]),
    ...(decision.locked ? ['A rule locks it: its time can grow, and nobody can shorten it.'] : []),
  ]
}

function sayState(decision: RetentionDecision, state: State, { matters }: ExplainNames): readonly string[] {
  const say = (time: Date) => inZone(time, decision.zone)
  switch (state.state) {
    case 'held':
      return [
        ...state.holdIds.map(
          id =>
            `It is held by ${matters.has(id) ? `the legal hold "${matters.get(id)}" (${id})` : `the legal hold ${id}`}.`,
        ),
        'While it is held nothing deletes it, whatever the rules say.',
        `Without the hold, it would be kept until ${say(state.until)} at least.`,
      ]
    case 'permanent':
      return ['It is kept for good: a rule that applies to it never disposes.']
    case 'undecided':
      return [
        'Nobody has decided yet whether it is part of the designated record set, so it is not due.',
        `It is kept until ${say(state.until)} at least.`,
      ]
    case 'waiting':
      return [
        'It waits for what a rule counts from, so it is not due.',
        `It is kept until ${say(state.until)} at least.`,
      ]
    case 'unruled':
      return [
        'No rule says when it may go, so it is not due.',
        `It is kept until ${say(state.until)} at least.`,
      ]
    case 'kept':
      return [
        `It is kept until ${say(state.until)}.`,
        `It is due ${disposals[decision.disposal]} at ${say(state.dueAt)}.`,
      ]
    case 'due':
      return [`It is due ${disposals[decision.disposal]} since ${say(state.since)}.`]
  }
}

const disposals = {
  automatic: 'to be destroyed without review',
  review: 'to be reviewed and destroyed',
  none: 'for nothing',
} as const satisfies Record<RetentionDecision['disposal'], string>

function sayClock(clock: Clock, say: (time: Date) => string): string {
  const { minor, until, definition } = clock
  const source = definition.source === null ? '' : ` Its source: ${definition.source}.`
  const rule = `By ${nameOf(clock)} it is kept for ${sayPeriod(definition.keep)} ${reason(clock, say)}`
  const end = until === null ? `, so until ${say(clock.atLeast)} at least` : `, so until ${say(until)}`
  return `${rule}${minor === null ? '' : sayMinor(minor, say)}${end}; ${afterwards(clock)}.${source}`
}

function sayMinor({ isBirthDateKnown, majorityOn, keep, until }: Minor, say: (time: Date) => string): string {
  const age = isBirthDateKnown
    ? 'the person was a minor and comes of age'
    : 'no birth date is known, and who was born on the day of the recording comes of age'
  return `; ${age} on ${majorityOn}, and ${sayPeriod(keep)} from then end at ${say(until)}`
}

function afterwards({ definition: { dispose, disposeAfterDays } }: Clock): string {
  if (dispose === 'never') return 'it never disposes'
  const how = dispose === 'automatic' ? 'without review' : 'after review'
  return disposeAfterDays === 0
    ? `then it disposes ${how}`
    : `${sayDays(disposeAfterDays)} later it disposes ${how}`
}

function reason(clock: Clock, say: (time: Date) => string): string {
  const { from: counts } = clock.definition
  if (counts === 'start') return `from the call, ${sayFrom(clock, say)}`
  switch (clock.why) {
    case 'no_event':
      return `from ${events[counts]}, which has not been recorded`
    case 'event_before_call':
      return `from the call, ${sayFrom(clock, say)}, since ${events[counts]} lies before it`
    default:
      return `from ${events[counts]}, ${sayFrom(clock, say)}`
  }
}

function sayFrom({ from }: Clock, say: (time: Date) => string): string {
  return from === null ? 'which is not known' : say(from)
}

const events = {
  treatment_ended: 'the end of treatment',
  discharged: 'the discharge',
  last_encounter: 'the last encounter',
  case_closed: 'the closing of the case',
  contract_ended: 'the end of the contract',
  patient_died: "the patient's death",
  transcribed: 'its transcription into the record',
} as const satisfies Record<RetentionEventKind, string>

function governingName({ governing, clocks }: RetentionDecision): string {
  const clock = clocks.find(({ ruleId }) => ruleId === governing?.ruleId)
  return clock === undefined ? 'none' : nameOf(clock)
}

function nameOf({ name, ruleId, version }: Clock): string {
  return `rule "${name}" (${ruleId}, version ${version})`
}

/** `7 years and 30 days`. */
function sayPeriod({ years, months, days }: Period): string {
  const parts = [
    ...(years === 0 ? [] : [years === 1 ? '1 year' : `${years} years`]),
    ...(months === 0 ? [] : [months === 1 ? '1 month' : `${months} months`]),
    ...(days === 0 ? [] : [sayDays(days)]),
  ]
  const last = parts.pop() ?? '0 days'
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`
}

function sayDays(days: number): string {
  return days === 1 ? '1 day' : `${days} days`
}

function inZone(time: Date, zone: string): string {
  return `${time.toISOString().replace('.000Z', 'Z')} (${dateAt(time.getTime(), zone)} in ${zone})`
}
