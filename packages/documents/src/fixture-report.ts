// A report that is as long and as full of other people's letters as one may be, for tests that make documents of it.
import {
  AgeBand,
  CertificateId,
  DispositionId,
  DriftRunId,
  HoldId,
  MailboxId,
  OverdueReason,
  RecordingId,
  type ReportStates,
  type RetentionReport,
  RuleId,
  TenantId,
} from '@auricle/contract'

const numbered = (prefix: string, number: number) => `${prefix}_01${String(number).padStart(24, '0')}`
const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** Names with letters of German, Spanish, Polish and Czech, one without an end, one that is no name. */
export const namesOfMany = [
  'Überwachung nach § 630f BGB: zehn Jahre, größere Fälle',
  'Niños: hasta los 23 años, señalización ¿sí?',
  'Żółć pacjentów: dwadzieścia lat, źródło Łódź',
  'Příliš žluťoučký kůň',
  'W'.repeat(120),
  '<svg onload="x"> & "quotes" \u{202E}reversed\u0000',
]

const amountOf = (recordings: number) => ({
  recordings,
  bytes: recordings * 3_234_689,
  soundMs: recordings * 169_998,
})

function statesOf(recordings: number): ReportStates {
  const part = Math.floor(recordings / 10)
  return {
    held: part * 2,
    permanent: part,
    undecided: part,
    waiting: Math.floor(part / 2),
    unruled: Math.floor(part / 3),
    kept: recordings - part * 5 - Math.floor(part / 2) - Math.floor(part / 3),
    due: part,
  }
}

const lineOf = (recordings: number) => ({ ...amountOf(recordings), states: statesOf(recordings) })
const monthOf = (index: number) => new Date(Date.UTC(2025, 10 + index, 1)).toISOString().slice(0, 7)
const at = '2026-11-26T08:00:00.000Z'

export function aReport(lines: number): RetentionReport {
  return {
    tenant: { id: TenantId.parse(numbered('ten', 1)), name: 'Praxis Dr. Müller & Łukasz Niño' },
    asOf: at,
    madeAt: at,
    zone: 'America/Chicago',
    status: {
      total: lineOf(1_000_000),
      rules: [
        ...namesOfMany.map((name, index) => ({
          ...lineOf(160_000 - index * 30_000),
          rule: { id: RuleId.parse(numbered('rul', index)), version: 1 + index, name },
        })),
        { ...lineOf(7), rule: null },
      ],
      kinds: [
        { ...lineOf(333_333), kind: 'recording' },
        { ...lineOf(666_667), kind: 'voicemail' },
      ],
      mailboxes: times(30, index => ({
        ...lineOf(33_000 - index * 1000),
        mailbox: { id: MailboxId.parse(numbered('mbx', index)), name: `Extension ${1000 + index}` },
      })),
      ages: AgeBand.options.map((age, index) => ({ ...lineOf(20_000 * (index + 1)), age })),
    },
    due: {
      months: times(13, index => ({
        month: monthOf(12 + index),
        automatic: amountOf(900 + ((index * 377) % 800)),
        review: amountOf(4000 + ((index * 991) % 3000)),
        held: amountOf((index * 53) % 400),
      })),
    },
    overdue: {
      total: amountOf(lines + 5),
      reasons: OverdueReason.options.map((reason, index) => ({ ...amountOf(index + 1), reason, since: at })),
      recordings: times(lines, index => ({
        recording: RecordingId.parse(numbered('rec', index)),
        mailbox: MailboxId.parse(numbered('mbx', index)),
        rule: { id: RuleId.parse(numbered('rul', index)), version: 1 },
        keepUntil: at,
        dueAt: index % 7 === 1 ? null : at,
        reason: OverdueReason.options[index % 7] ?? 'hold',
        error: index % 7 === 5 ? 'store_retained' : null,
        holds: times(index % 7 === 0 ? 3 : 0, hold => HoldId.parse(numbered('hld', hold))),
        disposition: index % 2 === 0 ? DispositionId.parse(numbered('dsp', index)) : null,
      })),
      nextCursor: 'more',
    },
    holds: {
      total: amountOf(20_000),
      holds: namesOfMany.map((matter, index) => ({
        ...amountOf(4000 - index * 500),
        hold: HoldId.parse(numbered('hld', index)),
        matter: index === 3 ? null : matter,
        placedAt: at,
        custodians: 4,
        acknowledged: index % 5,
      })),
    },
    destroyed: {
      total: amountOf(333_000),
      certified: 332_990,
      earlier: amountOf(200_000),
      months: times(13, index => ({ month: monthOf(index), ...amountOf(9000 + ((index * 1733) % 4000)) })),
      recordings: times(lines, index => ({
        recording: RecordingId.parse(numbered('rec', index)),
        destroyedAt: at,
        rule: { id: RuleId.parse(numbered('rul', index)), version: 1 },
        disposition: DispositionId.parse(numbered('dsp', index)),
        certificate:
          index % 9 === 0
            ? null
            : {
                id: CertificateId.parse(numbered('crt', index)),
                issuedAt: index % 4 === 0 ? null : at,
                lastCopyAt: at,
              },
      })),
      nextCursor: 'more',
    },
    reconciliation: {
      run: {
        id: DriftRunId.parse(numbered('dri', 1)),
        startedAt: at,
        endedAt: at,
        recordings: 667_000,
        objects: 2_001_000,
        findings: [
          { kind: 'held_for_nothing', store: 'primary', found: 12, mended: 12 },
          { kind: 'missing', store: 'recovery', found: 1, mended: 0 },
        ],
      },
    },
    storage: {
      price: { currency: 'USD', perGibibyteMonth: 0.02 },
      months: times(13, index => ({
        month: monthOf(index),
        addedBytes: 27_000_000_000,
        destroyedBytes: index * 1_000_000_000,
        bytes: 2_000_000_000_000 + index * 20_000_000_000,
        copiedBytes: 1_900_000_000_000 + index * 20_000_000_000,
        cost: 72.5 + index * 0.7,
      })),
    },
  }
}
