// What a hold covers: recordings that come under it, by its clauses and by hand, and what is let go again.
import type { AuditEvent } from '@auricle/audit'
import { type HoldId, RecordingId, type TenantId, type UserId } from '@auricle/contract'
import type { ColumnKeys } from './column-keys.ts'
import type { Session } from './database.ts'
import { CatalogError } from './error.ts'
import { insertClause, type NewHoldClause } from './hold-row.ts'
import { flag, integer, parsed } from './row.ts'

/** What is added to a hold, or what it starts with. */
export interface HoldAdditions {
  readonly tenantId: TenantId
  readonly id: HoldId
  readonly by: UserId
  readonly at: Date
  readonly clauses: readonly NewHoldClause[]
  /** By hand. */
  readonly recordings: readonly RecordingId[]
  readonly custodians: readonly UserId[]
}

/** What a change of a hold came to. */
export interface Covered {
  /** How many recordings came under it. */
  readonly covered: number
  /** Of those, the ones whose destruction had begun. */
  readonly destroying: readonly RecordingId[]
  /** What it asks for and is gone: the first of them, and how many. */
  readonly destroyed: readonly RecordingId[]
  readonly destroyedCount: number
}

const destroyedShown = 100

/** The caller has the lock of holds. Throws `not_found` where something named is not the tenant's. */
export async function addToHold(
  session: Session,
  additions: HoldAdditions,
  clausesBefore: number,
  columns: ColumnKeys,
): Promise<Covered> {
  const { tenantId, id, at, by, clauses, recordings, custodians } = additions
  await refuseUnknown(session, additions)
  for (const [index, clause] of clauses.entries()) {
    await session.write(insertClause(additions, clausesBefore + index + 1, clause, columns))
  }
  await session.write({
    text: `insert into auricle.hold_custodian (tenant_id, hold_id, user_id, added_at, added_by)
           select distinct $1, $2, u.id, $4::timestamptz, $5 from unnest($3::text[]) u (id) on conflict do nothing`,
    values: [tenantId, id, custodians, at, by],
  })
  const byHand = recordings.length === 0 ? 0 : await coverByHand(session, additions)
  const byClauses = clauses.length === 0 ? 0 : await coverByClauses(session, additions)
  const destroying = await session.rows({
    text: `select r.id from auricle.hold_cover c
           join auricle.recording r on r.tenant_id = c.tenant_id and r.id = c.recording_id
           where c.tenant_id = $1 and c.hold_id = $2 and c.released_at is null and c.covered_at = $3
             and r.destroying_at is not null and r.destroyed_at is null
           order by r.id`,
    values: [tenantId, id, at],
  })
  const destroyed = await session.rows({
    text: `select r.id, count(*) over () as count from auricle.recording r
           where r.tenant_id = $1 and r.destroyed_at is not null and (
             r.id = any ($3) or exists (
               select from auricle.hold_clause c
               where c.tenant_id = $1 and c.hold_id = $2 and c.number > $4 and auricle.clause_covers(c, r)
             )
           ) order by r.id limit ${destroyedShown}`,
    values: [tenantId, id, recordings, clausesBefore],
  })
  return {
    covered: byHand + byClauses,
    destroying: destroying.map(row => parsed(row, 'id', RecordingId)),
    destroyed: destroyed.map(row => parsed(row, 'id', RecordingId)),
    destroyedCount: destroyed[0] === undefined ? 0 : integer(destroyed[0], 'count'),
  }
}

/** The constraints would not say of recordings that are left out, nor of machines. */
async function refuseUnknown(
  session: Session,
  { tenantId, recordings, custodians }: HoldAdditions,
): Promise<void> {
  const [row] = await session.rows({
    text: `select
             (select count(*) from auricle.recording where tenant_id = $1 and id = any ($2)) as recordings,
             (select count(*) from auricle.app_user
               where tenant_id = $1 and id = any ($3) and kind = 'person') as people`,
    values: [tenantId, recordings, custodians],
  })
  if (
    row === undefined ||
    integer(row, 'recordings') !== new Set(recordings).size ||
    integer(row, 'people') !== new Set(custodians).size
  )
    throw new CatalogError(
      'not_found',
      'The hold names a recording or a person that the tenant does not have',
    )
}

