// What the rules say of one recording: how long it is kept at least, when it is due, and by which rule.
//
// Every rule that applies runs a clock. The clock counts from the call's end as far as the PBX is believed, or from
// the newest event of the rule's kind, but never from before the recording. What is not known is read to the longer
// side: who has no birth date was born on the day of the recording, a recording that nobody has put into or out of the
// record set is under the rules of both, and a rule that waits for its event keeps at least as if it had come at once.
// The longest clock wins, and nothing is ever due before all of them have run out.
import type {
  Disposal,
  Period,
  RetentionEventKind,
  RetentionStatus,
  RuleDefinition,
  RuleId,
} from '@auricle/contract'
import {
  addPeriod,
  type CalendarDate,
  dateAt,
  endOfDayMs,
  isBefore,
  laterDate,
  parseDate,
} from './calendar.ts'
import type { RetentionFacts } from './facts.ts'
import { countedFromMs } from './keep-at-least.ts'
import type { RuleInForce } from './rules-in-force.ts'
import { milliseconds } from './time.ts'

/** One rule that applies, and how it counts. Holds dates of a patient's life: not for logs. */
export interface Clock extends RuleInForce {
  /** What it counts from; null while it waits for its event. */
  readonly from: Date | null
  /** Null while it waits. */
  readonly until: Date | null
  /** Whatever event comes, not before: `until`, or what it would be had the event come with the recording. */
  readonly atLeast: Date
  /** Null while it waits, and where the rule never disposes. */
  readonly dueAt: Date | null
  /** Where the person was a minor, or may have been. */
  readonly minor: Minor | null
  /**
   * `start`: counted from the call. `event`: from the newest event. `event_before_call`: that event was before the
   * call, from which it is counted then. `no_event`: none yet.
   */
  readonly why: 'start' | 'event' | 'event_before_call' | 'no_event'
}

export interface Minor {
  /** False: not known, so the day of the recording stands for it. */
  readonly isBirthDateKnown: boolean
  /** When they came or come of age, `YYYY-MM-DD`. */
  readonly majorityOn: string
  /** So long from then on. */
  readonly keep: Period
  readonly until: Date
}

export interface RetentionDecision {
  readonly status: RetentionStatus
  /** Nothing may delete it before, whatever else is not known yet. */
  readonly keepUntil: Date
  /** To be destroyed from then on; null for every status but `kept`. */
  readonly dueAt: Date | null
  readonly disposal: Disposal
  readonly locked: boolean
  /** The rule that keeps it longest: one that never ends, else one that waits, else the latest; null: none applies. */
  readonly governing: { readonly ruleId: RuleId; readonly version: number } | null
  /** Of the rules that apply, by rule id. */
  readonly clocks: readonly Clock[]
  /** As the facts have them. */
  readonly floor: Date
  readonly lockedUntil: Date | null
  /** By whose calendar it was counted. */
  readonly zone: string
}

/** `zone`: an IANA name. Throws `RetentionError` `bad_date`. */
export function decide(
  facts: RetentionFacts,
  rules: readonly RuleInForce[],
  { zone }: { readonly zone: string },
): RetentionDecision {
  const applicable = rules
    .filter(({ definition }) => appliesTo(definition, facts))
    .sort((a, b) => (a.ruleId < b.ruleId ? -1 : 1))
  const life = readLife(facts, zone)
  const clocks = applicable.map(rule => runClock(rule, life))
  const status = statusOf(facts, applicable, clocks)
  const keepUntilMs = Math.max(
    milliseconds(facts.floor),
    facts.lockedUntil === null ? Number.NEGATIVE_INFINITY : milliseconds(facts.lockedUntil),
    ...clocks.map(clock => clock.atLeast.getTime()),
  )
  const dueMs = Math.max(keepUntilMs, ...clocks.map(clock => clock.dueAt?.getTime() ?? 0))
  return {
    status,
    keepUntil: new Date(keepUntilMs),
    dueAt: status === 'kept' ? new Date(dueMs) : null,
    disposal: disposalOf(applicable),
    locked: applicable.some(({ definition }) => definition.lock),
    governing: governs(applicable, clocks),
    clocks,
    floor: facts.floor,
    lockedUntil: facts.lockedUntil,
    zone,
  }
}

function appliesTo({ appliesTo: to }: RuleDefinition, facts: RetentionFacts): boolean {
  return (
    (to.kinds === null || to.kinds.includes(facts.kind)) &&
    (to.mailboxes === null || (facts.mailboxId !== null && to.mailboxes.includes(facts.mailboxId))) &&
    (to.labels === null || to.labels.some(label => facts.labels.includes(label))) &&
    (to.recordSet === null || facts.recordSet === 'undecided' || to.recordSet === facts.recordSet)
  )
}

/** What every clock of a recording counts with. */
interface Life {
  readonly callMs: number
  /** Unix milliseconds of the newest event of each kind. */
  readonly eventsMs: ReadonlyMap<RetentionEventKind, number>
  readonly isBirthDateKnown: boolean
  /** Null for who was so old on the earliest day on which the recording can have been made. */
  readonly comesOfAge: (years: number) => CalendarDate | null
  readonly dateAt: (atMs: number) => CalendarDate
  readonly endOfDay: (date: CalendarDate, laterDays?: number) => Date
}

