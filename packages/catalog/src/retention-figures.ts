// What a tenant's recordings come to at an instant, counted by the database in one pass over them.
import { AgeBand, MailboxId, RecordingKind, type ReportAmount, ReportState, RuleId } from '@auricle/contract'
import { z } from 'zod'
import type { Session, Statement } from './database.ts'
import { integer, orNull, parsed, parsedOrNull, type Row, text } from './row.ts'

/** The months of a report, as instants in the tenant's zone. */
export interface ReportFrame {
  readonly zone: string
  /** `YYYY-MM`: twelve months, the one of the report's instant, twelve more. */
  readonly months: readonly string[]
  /** When each begins, and one more: when the last ends. */
  readonly starts: readonly Date[]
}

/** How many months a report looks back, and ahead. */
const monthsEachWay = 12

export interface StatusFigure extends ReportAmount {
  readonly by: 'all' | 'rule' | 'kind' | 'mailbox' | 'age'
  readonly rule: { readonly id: RuleId; readonly version: number } | null
  readonly kind: RecordingKind | null
  readonly mailboxId: MailboxId | null
  readonly age: AgeBand | null
  readonly state: ReportState
}

export interface DueFigure extends ReportAmount {
  /** 0 is the month of the report's instant. */
  readonly month: number
  readonly disposal: 'automatic' | 'review'
  readonly isHeld: boolean
}

/** Recordings that came, went and were copied in the same months; 0 is before the first of them, null not by then. */
export interface StorageFigure extends ReportAmount {
  readonly added: number
  readonly destroyed: number | null
  readonly copied: number | null
}

export interface ReportFigures {
  readonly status: readonly StatusFigure[]
  readonly due: readonly DueFigure[]
  readonly storage: readonly StorageFigure[]
}

/** Years, then days. Oldest first, as `width_bucket` takes them. */
const agesBack: readonly (readonly [years: number, days: number])[] = [
  ...([10, 7, 6, 3, 2, 1] as const).map(years => [years, 0] as const),
  [0, 90],
  [0, 30],
]
const bands = AgeBand.options.toReversed()
const dayMs = 24 * 60 * 60_000

/** By the calendar of UTC. */
function ageBounds(asOf: Date): readonly Date[] {
  return agesBack.map(([years, days]) => {
    const bound = new Date(asOf)
    bound.setUTCFullYear(asOf.getUTCFullYear() - years)
    return new Date(bound.getTime() - days * dayMs)
  })
}

export async function readFrame(session: Session, tenantId: string, asOf: Date): Promise<ReportFrame> {
  const rows = await session.rows({
    text: `select t.retention_zone as zone, to_char(m.at, 'YYYY-MM') as month, m.at at time zone t.retention_zone as starts
           from auricle.tenant t
           cross join lateral (
             select date_trunc('month', $2::timestamptz at time zone t.retention_zone) + n * interval '1 month' as at
             from generate_series($3::integer, $4::integer) n
           ) m
           where t.id = $1 order by m.at`,
    values: [tenantId, asOf, -monthsEachWay, monthsEachWay + 1],
  })
  const starts = rows.map(row => parsed(row, 'starts', z.date()))
  const months = rows.slice(0, -1).map(row => text(row, 'month'))
  const [first] = rows
  return { zone: first === undefined ? 'UTC' : text(first, 'zone'), months, starts }
}

/** Whether cover `c` of hold `h` was on at $2. */
export const heldAt = `c.covered_at <= $2 and (c.released_at is null or c.released_at > $2)
  and (h.released_at is null or h.released_at > $2)`

/** How a recording is counted, each as its place in here; a group's key has three bits for it. */
const standings = [
  'destroyed',
  'held',
  ...['undecided', 'permanent', 'waiting', 'unruled', 'kept', 'due'],
] as const
const standing = (name: (typeof standings)[number]) => standings.indexOf(name)
const ofStatus = (['undecided', 'permanent', 'waiting', 'unruled'] as const)
  .map(status => `when '${status}' then ${standing(status)}`)
  .join(' ')

/** What a group's key is made of: where each number begins, and how many bits it has. */
const parts = {
  standing: [0, 3],
  age: [3, 4],
  /** 0 where nothing is due in the months to come; else 1 more than `DueFigure` in six bits. */
  due: [7, 6],
  /** Months, where 0 is before the first of them. */
  added: [13, 4],
  /** Months and 1; 0 where it was not by then. */
  destroyed: [17, 4],
  copied: [21, 4],
} as const
const storageBits = parts.added[0]

const into = (part: keyof typeof parts, value: string) => `((${value}) << ${parts[part][0]})`
const of = (part: keyof typeof parts, key = 'g.key') =>
  `((${key} >> ${parts[part][0]}) & ${2 ** parts[part][1] - 1})`
/** Most of a decade lies before the first of the months. */
const monthOf = (time: string) =>
  `case when ${time} < $6 then 0 else width_bucket(${time}, $5::timestamptz[]) end`
const monthBy = (time: string) => `case when ${time} <= $2 then 1 + ${monthOf(time)} else 0 end`

/**
 * Groups once by all that is told apart, and sums the groups after that: each recording is looked up in one table of
 * groups and never sorted. What is neither a name nor a rule is one number, which is compared faster than words, and of
 * which the planner expects few: by what it would expect of six columns it sorts. What is destroyed is told apart by its
 * months alone.
 */