async function coverByHand(
  session: Session,
  { tenantId, id, at, by, recordings }: HoldAdditions,
): Promise<number> {
  const [row] = await session.rows({
    text: `with covered as (
             insert into auricle.hold_cover (tenant_id, hold_id, recording_id, covered_at, covered_by)
               select $1, $2, r.id, $4, $5 from auricle.recording r
               where r.tenant_id = $1 and r.id = any ($3) and r.destroyed_at is null
             on conflict do nothing
             returning recording_id
           ), asked as (
             insert into auricle.store_work (tenant_id, recording_id, due_at, asked_at)
               select $1, recording_id, $4, $4 from covered order by recording_id
             on conflict (tenant_id, recording_id)
               do update set due_at = excluded.due_at, asked_at = excluded.asked_at, error = null
           )
           select count(*) as covered from covered`,
    values: [tenantId, id, recordings, at, by],
  })
  return row === undefined ? 0 : integer(row, 'covered')
}

async function coverByClauses(session: Session, { tenantId, id, at }: HoldAdditions): Promise<number> {
  const [row] = await session.rows({
    text: 'select auricle.cover_by_clauses($1, $2, $3) as covered',
    values: [tenantId, id, at],
  })
  return row === undefined ? 0 : integer(row, 'covered')
}

/** Stores are asked to let go only of what no other hold covers. */
export async function releaseCovers(
  session: Session,
  { tenantId, id, at, clauses }: { tenantId: TenantId; id: HoldId; at: Date; clauses: number },
): Promise<number> {
  const [row] = await session.rows({
    text: `with released as (
             update auricle.hold_cover set released_at = $3, released_after = $4
             where tenant_id = $1 and hold_id = $2 and released_at is null
             returning recording_id
           ), asked as (
             insert into auricle.store_work (tenant_id, recording_id, due_at, asked_at)
               select $1, r.recording_id, $3, $3 from released r
               where not exists (
                 select from auricle.hold_cover o
                 where o.tenant_id = $1 and o.recording_id = r.recording_id and o.hold_id <> $2
                   and o.released_at is null
               )
               order by r.recording_id
             on conflict (tenant_id, recording_id)
               do update set due_at = excluded.due_at, asked_at = excluded.asked_at, error = null
           )
           select count(*) as released from released`,
    values: [tenantId, id, at, clauses],
  })
  return row === undefined ? 0 : integer(row, 'released')
}

/**
 * Whether what an event is about is a hold in force or something that one covers: a recording, its delivery, a disclosure
 * of it. None is placed before the transaction ends.
 */
export async function isUnderHold(
  session: Session,
  tenantId: TenantId,
  { type, id }: NonNullable<AuditEvent['object']>,
): Promise<boolean> {
  await session.rows({ text: 'select auricle.share_holds($1)', values: [tenantId] })
  const [row] = await session.rows({
    text: `select exists (
             select from auricle.legal_hold h
             where $2 = 'hold' and h.tenant_id = $1 and h.id = $3 and h.released_at is null
           ) or exists (
             select from auricle.hold_cover c
             where c.tenant_id = $1 and c.released_at is null and c.recording_id in (
               select $3 where $2 = 'recording'
               union all
               select i.recording_id from auricle.intake i where $2 = 'intake' and i.tenant_id = $1 and i.id = $3
               union all
               select d.recording_id from auricle.disclosure d
               where $2 = 'disclosure' and d.tenant_id = $1 and d.id = $3
             )
           ) as is_held`,
    values: [tenantId, type, id],
  })
  return row !== undefined && flag(row, 'is_held')
}
