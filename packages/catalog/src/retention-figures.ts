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

/**
 * Groups by all that is told apart first, since each recording is then looked up in three tables of groups, and sums the
 * groups after that. What only this file reads is one number in each group: numbers are compared faster than words.
 */
export const figuresStatement = (tenantId: string, asOf: Date, { starts }: ReportFrame): Statement => ({
  text: `
with grouped as materialized (
  select grouping(b.kind) = 0 as is_status, grouping(b.storage) = 0 as is_storage,
    b.kind, b.mailbox_id, b.rule_id, b.rule_version, b.age, b.state, b.due, b.storage,
    count(*) as recordings, sum(b.stored_bytes) as bytes, sum(b.duration_ms) as sound_ms
  from (
    select r.kind, r.mailbox_id, d.rule_id, d.rule_version, r.stored_bytes, r.duration_ms,
      width_bucket(r.received_at, $3::timestamptz[]) as age,
      case when r.destroyed_at <= $2 then 'destroyed' when h.recording_id is not null then 'held'
        when d.status is null then 'undecided' when d.status <> 'kept' then d.status
        when d.due_at <= $2 then 'due' else 'kept' end as state,
      case when d.due_at > $2 and d.due_at < $7 then width_bucket(d.due_at, $4::timestamptz[]) * 4
        + case when d.disposal = 'automatic' then 2 else 0 end
        + case when h.recording_id is null then 0 else 1 end end as due,
      case when r.archived_at < $6 then 0 else width_bucket(r.archived_at, $5::timestamptz[]) end
        + case when r.destroyed_at < $6 then 16
          when r.destroyed_at <= $2 then 16 + 16 * width_bucket(r.destroyed_at, $5::timestamptz[]) else 0 end
        + case when r.copied_at < $6 then 256
          when r.copied_at <= $2 then 256 + 256 * width_bucket(r.copied_at, $5::timestamptz[]) else 0 end as storage
    from auricle.recording r
    left join auricle.retention_decision d on d.tenant_id = r.tenant_id and d.recording_id = r.id
      and d.decided_at <= $2 and (d.superseded_at is null or d.superseded_at > $2)
    left join (
      select distinct c.recording_id from auricle.hold_cover c
      join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id
      where c.tenant_id = $1 and ${heldAt}
    ) h on h.recording_id = r.id
    where r.tenant_id = $1 and r.archived_at <= $2
  ) b
  group by grouping sets (
    (b.kind, b.mailbox_id, b.rule_id, b.rule_version, b.age, b.state), (b.due), (b.storage)
  )
)
select 'status' as figure,
  case when grouping(g.kind) = 0 then 'kind' when grouping(g.mailbox_id) = 0 then 'mailbox'
    when grouping(g.rule_id) = 0 then 'rule' when grouping(g.age) = 0 then 'age' else 'all' end as by,
  g.kind, g.mailbox_id, g.rule_id, g.rule_version, g.age, g.state, null::integer as key,
  sum(g.recordings) as recordings, coalesce(sum(g.bytes), 0) as bytes, coalesce(sum(g.sound_ms), 0) as sound_ms
from grouped g where g.is_status and g.state <> 'destroyed'
group by grouping sets ((g.state), (g.kind, g.state), (g.mailbox_id, g.state), (g.rule_id, g.rule_version, g.state),
  (g.age, g.state))
union all
select case when g.is_storage then 'storage' else 'due' end, null, null, null, null, null, null, null,
  case when g.is_storage then g.storage else g.due end, g.recordings, coalesce(g.bytes, 0), coalesce(g.sound_ms, 0)
from grouped g where not g.is_status and (g.is_storage or g.due is not null)`,
  values: [
    ...[tenantId, asOf, ageBounds(asOf)],
    // The months after this one, and those up to it.
    ...[starts.slice(monthsEachWay + 1, -1), starts.slice(0, monthsEachWay + 1)],
    // Most of a decade lies before the first of them, and what is due behind the last.
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
    state: parsed(row, 'state', ReportState),
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
