// Holds read: which there are, what one covers and what became of it, what a new one would cover, and whom it told.
import { HoldId, type HoldStep, RecordingId, type TenantId, type UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import {
  criteriaColumns,
  type HeldRow,
  type HoldCriteria,
  type HoldDetailRow,
  type HoldRow,
  holdColumns,
  openHoldColumn,
  readClause,
  readCustodian,
  readHeld,
  readHold,
  readStep,
} from './hold-row.ts'
import { integer, orNull, parsed, time } from './row.ts'

export interface HoldPreviewRow {
  readonly recordings: number
  readonly bytes: number
  readonly heldAlready: number
  readonly destroying: readonly RecordingId[]
  readonly destroyed: readonly RecordingId[]
  readonly destroyedCount: number
}

export interface NoticeRow {
  readonly id: HoldId
  readonly notice: string | null
  readonly placedAt: Date
  readonly toldAt: Date
  readonly acknowledgedAt: Date | null
  readonly releasedAt: Date | null
}

export interface HoldReadingCatalog {
  /** Newest first; only those in force, or only those released, where that is said. */
  listHolds(
    tenantId: TenantId,
    filter: {
      readonly isActive?: boolean | undefined
      readonly beforeId: HoldId | null
      readonly limit: number
    },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly HoldRow[]>
  findHold(
    tenantId: TenantId,
    id: HoldId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<HoldDetailRow | null>
  /** By id, each once: also what is released, as it was last. */
  listHeld(
    tenantId: TenantId,
    page: { readonly id: HoldId; readonly afterId: RecordingId | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly HeldRow[]>
  /** What a hold of that scope would cover now; nothing is written. */
  previewHold(
    tenantId: TenantId,
    scope: { readonly clauses: readonly HoldCriteria[]; readonly recordings: readonly RecordingId[] },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<HoldPreviewRow>
  /** What a custodian was told: holds in force first, the newest first. */
  listNotices(
    tenantId: TenantId,
    userId: UserId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly NoticeRow[]>
}

const stepsMost = 2000
const lateShown = 100

export function createHoldReading(database: Database): HoldReadingCatalog {
  return {
    async listHolds(tenantId, { isActive, beforeId, limit }, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select ${holdColumns} from auricle.legal_hold h
                   where h.tenant_id = $1 and ($2::text is null or h.id < $2)
                     and ($3::boolean is null or (h.released_at is null) = $3)
                   order by h.id desc limit $4`,
            values: [tenantId, beforeId, isActive ?? null, limit],
          }),
        options,
      )
      return found.map(row => readHold(row, tenantId, columns))
    },

    findHold: (tenantId, id, columns, options) => {
      const values = [tenantId, id]
      return database.inTenant(
        tenantId,
        async session => {
          const [row] = await session.rows({
            text: `select ${holdColumns} from auricle.legal_hold h where h.tenant_id = $1 and h.id = $2`,
            values,
          })
          if (row === undefined) return null
          const scope = await session.rows({
            text: 'select * from auricle.hold_clause where tenant_id = $1 and hold_id = $2 order by number',
            values,
          })
          const people = await session.rows({
            text: `select p.*, u.name from auricle.hold_custodian p
                   join auricle.app_user u on u.tenant_id = p.tenant_id and u.id = p.user_id
                   where p.tenant_id = $1 and p.hold_id = $2 order by p.added_at, p.user_id`,
            values,
          })
          const trail = await session.rows({ text: trailQuery, values })
          return {
            ...readHold(row, tenantId, columns),
            notice: openHoldColumn(row, 'notice', tenantId, columns),
            scope: scope.map(clause => readClause(clause, tenantId, columns)),
            people: people.map(readCustodian),
            trail: trail.map(readStep),
          }
        },
        options,
      )
    },

    async listHeld(tenantId, { id, afterId, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select distinct on (c.recording_id) c.recording_id, c.covered_at, c.covered_by, c.released_at,
                     case when r.destroyed_at is not null then 'destroyed'
                       when r.destroying_at is not null then 'destroying' else 'kept' end as state
                   from auricle.hold_cover c
                   join auricle.recording r on r.tenant_id = c.tenant_id and r.id = c.recording_id
                   where c.tenant_id = $1 and c.hold_id = $2 and c.recording_id > $3
                   order by c.recording_id, (c.released_at is null) desc, c.released_at desc limit $4`,
            values: [tenantId, id, afterId ?? '', limit],
          }),
        options,
      )
      return found.map(readHeld)
    },

    async previewHold(tenantId, { clauses, recordings }, columns, options) {
      const [row] = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: previewQuery,
            values: [tenantId, JSON.stringify(clauses.map(clause => asJson(clause, columns))), recordings],
          }),
        options,
      )
      const ids = (column: string) =>
        row === undefined ? [] : parsed(row, column, RecordingId.array()).slice(0, lateShown)
      const count = (column: string) => (row === undefined ? 0 : integer(row, column))
      return {
        recordings: count('recordings'),
        bytes: count('bytes'),
        heldAlready: count('held_already'),
        destroying: ids('destroying'),
        destroyed: ids('destroyed'),
        destroyedCount: count('destroyed_count'),
      }
    },

    async listNotices(tenantId, userId, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select h.id, h.notice, h.placed_at, h.released_at, p.added_at, p.acknowledged_at
                   from auricle.hold_custodian p
                   join auricle.legal_hold h on h.tenant_id = p.tenant_id and h.id = p.hold_id
                   where p.tenant_id = $1 and p.user_id = $2
                   order by h.released_at is not null, p.added_at desc, h.id desc`,
            values: [tenantId, userId],
          }),
        options,
      )
      return found.map(row => ({
        id: parsed(row, 'id', HoldId),
        notice: openHoldColumn(row, 'notice', tenantId, columns),
        placedAt: time(row, 'placed_at'),
        toldAt: time(row, 'added_at'),
        acknowledgedAt: orNull(row, 'acknowledged_at', time),
        releasedAt: orNull(row, 'released_at', time),
      }))
    },
  }
}

/** As PostgreSQL reads a row of clauses from JSON. */
function asJson(clause: HoldCriteria, columns: ColumnKeys): Readonly<Record<string, unknown>> {
  const { from_index: from, to_index: to, ...others } = criteriaColumns(clause, columns)
  const hex = (index: Uint8Array | null) =>
    index === null ? null : `\\x${Buffer.from(index).toString('hex')}`
  return { ...others, from_index: hex(from), to_index: hex(to) }
}

const previewQuery = `
  with asked as (
    select r.id, r.tenant_id, r.destroying_at, r.destroyed_at from auricle.recording r
    where r.tenant_id = $1 and (
      r.id = any ($3) or exists (
        select from jsonb_populate_recordset(null::auricle.hold_clause, $2::jsonb) c
        where auricle.clause_covers(c, r)
      )
    )
  ), counted as (
    select a.*, b.plaintext_bytes, exists (
        select from auricle.hold_cover h
        where h.tenant_id = a.tenant_id and h.recording_id = a.id and h.released_at is null
      ) as is_held
    from asked a
    left join auricle.recording_object b on b.tenant_id = a.tenant_id and b.recording_id = a.id and b.role = 'original'
  )
  select count(*) filter (where destroyed_at is null) as recordings,
    coalesce(sum(plaintext_bytes) filter (where destroyed_at is null), 0)::bigint as bytes,
    count(*) filter (where is_held) as held_already,
    array(select id from asked where destroying_at is not null and destroyed_at is null order by id limit ${lateShown})
      as destroying,
    array(select id from asked where destroyed_at is not null order by id limit ${lateShown}) as destroyed,
    count(*) filter (where destroyed_at is not null) as destroyed_count
  from counted`

/** A step's name in the trail, and what its rows are. */
const step = (what: HoldStep['what'], at: string, by: string, from: string) =>
  `select '${what}' as what, ${at} as at, ${by} as by, count(*) as count from auricle.${from} group by 2, 3`

const ofHold = 'where tenant_id = $1 and hold_id = $2'
const trailQuery = `
  select what, at, by, count from (
    ${[
      step('placed', 'placed_at', 'placed_by', 'legal_hold where tenant_id = $1 and id = $2'),
      step('clauses_added', 'added_at', 'added_by', `hold_clause ${ofHold}`),
      step('recordings_added', 'covered_at', 'covered_by', `hold_cover ${ofHold} and covered_by is not null`),
      step('custodians_added', 'added_at', 'added_by', `hold_custodian ${ofHold}`),
      step(
        'acknowledged',
        'acknowledged_at',
        'user_id',
        `hold_custodian ${ofHold} and acknowledged_at is not null`,
      ),
      step(
        'recordings_released',
        'released_at',
        'released_by',
        `hold_cover ${ofHold} and released_by is not null`,
      ),
      step(
        'released',
        'released_at',
        'released_by',
        'legal_hold where tenant_id = $1 and id = $2 and released_at is not null',
      ),
    ].join('\n union all ')}
  ) s
  order by at, array_position(
    array['placed', 'clauses_added', 'recordings_added', 'custodians_added', 'acknowledged', 'recordings_released', 'released'],
    what
  ), by limit ${stepsMost}`