export const figuresStatement = (tenantId: string, asOf: Date, { starts }: ReportFrame): Statement => ({
  text: `
with grouped as materialized (
  select b.kind, b.mailbox_id, b.rule_id, b.rule_version, b.key,
    count(*) as recordings, sum(b.stored_bytes) as bytes, sum(b.duration_ms) as sound_ms
  from (
    select case when s.is_there then r.kind end as kind, case when s.is_there then r.mailbox_id end as mailbox_id,
      d.rule_id, d.rule_version, r.stored_bytes, r.duration_ms,
      case
        when not s.is_there then ${standing('destroyed')}
        else ${into('age', 'width_bucket(r.received_at, $3::timestamptz[])')}
          + case when h.recording_id is not null then ${standing('held')}
            when d.status is null then ${standing('undecided')}
            when d.status <> 'kept' then case d.status ${ofStatus} end
            when d.due_at <= $2 then ${standing('due')} else ${standing('kept')} end
          + case when d.due_at > $2 and d.due_at < $7 then ${into(
            'due',
            `1 + width_bucket(d.due_at, $4::timestamptz[]) * 4 + case when d.disposal = 'automatic' then 2 else 0 end
              + case when h.recording_id is null then 0 else 1 end`,
          )} else 0 end
      end
        + ${into('added', monthOf('r.archived_at'))} + ${into('destroyed', monthBy('r.destroyed_at'))}
        + ${into('copied', monthBy('r.copied_at'))} as key
    from auricle.recording r
    cross join lateral (select (r.destroyed_at <= $2) is not true as is_there) s
    left join auricle.retention_decision d on d.tenant_id = r.tenant_id and d.recording_id = r.id
      and d.decided_at <= $2 and (d.superseded_at is null or d.superseded_at > $2)
    left join (
      select distinct c.recording_id from auricle.hold_cover c
      join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id
      where c.tenant_id = $1 and ${heldAt}
    ) h on h.recording_id = r.id
    where r.tenant_id = $1 and r.archived_at <= $2
  ) b
  group by b.kind, b.mailbox_id, b.rule_id, b.rule_version, b.key
), live as (
  select g.kind, g.mailbox_id, g.rule_id, g.rule_version, ${of('age')} as age, ${of('standing')} as standing,
    sum(g.recordings) as recordings, sum(g.bytes) as bytes, sum(g.sound_ms) as sound_ms
  from grouped g where ${of('standing')} <> ${standing('destroyed')} group by 1, 2, 3, 4, 5, 6
)
select 'status' as figure,
  case when grouping(g.kind) = 0 then 'kind' when grouping(g.mailbox_id) = 0 then 'mailbox'
    when grouping(g.rule_id) = 0 then 'rule' when grouping(g.age) = 0 then 'age' else 'all' end as by,
  g.kind, g.mailbox_id, g.rule_id, g.rule_version, g.age, g.standing, null::integer as key,
  sum(g.recordings) as recordings, coalesce(sum(g.bytes), 0) as bytes, coalesce(sum(g.sound_ms), 0) as sound_ms
from live g
group by grouping sets ((g.standing), (g.kind, g.standing), (g.mailbox_id, g.standing),
  (g.rule_id, g.rule_version, g.standing), (g.age, g.standing))
union all
select 'due', null, null, null, null, null, null, null, ${of('due')} - 1,
  sum(g.recordings), coalesce(sum(g.bytes), 0), coalesce(sum(g.sound_ms), 0)
from grouped g where ${of('due')} > 0 group by ${of('due')}
union all
select 'storage', null, null, null, null, null, null, null, g.key >> ${storageBits},
  sum(g.recordings), coalesce(sum(g.bytes), 0), coalesce(sum(g.sound_ms), 0)
from grouped g group by g.key >> ${storageBits}`,
  values: [
    ...[tenantId, asOf, ageBounds(asOf)],
    // The months after this one, and those up to it.
    ...[starts.slice(monthsEachWay + 1, -1), starts.slice(0, monthsEachWay + 1)],
    // Before the first of them, and where what is due ends.
    ...[starts.at(0), starts.at(-1)],
  ],
})

export function readFigures(rows: readonly Row[]): ReportFigures {
  const of = (figure: string) => rows.filter(row => row['figure'] === figure)
  return {
    status: of('status').map(readStatus),
    due: of('due').map(readDue),
    storage: of('storage').map(readStorage),
  }
}

/** Sums arrive as numerics, which are text. */
export const readAmount = (row: Row): ReportAmount => ({
  recordings: integer(row, 'recordings'),
  bytes: integer(row, 'bytes'),
  soundMs: integer(row, 'sound_ms'),
})

function readStatus(row: Row): StatusFigure {
  const ruleId = parsedOrNull(row, 'rule_id', RuleId)
  const age = orNull(row, 'age', integer)
  return {
    ...readAmount(row),
    by: parsed(row, 'by', z.enum(['all', 'rule', 'kind', 'mailbox', 'age'])),
    rule: ruleId === null ? null : { id: ruleId, version: integer(row, 'rule_version') },
    kind: parsedOrNull(row, 'kind', RecordingKind),
    mailboxId: parsedOrNull(row, 'mailbox_id', MailboxId),
    age: age === null ? null : (bands[age] ?? null),
    state: ReportState.parse(standings[integer(row, 'standing')]),
  }
}

function readDue(row: Row): DueFigure {
  const key = integer(row, 'key')
  return {
    ...readAmount(row),
    month: key >> 2,
    disposal: (key & 2) === 0 ? 'review' : 'automatic',
    isHeld: (key & 1) === 1,
  }
}

/** Months of four bits each, where 0 of the upper two says that it was not by then. */
function readStorage(row: Row): StorageFigure {
  const key = integer(row, 'key')
  const at = (month: number) => (month === 0 ? null : month - 1)
  return {
    ...readAmount(row),
    added: key & 15,
    destroyed: at((key >> 4) & 15),
    copied: at((key >> 8) & 15),
  }
}
