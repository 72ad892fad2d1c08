// Rules and facts by the dozen for properties: few values each, so that they meet.
import {
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
import type { RetentionFacts } from '@auricle/retention'
import fc from 'fast-check'

export const zones = [
  'UTC',
  'America/New_York',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'America/St_Johns',
] as const

const ulidOf = (character: string) => `0${character.repeat(25)}`
export const ruleIds = [...'123456'].map(character => RuleId.parse(`rul_${ulidOf(character)}`))
const mailboxes = [...'12'].map(character => MailboxId.parse(`mbx_${ulidOf(character)}`))
const kinds = [RetentionEventKind.enum.last_encounter, RetentionEventKind.enum.discharged] as const

export const anyPeriod: fc.Arbitrary<Period> = fc
  .record({
    years: fc.constantFrom(0, 0, 1, 2, 10),
    months: fc.constantFrom(0, 0, 1, 11, 12),
    days: fc.constantFrom(0, 0, 1, 29, 31, 366),
  })
  .map(period => (period.years + period.months + period.days === 0 ? { ...period, days: 1 } : period))

const some = <Item>(items: readonly Item[]) =>
  fc.option(fc.subarray([...items], { minLength: 1 }), { freq: 2 })

export const anyDefinition: fc.Arbitrary<RuleDefinition> = fc.record({
  appliesTo: fc.record({
    kinds: some(RecordingKind.options),
    mailboxes: some(mailboxes),
    labels: some(Label.options),
    recordSet: fc.constantFrom(null, null, 'in', 'out'),
  }),
  keep: anyPeriod,
  from: fc.constantFrom('start', 'start', ...kinds),
  minors: fc.option(fc.record({ majorityAge: fc.constantFrom(18, 21), keep: anyPeriod })),
  dispose: fc.constantFrom(...RuleDisposal.options),
  disposeAfterDays: fc.constantFrom(0, 0, 1, 365),
  lock: fc.boolean(),
  source: fc.constant(null),
  preset: fc.constant(null),
})

const day = (min: number, max: number) =>
  fc.integer({ min, max }).map(days => new Date(days * 86_400_000 - 1))
const received = fc.oneof(
  day(10_000, 25_000),
  fc.constantFrom(new Date('2028-02-29T12:00:00Z'), new Date('2027-12-31T23:30:00Z')),
)

export const anyFacts: fc.Arbitrary<RetentionFacts> = received.chain(receivedAt =>
  fc.record({
    kind: fc.constantFrom(...RecordingKind.options),
    mailboxId: fc.constantFrom(null, ...mailboxes),
    labels: fc.subarray([...Label.options], { maxLength: 2 }),
    startedAt: fc.constantFrom(null, receivedAt, new Date(receivedAt.getTime() - 3_600_000), new Date(0)),
    receivedAt: fc.constant(receivedAt),
    endedAt: fc.constantFrom(null, new Date(receivedAt.getTime() + 3_600_000)),
    birthDate: fc.option(
      fc.oneof(day(0, 25_000), day(7000, 16_000)).map(date => date.toISOString().slice(0, 10)),
    ),
    events: fc.array(fc.record({ kind: fc.constantFrom(...kinds), at: day(9000, 26_000) }), { maxLength: 3 }),
    recordSet: fc.constantFrom('in', 'in', 'out', ...RecordSet.options),
    floor: day(10_000, 26_000),
    lockedUntil: fc.option(day(10_000, 40_000), { freq: 2 }),
  }),
)
