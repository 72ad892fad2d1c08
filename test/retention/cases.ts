// Cases for the rules, drawn from a seed and crowded where calendars and clocks are hardest: leap days, ends of months
// and years, midnights at which clocks change, births on 29 February, PBXs whose clocks lie.
import {
  HoldId,
  Label,
  MailboxId,
  type Period,
  RecordingKind,
  RecordSet,
  RetentionEventKind,
  type RuleDefinition,
  RuleDisposal,
  RuleId,
} from '@auricle/contract'
import type { RetentionFacts, RuleVersion } from '@auricle/retention'
import type { Random } from '../harness/random.ts'
import type { ModelCase } from './model.ts'
import { dayMs } from './model-calendar.ts'

/** Each with times around which something odd befalls its clocks. */
const oddTimes: Readonly<Record<string, readonly string[]>> = {
  UTC: ['1999-12-31T23:59:59.999Z', '2000-02-29T00:00:00Z', '2100-02-28T23:59:59Z'],
  'America/New_York': ['2026-03-08T07:00:00Z', '2026-11-01T06:00:00Z', '2028-02-29T05:00:00Z'],
  // Midnight was skipped in spring and came after a second eleven o'clock in autumn, until 2019.
  'America/Sao_Paulo': ['2017-10-15T03:00:00Z', '2018-02-18T02:00:00Z', '2018-11-04T03:00:00Z'],
  'Africa/Cairo': ['2026-04-23T22:00:00Z', '2026-10-29T21:00:00Z', '2014-05-15T22:00:00Z'],
  'Asia/Beirut': ['2026-03-28T22:00:00Z', '2026-10-24T21:00:00Z'],
  // There was no 30 December 2011.
  'Pacific/Apia': ['2011-12-30T10:00:00Z', '2011-12-29T12:00:00Z', '2012-04-01T00:00:00Z'],
  // One minute after midnight clocks went back into the day before.
  'America/St_Johns': ['2009-11-01T02:31:00Z', '2010-11-07T02:31:00Z', '2011-03-13T03:31:00Z'],
  'Asia/Kathmandu': ['1985-12-31T18:30:00Z', '2026-12-31T18:15:00Z'],
  'Australia/Lord_Howe': ['2026-04-04T15:00:00Z', '2026-10-03T15:30:00Z'],
  // Behind by 44 minutes and 30 seconds until 1972.
  'Africa/Monrovia': ['1972-01-07T00:44:30Z', '1971-12-31T00:44:29Z'],
  'Africa/Casablanca': ['2026-02-15T02:00:00Z', '2026-03-22T02:00:00Z'],
  'Pacific/Kiritimati': ['1994-12-31T10:00:00Z', '1995-01-01T00:00:00Z'],
}
const zoneNames = Object.keys(oddTimes)

const ulidOf = (character: string) => `0${character.repeat(25)}`
const ruleIds = [...'12345678'].map(character => RuleId.parse(`rul_${ulidOf(character)}`))
const mailboxes = [...'123'].map(character => MailboxId.parse(`mbx_${ulidOf(character)}`))
export const holdId = HoldId.parse(`hld_${ulidOf('1')}`)

/** Those that most recordings have, more often. */
const eventKinds = [...RetentionEventKind.options, 'last_encounter', 'last_encounter', 'transcribed'] as const

const firstMs = Date.parse('1970-01-02T00:00:00Z')
const lastMs = Date.parse('2060-01-01T00:00:00Z')
const oddDays = ['02-28', '02-29', '03-01', '12-31', '01-01', '01-30', '01-31', '03-31', '04-30', '08-31']

export function drawCase(random: Random): ModelCase {
  const zone = random.pick(zoneNames)
  const receivedMs = drawTime(random, zone)
  return {
    versions: drawVersions(random),
    at: receivedMs,
    facts: drawFacts(random, zone, receivedMs),
    zone,
    holds: random.integer(0, 9) === 0 ? 1 : 0,
    lookAfterMs: random.pick([-dayMs, -1, 0, 1, dayMs]),
  }

  function drawVersions(from: Random): readonly RuleVersion[] {
    const wanted = from.pick([0, 1, 1, 2, 2, 3, 5])
    return from.shuffle(
      from
        .shuffle(ruleIds)
        .slice(0, wanted)
        .flatMap(ruleId => drawRule(from, ruleId, receivedMs)),
    )
  }
}

function drawRule(random: Random, ruleId: RuleId, atMs: number): readonly RuleVersion[] {
  return Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, (_, index) => ({
    ruleId,
    version: index + 1,
    name: `rule ${ruleId.slice(-1)}`,
    definition: random.integer(0, 19) === 0 ? null : drawDefinition(random),
    effectiveFrom:
      random.integer(0, 11) === 0
        ? null
        : new Date(atMs + random.pick([-400, -30, -1, -1, 0, 0, 0, 1]) * dayMs + random.pick([-1, 0, 0, 1])),
    withdrawnAt: random.integer(0, 9) === 0 ? new Date(atMs - dayMs) : null,
  }))
}

