// What the rules must say of a recording, worked out a second time: from the words of docs/retention-rules.md, by
// integers and Intl, with nothing of the engine but its types.
import type { RuleDefinition } from '@auricle/contract'
import type { Clock, RetentionFacts, RuleVersion } from '@auricle/retention'
import {
  count,
  createZoneModel,
  type Day,
  dayMs,
  readDay,
  toDay,
  writeDay,
  type ZoneModel,
} from './model-calendar.ts'

export interface ModelClock {
  readonly rule: string
  readonly why: Clock['why']
  /** All in Unix milliseconds. */
  readonly from: number | null
  readonly until: number | null
  readonly atLeast: number
  readonly due: number | null
  readonly minor: { readonly known: boolean; readonly majorityOn: string; readonly until: number } | null
}

export interface ModelAnswer {
  readonly status: string
  readonly keepUntil: number
  readonly due: number | null
  readonly disposal: string
  readonly locked: boolean
  readonly governing: string | null
  readonly clocks: readonly ModelClock[]
  /** What it is at the case's moment. */
  readonly state: string
}

export interface ModelCase {
  readonly versions: readonly RuleVersion[]
  /** Which versions are in force. */
  readonly at: number
  readonly facts: RetentionFacts
  readonly zone: string
  readonly holds: number
  /** When the state is looked at, after the moment from when it is due (negative: before). */
  readonly lookAfterMs: number
}

interface Speaking {
  readonly id: string
  readonly version: number
  readonly says: RuleDefinition
}

const zones = new Map<string, ZoneModel>()

/** `state`: at `lookAfterMs` after whatever ends last. */
export function answer(asked: ModelCase): ModelAnswer {
  const { facts } = asked
  const zone = zones.get(asked.zone) ?? createZoneModel(asked.zone)
  zones.set(asked.zone, zone)
  const rules = speaking(asked.versions, asked.at).filter(({ says }) => concerns(says, facts))
  const clocks = rules.map(rule => run(rule, facts, zone))
  const keepUntil = latest([
    facts.floor.getTime(),
    facts.lockedUntil?.getTime(),
    ...clocks.map(c => c.atLeast),
  ])
  const isForGood = rules.some(({ says }) => says.dispose === 'never')
  const isWaiting = clocks.some(({ until }) => until === null)
  const status = isForGood
    ? 'permanent'
    : facts.recordSet === 'undecided'
      ? 'undecided'
      : isWaiting
        ? 'waiting'
        : rules.length === 0
          ? 'unruled'
          : 'kept'
  const due = status === 'kept' ? latest([keepUntil, ...clocks.map(c => c.due)]) : null
  const disposal =
    rules.length === 0 || isForGood
      ? 'none'
      : rules.every(({ says }) => says.dispose === 'automatic')
        ? 'automatic'
        : 'review'
  const look = (due ?? keepUntil) + asked.lookAfterMs
  return {
    status,
    keepUntil,
    due,
    disposal,
    locked: rules.filter(({ says }) => says.lock).length > 0,
    governing: governing(rules, clocks),
    clocks,
    state: asked.holds > 0 ? 'held' : due === null ? status : look < due ? 'kept' : 'due',
  }
}

function latest(times: readonly (number | null | undefined)[]): number {
  return times.reduce<number>((last, time) => (time != null && time > last ? time : last), -Infinity)
}

/** Sorted by when they took effect, what comes later replaces what came before. */
function speaking(versions: readonly RuleVersion[], at: number): readonly Speaking[] {
  const taken = versions
    .flatMap(version =>
      version.effectiveFrom === null || version.withdrawnAt !== null
        ? []
        : [{ ...version, since: version.effectiveFrom.getTime() }],
    )
    .filter(({ since }) => since <= at)
    .sort((a, b) => a.since - b.since || a.version - b.version)
  const says = new Map(taken.map(version => [version.ruleId as string, version]))
  return [...says.keys()].sort().flatMap(id => {
    const last = says.get(id as RuleVersion['ruleId'])
    return last === undefined || last.definition === null
      ? []
      : [{ id, version: last.version, says: last.definition }]
  })
}

function concerns(
  { appliesTo: { kinds, mailboxes, labels, recordSet } }: RuleDefinition,
  facts: RetentionFacts,
): boolean {
  if (kinds !== null && kinds.indexOf(facts.kind) < 0) return false
  if (mailboxes !== null && !mailboxes.some(mailbox => mailbox === facts.mailboxId)) return false
  if (labels !== null && facts.labels.filter(label => labels.includes(label)).length === 0) return false
  return recordSet === null || facts.recordSet !== (recordSet === 'in' ? 'out' : 'in')
}

/** A time of the PBX's counts where it is at most a day later than the receipt; else the receipt does. */
function callEnd({ startedAt, receivedAt, endedAt }: RetentionFacts): number {
  const received = receivedAt.getTime()
  const believed = [startedAt, endedAt]
    .map(time => time?.getTime() ?? received)
    .filter(time => time <= received + dayMs)
  return latest([received, ...believed])
}

function run({ id, version, says }: Speaking, facts: RetentionFacts, zone: ZoneModel): ModelClock {
  const call = callEnd(facts)
  const events = facts.events.filter(({ kind }) => kind === says.from).map(({ at }) => at.getTime())
  const isWaiting = says.from !== 'start' && events.length === 0
  const from = latest([call, ...events])
  const minor = minority(says, facts, call, zone)
  const last = latest([count(toDay(zone.dayAt(from)), says.keep), minor?.last])
  const atLeast = zone.endOf(last)
  return {
    rule: `${id}/${version}`,
    why:
      says.from === 'start'
        ? 'start'
        : isWaiting
          ? 'no_event'
          : latest(events) < call
            ? 'event_before_call'
            : 'event',
    from: isWaiting ? null : from,
    until: isWaiting ? null : atLeast,
    atLeast,
    due: isWaiting || says.dispose === 'never' ? null : zone.endOf(last + says.disposeAfterDays),
    minor:
      minor === null
        ? null
        : {
            known: facts.birthDate !== null,
            majorityOn: writeDay(minor.majority),
            until: zone.endOf(minor.last),
          },
  }
}

function minority(
  { minors }: RuleDefinition,
  { birthDate, startedAt, receivedAt }: RetentionFacts,
  call: number,
  zone: ZoneModel,
): { readonly majority: number; readonly last: number } | null {
  if (minors === null) return null
  const born: Day = birthDate === null ? toDay(zone.dayAt(call)) : readDay(birthDate)
  const majority = count(born, { years: minors.majorityAge, months: 0, days: 0 })
  const made = Math.min(receivedAt.getTime(), startedAt === null ? Infinity : startedAt.getTime())
  if (birthDate !== null && zone.dayAt(made) >= majority) return null
  return { majority, last: count(toDay(majority), minors.keep) }
}

function governing(rules: readonly Speaking[], clocks: readonly ModelClock[]): string | null {
  const rank = (index: number) =>
    rules[index]?.says.dispose === 'never'
      ? [2, 0]
      : clocks[index]?.until === null
        ? [1, 0]
        : [0, clocks[index]?.until ?? 0]
  const order = rules
    .map((_, index) => index)
    .sort((a, b) => {
      const [x = 0, u = 0] = rank(a)
      const [y = 0, v = 0] = rank(b)
      return y - x || v - u || a - b
    })
  const first = order[0]
  return first === undefined ? null : (clocks[first]?.rule ?? null)
}