function readLife(facts: RetentionFacts, zone: string): Life {
  const { startedAt, receivedAt, endedAt } = facts
  const callMs = Math.max(
    countedFromMs({ startedAt, receivedAt }),
    countedFromMs({ startedAt: endedAt, receivedAt }),
  )
  const eventsMs = new Map<RetentionEventKind, number>()
  for (const { kind, at } of facts.events) {
    eventsMs.set(kind, Math.max(milliseconds(at), eventsMs.get(kind) ?? Number.NEGATIVE_INFINITY))
  }
  const dates = new Map<number, CalendarDate>()
  const dateOf = (atMs: number) => {
    const date = dates.get(atMs) ?? dateAt(atMs, zone)
    dates.set(atMs, date)
    return date
  }
  const bornOn = facts.birthDate === null ? dateOf(callMs) : parseDate(facts.birthDate)
  const madeOn = dateOf(Math.min(startedAt?.getTime() ?? Number.POSITIVE_INFINITY, receivedAt.getTime()))
  return {
    callMs,
    eventsMs,
    isBirthDateKnown: facts.birthDate !== null,
    comesOfAge: years => {
      const majorityOn = addPeriod(bornOn, { years, months: 0, days: 0 })
      return facts.birthDate === null || isBefore(madeOn, majorityOn) ? majorityOn : null
    },
    dateAt: dateOf,
    endOfDay: (date, laterDays) => new Date(endOfDayMs(date, zone, laterDays)),
  }
}

interface Coming {
  readonly majorityOn: CalendarDate
  readonly keep: Period
  /** The last day of keeping. */
  readonly last: CalendarDate
}

function runClock(rule: RuleInForce, life: Life): Clock {
  const { definition } = rule
  const { from: counts, keep, dispose, disposeAfterDays } = definition
  const eventMs = counts === 'start' ? null : (life.eventsMs.get(counts) ?? null)
  const fromMs = Math.max(life.callMs, eventMs ?? life.callMs)
  const waits = counts !== 'start' && eventMs === null
  const minor = runMinority(definition, life)
  const counted = addPeriod(life.dateAt(fromMs), keep)
  const last = minor === null ? counted : laterDate(counted, minor.last)
  const atLeast = life.endOfDay(last)
  return {
    ...rule,
    from: waits ? null : new Date(fromMs),
    until: waits ? null : atLeast,
    atLeast,
    dueAt:
      waits || dispose === 'never'
        ? null
        : disposeAfterDays === 0
          ? atLeast
          : life.endOfDay(last, disposeAfterDays),
    minor:
      minor === null
        ? null
        : {
            isBirthDateKnown: life.isBirthDateKnown,
            majorityOn: minor.majorityOn.toString(),
            keep: minor.keep,
            until: minor.last === last ? atLeast : life.endOfDay(minor.last),
          },
    why:
      counts === 'start'
        ? 'start'
        : eventMs === null
          ? 'no_event'
          : eventMs < life.callMs
            ? 'event_before_call'
            : 'event',
  }
}

/** Null for who had come of age before the recording was made, and for a rule that makes no difference. */
function runMinority({ minors }: RuleDefinition, life: Life): Coming | null {
  if (minors === null) return null
  const majorityOn = life.comesOfAge(minors.majorityAge)
  if (majorityOn === null) return null
  return { majorityOn, keep: minors.keep, last: addPeriod(majorityOn, minors.keep) }
}

function statusOf(
  facts: RetentionFacts,
  rules: readonly RuleInForce[],
  clocks: readonly Clock[],
): RetentionStatus {
  if (rules.some(({ definition }) => definition.dispose === 'never')) return 'permanent'
  if (facts.recordSet === 'undecided') return 'undecided'
  if (clocks.some(({ until }) => until === null)) return 'waiting'
  return rules.length === 0 ? 'unruled' : 'kept'
}

function disposalOf(rules: readonly RuleInForce[]): Disposal {
  const disposals = rules.map(({ definition }) => definition.dispose)
  if (disposals.length === 0 || disposals.includes('never')) return 'none'
  return disposals.includes('review') ? 'review' : 'automatic'
}

/** Of clocks that are alike the first, which is the lowest rule id. */
function governs(rules: readonly RuleInForce[], clocks: readonly Clock[]): RetentionDecision['governing'] {
  const untilMs = (clock: Clock) => clock.until?.getTime() ?? Number.POSITIVE_INFINITY
  const longest = clocks.reduce<Clock | undefined>(
    (best, clock) => (best === undefined || untilMs(clock) > untilMs(best) ? clock : best),
    undefined,
  )
  const governing = rules.find(({ definition }) => definition.dispose === 'never') ?? longest
  return governing === undefined ? null : { ruleId: governing.ruleId, version: governing.version }
}
