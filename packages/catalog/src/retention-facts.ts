// What rules of keeping are decided by, of many recordings at once; and which decisions no longer follow from it.
import {
  HoldId,
  Label,
  MailboxId,
  PatientId,
  RecordingId,
  RecordingKind,
  RecordSet,
  RetentionEventKind,
  type TenantId,
} from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { bytes, integer, orNull, parsed, parsedOrNull, type Row, time } from './row.ts'
import { openColumn } from './sealed-column.ts'

/** Recordings of a mailbox that are marked one by one. */
const markedMost = 10_000

export interface RetentionFactsRow {
  readonly recordingId: RecordingId
  readonly patientId: PatientId | null
  readonly kind: RecordingKind
  readonly mailboxId: MailboxId | null
  readonly labels: readonly Label[]
  readonly startedAt: Date
  readonly receivedAt: Date
  /** Null where its length is not known. */
  readonly endedAt: Date | null
  /** A calendar date, of the patient. */
  readonly birthDate: string | null
  /** Of the recording and of its patient, without those that were withdrawn. */
  readonly events: readonly { readonly kind: RetentionEventKind; readonly at: Date }[]
  readonly recordSet: RecordSet
  /** What the tenant's minimum was when it was archived. */
  readonly floor: Date
  /** Until when a store may have it locked for good: what was ever asked of it counts, done or not. */
  readonly lockedUntil: Date | null
  /** That cover it now. */
  readonly holdIds: readonly HoldId[]
  readonly destroyingAt: Date | null
}