function drawDefinition(random: Random): RuleDefinition {
  const some = <Item>(items: readonly Item[]): Item[] | null =>
    random.integer(0, 4) === 0 ? random.shuffle(items).slice(0, random.integer(1, items.length)) : null
  return {
    appliesTo: {
      kinds: some(RecordingKind.options),
      mailboxes: some(mailboxes),
      labels: random.integer(0, 1) === 0 ? some(Label.options) : null,
      recordSet: random.pick([null, null, null, 'in', 'in', 'out']),
    },
    keep: drawPeriod(random),
    from: random.integer(0, 1) === 0 ? 'start' : random.pick(eventKinds),
    minors:
      random.integer(0, 1) === 0 ? { majorityAge: random.integer(18, 21), keep: drawPeriod(random) } : null,
    dispose: random.pick(['automatic', 'automatic', 'review', 'review', 'review', ...RuleDisposal.options]),
    disposeAfterDays: random.pick([0, 0, 1, 30, random.integer(0, 800), 36_500]),
    lock: random.integer(0, 3) === 0,
    source: null,
    preset: null,
  }
}

function drawPeriod(random: Random): Period {
  const years = random.pick([0, 1, 1, 4, 6, 7, 10, 20, random.integer(0, 99)])
  const months = random.pick([0, 0, 0, 1, 6, 11, random.integer(0, 11)])
  const days = random.pick([0, 0, 0, 1, 30, 90, random.integer(0, 366)])
  return { years, months, days: years + months + days === 0 ? 1 : days }
}

function drawFacts(random: Random, zone: string, receivedMs: number): RetentionFacts {
  const startedAt = random.integer(0, 9) === 0 ? null : new Date(receivedMs + drawLie(random))
  const lastsMs = random.magnitude(1, dayMs)
  return {
    kind: random.pick(RecordingKind.options),
    mailboxId: random.pick([null, ...mailboxes]),
    labels: random.shuffle(Label.options).slice(0, random.pick([0, 0, 1, 2])),
    startedAt,
    receivedAt: new Date(receivedMs),
    endedAt:
      startedAt === null || random.integer(0, 4) === 0 ? null : new Date(startedAt.getTime() + lastsMs),
    birthDate: random.integer(0, 2) === 0 ? null : drawBirthDate(random, receivedMs),
    events: Array.from({ length: random.pick([0, 1, 3, 8]) }, () => ({
      kind: random.pick(eventKinds),
      at: new Date(
        random.integer(0, 1) === 0
          ? drawTime(random, zone)
          : receivedMs + random.integer(-40, 400) * dayMs + random.pick([-1, 0, 1]),
      ),
    })),
    recordSet: random.pick(['in', 'in', 'in', 'out', ...RecordSet.options]),
    floor: new Date(receivedMs + random.pick([1, 30, 365, 3650, 36_500]) * dayMs),
    lockedUntil: random.integer(0, 4) === 0 ? new Date(receivedMs + random.integer(0, 36_500) * dayMs) : null,
  }
}

/** How far a PBX's clock is from ours, in milliseconds. */
function drawLie(random: Random): number {
  return random.pick([
    -random.magnitude(1, dayMs),
    -random.magnitude(1, dayMs),
    -random.magnitude(dayMs, 20_000 * dayMs),
    0,
    random.magnitude(1, dayMs),
    dayMs,
    dayMs + 1,
    random.magnitude(dayMs, 20_000 * dayMs),
  ])
}

function drawTime(random: Random, zone: string): number {
  const odd = oddTimes[zone] ?? []
  const nearMs = random.pick([
    -dayMs,
    -1,
    0,
    0,
    1,
    random.magnitude(1, dayMs),
    -random.magnitude(1, dayMs),
    dayMs,
  ])
  switch (random.integer(0, 3)) {
    case 0:
      return Date.parse(random.pick(odd)) + nearMs
    case 1:
      return oddDayMs(random) + nearMs
    default:
      return random.integer(firstMs / 1000, lastMs / 1000) * 1000 + random.integer(0, 999)
  }
}

function oddDayMs(random: Random): number {
  const [month = 1, day = 1] = random.pick(oddDays).split('-').map(Number)
  // 29 February of a common year is the first of March.
  return Date.UTC(random.integer(1972, 2059), month - 1, day)
}

/** Mostly of who was a minor, or just was none any more. */
function drawBirthDate(random: Random, receivedMs: number): string {
  if (random.integer(0, 2) === 0) {
    const leapYear = 1904 + 4 * random.integer(0, 38)
    return `${leapYear}-02-29`
  }
  const ageDays = random.pick([
    random.integer(-300, 40_000),
    random.integer(0, 8000),
    365 * random.integer(17, 22) + random.integer(-10, 10),
  ])
  const date =
    random.integer(0, 1) === 0 ? new Date(receivedMs - ageDays * dayMs) : new Date(oddDayMs(random))
  return date.toISOString().slice(0, 10)
}
