// The single recordings behind a report's figures: what is overdue and why, what was destroyed and by which certificate.
import {
  CertificateId,
  DispositionId,
  HoldId,
  MailboxId,
  OverdueReason,
  RecordingId,
  type ReportAmount,
  RuleId,
} from '@auricle/contract'
import { z } from 'zod'
import type { Statement } from './database.ts'
import { heldAt, readAmount } from './retention-figures.ts'
import { integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'

interface GoverningRule {
  readonly id: RuleId
  readonly version: number
}

export interface OverdueLine {
  readonly recordingId: RecordingId
  readonly mailboxId: MailboxId | null
  readonly rule: GoverningRule | null
  readonly keepUntil: Date
  /** Null where it is undecided. */
  readonly dueAt: Date | null
  readonly reason: OverdueReason
  readonly error: string | null
  readonly holdIds: readonly HoldId[]
  readonly dispositionId: DispositionId | null
}

export interface OverdueFigure extends ReportAmount {
  readonly reason: OverdueReason
  readonly since: Date
}

export interface DestroyedLine {
  readonly recordingId: RecordingId
  readonly destroyedAt: Date
  readonly rule: GoverningRule | null
  readonly dispositionId: DispositionId | null
  readonly certificate: {
    readonly id: CertificateId
    readonly issuedAt: Date | null
    readonly lastCopyAt: Date
  } | null
}

/**
 * By three indexes, of which two know what is so now and the third what has changed since; all that is neither due nor
 * undecided is left alone. Where `chosen` puts it in an order, no more of it is looked at than is taken. Which disposition
 * it was in, if any, is told by when that was proposed and when the recording left it. That it had failed by then is known;
 * what failed only of the last attempt, while it waits.
 */
const overdue = (chosen: string) => `
  select d.recording_id, r.mailbox_id, d.rule_id, d.rule_version, d.keep_until, d.due_at, r.stored_bytes, r.duration_ms,
    h.hold_ids, i.disposition_id,
    case when h.hold_ids is not null then 'hold' when d.status = 'undecided' then 'undecided'
      when i.disposition_id is null then 'unproposed' when i.approvals < i.stages then 'review'
      when i.ready_at is null or i.ready_at > $2 then 'waiting_period'
      when i.first_failed_at <= $2 and (i.reason is not null or not i.is_open) then 'error' else 'destroying' end as reason,
    case when i.is_open and i.first_failed_at <= $2 then i.reason end as error
  from (
    select d.* from (
      select d.* from auricle.retention_decision d
      where d.tenant_id = $1 and d.superseded_at is null and d.due_at is not null and d.due_at <= $2
      union all
      select d.* from auricle.retention_decision d
      where d.tenant_id = $1 and d.superseded_at is null and d.status = 'undecided' and d.keep_until <= $2
      union all
      select d.* from auricle.retention_decision d
      where d.tenant_id = $1 and d.superseded_at is not null and d.superseded_at > $2
        and (d.due_at <= $2 or (d.status = 'undecided' and d.keep_until <= $2))
    ) d
    where d.decided_at <= $2 ${chosen}
  ) d
  cross join lateral (
    select r.mailbox_id, r.stored_bytes, r.duration_ms from auricle.recording r
    where r.tenant_id = $1 and r.id = d.recording_id and r.archived_at <= $2
      and (r.destroyed_at is null or r.destroyed_at > $2)
    -- One by one, however many the planner believes there are.
    offset 0
  ) r
  left join lateral (
    select array_agg(c.hold_id order by c.hold_id) as hold_ids from auricle.hold_cover c
    join auricle.legal_hold h on h.tenant_id = $1 and h.id = c.hold_id
    where c.tenant_id = $1 and c.recording_id = d.recording_id and ${heldAt}
  ) h on true
  left join lateral (
    select i.disposition_id, i.reason, i.first_failed_at, i.state in ('listed', 'destroying') as is_open, p.stages,
      p.ready_at, (
      select count(*) from auricle.disposition_review v
      where v.tenant_id = $1 and v.disposition_id = p.id and v.verdict = 'approve' and v.reviewed_at <= $2
    ) as approvals
    from auricle.disposition_item i
    join auricle.disposition p on p.tenant_id = $1 and p.id = i.disposition_id
    where i.tenant_id = $1 and i.recording_id = d.recording_id and p.proposed_at <= $2
      and (i.state in ('listed', 'destroying') or i.changed_at > $2)
    order by p.proposed_at desc, p.id desc limit 1
  ) i on true`

export const overdueFigures = (tenantId: string, asOf: Date): Statement => ({
  text: `select o.reason, min(coalesce(o.due_at, o.keep_until)) as since, count(*) as recordings,
           sum(o.stored_bytes) as bytes, coalesce(sum(o.duration_ms), 0) as sound_ms
         from (${overdue('')}) o group by o.reason order by o.reason`,
  values: [tenantId, asOf],
})

export const readOverdueFigure = (row: Row): OverdueFigure => ({
  ...readAmount(row),
  reason: parsed(row, 'reason', OverdueReason),
  since: time(row, 'since'),
})

/** By id. */
export const overdueLines = (
  tenantId: string,
  asOf: Date,
  page: { readonly after: RecordingId | null; readonly limit: number },
): Statement => ({
  text: `select o.* from (${overdue('and d.recording_id > $3 order by d.recording_id')}) o
         order by o.recording_id limit $4`,
  values: [tenantId, asOf, page.after ?? '', page.limit],
})

export const readOverdueLine = (row: Row): OverdueLine => ({
  recordingId: parsed(row, 'recording_id', RecordingId),
  mailboxId: parsedOrNull(row, 'mailbox_id', MailboxId),
  rule: readRule(row),
  keepUntil: time(row, 'keep_until'),
  dueAt: orNull(row, 'due_at', time),
  reason: parsed(row, 'reason', OverdueReason),
  error: orNull(row, 'error', text),
  holdIds: parsedOrNull(row, 'hold_ids', z.array(HoldId)) ?? [],
  dispositionId: parsedOrNull(row, 'disposition_id', DispositionId),
})

/** Newest first. */
export const destroyedLines = (
  tenantId: string,
  asOf: Date,
  page: {
    readonly before: Pick<DestroyedLine, 'destroyedAt' | 'recordingId'> | null
    readonly limit: number
  },
): Statement => ({
  text: `select r.id as recording_id, r.destroyed_at, i.rule_id, i.rule_version, i.disposition_id, c.id as certificate_id,
           case when c.issued_at <= $2 then c.issued_at end as issued_at, c.last_copy_at
         from auricle.recording r
         left join auricle.certificate c on c.tenant_id = r.tenant_id and c.recording_id = r.id
         left join auricle.disposition_item i on i.tenant_id = r.tenant_id and i.recording_id = r.id
           and i.state = 'destroyed'
         where r.tenant_id = $1 and r.destroyed_at <= $2
           and ($3::timestamptz is null or (r.destroyed_at, r.id) < ($3, $4))
         order by r.destroyed_at desc, r.id desc limit $5`,
  values: [tenantId, asOf, page.before?.destroyedAt ?? null, page.before?.recordingId ?? '', page.limit],
})

export function readDestroyedLine(row: Row): DestroyedLine {
  const id = parsedOrNull(row, 'certificate_id', CertificateId)
  return {
    recordingId: parsed(row, 'recording_id', RecordingId),
    destroyedAt: time(row, 'destroyed_at'),
    rule: readRule(row),
    dispositionId: parsedOrNull(row, 'disposition_id', DispositionId),
    certificate:
      id === null
        ? null
        : { id, issuedAt: orNull(row, 'issued_at', time), lastCopyAt: time(row, 'last_copy_at') },
  }
}

function readRule(row: Row): GoverningRule | null {
  const id = parsedOrNull(row, 'rule_id', RuleId)
  return id === null ? null : { id, version: integer(row, 'rule_version') }
}