export interface RetentionFactsCatalog {
  /** Of those that the tenant has and that are not destroyed, in the order of their ids; all of one moment. */
  findRetentionFacts(
    tenantId: TenantId,
    recordingIds: readonly RecordingId[],
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly RetentionFactsRow[]>
}

export function createRetentionFacts(database: Database): RetentionFactsCatalog {
  return {
    findRetentionFacts: (tenantId, recordingIds, columns, options) =>
      database.inTenant(
        tenantId,
        session => readRetentionFacts(session, tenantId, recordingIds, columns),
        options,
      ),
  }
}

/** The same in a transaction of the caller's, for whoever decides and writes in one. */
export async function readRetentionFacts(
  session: Session,
  tenantId: TenantId,
  recordingIds: readonly RecordingId[],
  columns: ColumnKeys,
): Promise<readonly RetentionFactsRow[]> {
  const rows = await session.rows({
    text: `
      select r.id, r.patient_id, r.kind, r.mailbox_id, r.labels, r.started_at, r.received_at, r.duration_ms,
        r.retain_until, r.destroying_at, p.birth_date,
        coalesce(own.decision, mailbox.decision, 'undecided') as record_set,
        coalesce(events.kinds, '{}') as event_kinds, coalesce(events.times, '{}') as event_times,
        locks.until as locked_until, holds.ids as hold_ids
      from auricle.recording r
      left join auricle.patient p on p.tenant_id = r.tenant_id and p.id = r.patient_id
      left join auricle.record_set_decision own
        on own.tenant_id = r.tenant_id and own.recording_id = r.id and own.superseded_at is null
      left join auricle.record_set_decision mailbox
        on mailbox.tenant_id = r.tenant_id and mailbox.mailbox_id = r.mailbox_id and mailbox.superseded_at is null
      left join lateral (
        select array_agg(e.kind order by e.at, e.id) as kinds, array_agg(e.at order by e.at, e.id) as times
        from (
          select a.kind, a.at, a.id from auricle.retention_event a
          where a.tenant_id = r.tenant_id and a.recording_id = r.id and a.withdrawn_at is null
          union all
          select b.kind, b.at, b.id from auricle.retention_event b
          where b.tenant_id = r.tenant_id and b.patient_id = r.patient_id and b.withdrawn_at is null
        ) e
      ) events on true
      -- What was ever locked stays so, however often it was lengthened since.
      left join lateral (
        select greatest(max(d.keep_until), (
          select greatest(max(o.store_until), max(o.recovery_until)) from auricle.recording_object o
          where o.tenant_id = r.tenant_id and o.recording_id = r.id
        )) as until
        from auricle.retention_decision d
        where d.tenant_id = r.tenant_id and d.recording_id = r.id and d.locked
        having count(*) > 0
      ) locks on true
      left join lateral (
        select coalesce(array_agg(c.hold_id order by c.hold_id), '{}') as ids from auricle.hold_cover c
        where c.tenant_id = r.tenant_id and c.recording_id = r.id and c.released_at is null
      ) holds on true
      where r.tenant_id = $1 and r.id = any ($2) and r.destroyed_at is null
      order by r.id`,
    values: [tenantId, recordingIds],
  })
  return rows.map(row => readFacts(row, tenantId, columns))
}

/**
 * The decisions of these recordings are to be made again. The number is another with every call, so that whoever decided
 * by what was true before, and writes that only where the number is still the one they read, does not undo this.
 */
export async function markStale(
  session: Session,
  tenantId: TenantId,
  of:
    | { readonly recordingId: RecordingId }
    | { readonly patientId: PatientId }
    | { readonly mailboxId: MailboxId },
): Promise<number> {
  // Who is deciding by what was true before ends first, or their new row would not be marked.
  await session.rows({ text: 'select auricle.lock_decisions($1)', values: [tenantId] })
  const [column, id] =
    'recordingId' in of
      ? ['id', of.recordingId]
      : 'patientId' in of
        ? ['patient_id', of.patientId]
        : ['mailbox_id', of.mailboxId]
  if ('mailboxId' in of && (await hasMore(session, tenantId, of.mailboxId, markedMost))) {
    // Too many to mark while somebody waits: everything is decided again, batch by batch.
    return await session.write({
      text: 'update auricle.tenant set policy_revision = policy_revision + 1 where id = $1',
      values: [tenantId],
    })
  }
  return await session.write({
    text: `update auricle.retention_decision d set revision = least(d.revision, 0) - 1
           from auricle.recording r
           where r.tenant_id = $1 and r.${column} = $2 and r.destroyed_at is null
             and d.tenant_id = r.tenant_id and d.recording_id = r.id and d.superseded_at is null`,
    values: [tenantId, id],
  })
}

async function hasMore(
  session: Session,
  tenantId: TenantId,
  mailboxId: MailboxId,
  count: number,
): Promise<boolean> {
  const rows = await session.rows({
    text: `select from auricle.recording where tenant_id = $1 and mailbox_id = $2 offset $3 limit 1`,
    values: [tenantId, mailboxId, count],
  })
  return rows.length > 0
}

/** Where a birth date is sealed. */
export const birthDatePlace = (tenantId: TenantId, patientId: PatientId) => {
  return { tenantId, table: 'patient', column: 'birth_date', rowId: patientId }
}

function readFacts(row: Row, tenantId: TenantId, columns: ColumnKeys): RetentionFactsRow {
  const patientId = parsedOrNull(row, 'patient_id', PatientId)
  const sealedBirthDate = orNull(row, 'birth_date', bytes)
  const startedAt = time(row, 'started_at')
  const durationMs = orNull(row, 'duration_ms', integer)
  const times = parsed(row, 'event_times', z.array(z.date()))
  return {
    recordingId: parsed(row, 'id', RecordingId),
    patientId,
    kind: parsed(row, 'kind', RecordingKind),
    mailboxId: parsedOrNull(row, 'mailbox_id', MailboxId),
    labels: parsed(row, 'labels', z.array(Label)),
    startedAt,
    receivedAt: time(row, 'received_at'),
    endedAt: durationMs === null ? null : new Date(startedAt.getTime() + durationMs),
    birthDate:
      patientId === null || sealedBirthDate === null
        ? null
        : openColumn(columns, birthDatePlace(tenantId, patientId), sealedBirthDate),
    events: parsed(row, 'event_kinds', z.array(RetentionEventKind)).flatMap((kind, index) => {
      const at = times[index]
      return at === undefined ? [] : { kind, at }
    }),
    recordSet: parsed(row, 'record_set', RecordSet),
    floor: time(row, 'retain_until'),
    lockedUntil: orNull(row, 'locked_until', time),
    holdIds: parsed(row, 'hold_ids', z.array(HoldId)),
    destroyingAt: orNull(row, 'destroying_at', time),
  }
}
