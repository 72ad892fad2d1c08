// The logs of tenants as the sequencer grows them: what is not sealed yet, and the commit point of sealing.
//
// The order of a log is that in which its events are found finished: by the transaction that wrote each, and only behind
// the horizon, the oldest transaction that has not ended. Nothing can appear behind a cursor that stays behind it.
// `xid` is a transaction's 64-bit number in decimal, opaque to the caller.
import { EventId, TenantId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { bytes, firstOrNull, integer, orNull, parsed, type Row, text, time } from './row.ts'

/** Everything in the sequencer's order up to here is in a tree. */
export interface LogCursor {
  readonly xid: string
  readonly id: string
}

export interface LogRow {
  readonly tenantId: TenantId
  readonly year: number
  readonly origin: string
  readonly size: number
  /** As `encodeFrontier` writes it. */
  readonly frontier: Uint8Array
  readonly cursor: LogCursor
  readonly openedAt: Date
  /** Null while it is the tenant's newest. */
  readonly closedAt: Date | null
}

export interface UnsealedEvent {
  readonly id: EventId
  readonly xid: string
  readonly leaf: Uint8Array
  readonly recordedAt: Date
}

/** A leaf with its place in the index; what proves anything is the hash alone. */
export interface Seal {
  readonly id: EventId
  readonly leafHash: Uint8Array
  readonly at: Date
  readonly action: string
  readonly outcome: string
  readonly actorId: string
  readonly objectId: string | null
  readonly patients: readonly string[]
}

export interface StoredTile {
  readonly level: number
  readonly index: number
  /** 256 hashes. */
  readonly hashes: Uint8Array
  /** The hash that stands for it in the level above. */
  readonly root: Uint8Array
}

export interface SignedCheckpoint {
  readonly size: number
  readonly root: Uint8Array
  readonly note: string
  readonly at: Date
}

export interface SealCommit {
  readonly tenantId: TenantId
  readonly year: number
  /** What the log was at when this was worked out; 0 of one that is opened by it. */
  readonly fromSize: number
  /** Of a log that begins with this: its first leaf is an event of its own, the first of `seals`. */
  readonly opening: {
    readonly origin: string
    readonly at: Date
    readonly leaf: Uint8Array
    /** The log that it takes over from, and how large that was left; null for a tenant's first. */
    readonly previous: { readonly year: number; readonly size: number } | null
  } | null
  readonly seals: readonly Seal[]
  readonly tiles: readonly StoredTile[]
  readonly toSize: number
  readonly frontier: Uint8Array
  /** Null leaves it where it is. */
  readonly cursor: LogCursor | null
  /** Of `toSize`; null where it is not to be signed yet. */
  readonly checkpoint: SignedCheckpoint | null
}

export interface LogCatalog {
  /** Tenants with events that no tree holds, with the age of the first of them in the sequencer's order. */
  listUnsealed(
    options?: QueryOptions,
  ): Promise<readonly { readonly tenantId: TenantId; readonly oldest: Date }[]>
  /** The newest log of each tenant that has one, and the size up to which it is signed. */
  listLogHeads(options?: QueryOptions): Promise<readonly LogHead[]>
  /** The tenant's newest log; null before its first event is sealed. */
  findNewestLog(tenantId: TenantId, options?: QueryOptions): Promise<LogRow | null>
  /** All logs of a tenant, oldest first. */
  listLogs(tenantId: TenantId, options?: QueryOptions): Promise<readonly LogRow[]>
  /** The next events of finished transactions behind the cursor; `horizon`: everything before it has been looked at. */
  nextUnsealed(
    tenantId: TenantId,
    page: { readonly after: LogCursor; readonly limit: number },
    options?: QueryOptions,
  ): Promise<{ readonly events: readonly UnsealedEvent[]; readonly horizon: string }>
  /**
   * Looks at the next `limit` events by their ids, wherever the cursor is, and gives those that are finished, recorded
   * before `before` and in no tree, in the order in which they were recorded. `lastId` is null at the end.
   */
  findStragglers(
    tenantId: TenantId,
    page: { readonly afterId: string; readonly limit: number; readonly before: Date },
    options?: QueryOptions,
  ): Promise<{
    readonly events: readonly UnsealedEvent[]
    readonly lastId: string | null
    readonly horizon: string
  }>
  /** Everything or nothing. `moved`, and nothing written, where the log is not at `fromSize` any more. */
  commitSeals(commit: SealCommit, options?: QueryOptions): Promise<'sealed' | 'moved'>
}

export interface LogHead {
  readonly tenantId: TenantId
  readonly year: number
  readonly size: number
  readonly signedSize: number
}

export function createLogStore(database: Database): LogCatalog {
  return {
    async listUnsealed(options) {
      const found = await database.once(
        { text: 'select * from auricle.unsealed_tenants()', values: [] },
        options,
      )
      return found.map(row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        oldest: time(row, 'oldest'),
      }))
    },

    async listLogHeads(options) {
      const found = await database.once({ text: 'select * from auricle.log_heads()', values: [] }, options)
      return found.map(row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        year: integer(row, 'year'),
        size: integer(row, 'size'),
        signedSize: integer(row, 'signed_size'),
      }))
    },

    async findNewestLog(tenantId, options) {
      return await database.inTenant(
        tenantId,
        async session =>
          firstOrNull(
            await session.rows({
              text: `select * from auricle.audit_log where tenant_id = $1 order by year desc limit 1`,
              values: [tenantId],
            }),
            readLog,
          ),
        options,
      )
    },

    async listLogs(tenantId, options) {
      const text = 'select * from auricle.audit_log where tenant_id = $1 order by year'
      const found = await database.inTenant(
        tenantId,
        session => session.rows({ text, values: [tenantId] }),
        options,
      )
      return found.map(readLog)
    },

    async nextUnsealed(tenantId, { after, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            name: 'next_unsealed',
            // The horizon and the rows are of one snapshot, or a transaction could end between the two.
            text: `select h.horizon, e.id, e.xid, e.leaf, e.recorded_at
                   from (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) h
                   left join lateral (
                     select e.id, e.xid, e.leaf, e.recorded_at from auricle.audit_event e
                     where e.tenant_id = $1 and (e.xid, e.id) > ($2::xid8, $3) and e.xid < h.horizon
                       and not exists (
                         select from auricle.audit_seal s where s.tenant_id = $1 and s.event_id = e.id
                       )
                     order by e.xid, e.id limit $4
                   ) e on true`,
            values: [tenantId, after.xid, after.id, limit],
          }),
        options,
      )
      return {
        events: found.filter(row => row['id'] !== null).map(readUnsealed),
        horizon: firstOrNull(found, row => text(row, 'horizon')) ?? after.xid,
      }
    },

    async findStragglers(tenantId, { afterId, limit, before }, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            // A number at or above the snapshot's upper bound is of another cluster: nobody here can have it yet.
            text: `select h.horizon, p.last_id, e.id, e.xid, e.leaf, e.recorded_at
                   from (select pg_snapshot_xmin(pg_current_snapshot()) as horizon,
                           pg_snapshot_xmax(pg_current_snapshot()) as upper) h
                   cross join (
                     select max(id) as last_id from (
                       select id from auricle.audit_event where tenant_id = $1 and id > $2 order by id limit $3
                     ) page
                   ) p
                   left join lateral (
                     select e.id, e.xid, e.leaf, e.recorded_at from auricle.audit_event e
                     where e.tenant_id = $1 and e.id > $2 and e.id <= p.last_id and e.recorded_at < $4
                       and (e.xid < h.horizon or e.xid >= h.upper)
                       and not exists (
                         select from auricle.audit_seal s where s.tenant_id = $1 and s.event_id = e.id
                       )
                     order by e.recorded_at, e.id
                   ) e on true`,
            values: [tenantId, afterId, limit, before],
          }),
        options,
      )
      return {
        events: found.filter(row => row['id'] !== null).map(readUnsealed),
        lastId: firstOrNull(found, row => orNull(row, 'last_id', text)),
        horizon: firstOrNull(found, row => text(row, 'horizon')) ?? '0',
      }
    },

    async commitSeals(commit, options) {
      try {
        await database.inTenant(
          commit.tenantId,
          async session => {
            if (commit.opening === null) await holdLog(session, commit)
            else await openLog(session, commit, commit.opening)
            await insertSeals(session, commit)
            await insertPatients(session, commit)
            await insertTiles(session, commit)
            await insertCheckpoint(session, commit)
            await moveLog(session, commit)
          },
          options,
        )
        return 'sealed'
      } catch (error) {
        if (error instanceof Moved) return 'moved'
        throw error
      }
    },
  }
}

/** Thrown inside the transaction to undo it; it never leaves this file. */
class Moved extends Error {
  override readonly name = 'Moved'
}

/** The row is locked until the transaction ends, so that of two sequencers one waits and then finds the log moved. */
async function holdLog(session: Session, { tenantId, year, fromSize }: SealCommit): Promise<void> {
  const found = await session.rows({
    text: `select from auricle.audit_log
           where tenant_id = $1 and year = $2 and size = $3 and closed_at is null for update`,
    values: [tenantId, year, fromSize],
  })
  if (found.length === 0) throw new Moved('the log has grown or was closed')
}

async function openLog(
  session: Session,
  { tenantId, year, seals }: SealCommit,
  { origin, at, leaf, previous }: NonNullable<SealCommit['opening']>,
): Promise<void> {
  if (previous !== null) {
    const closed = await session.write({
      text: `update auricle.audit_log set closed_at = $4
             where tenant_id = $1 and year = $2 and size = $3 and closed_at is null`,
      values: [tenantId, previous.year, previous.size, at],
    })
    if (closed === 0) throw new Moved('the log before has grown or was closed')
  }
  const opened = await session.write({
    text: `insert into auricle.audit_log (tenant_id, year, origin, opened_at, cursor_xid, cursor_id)
           select $1, $2, $3, $4, coalesce(p.cursor_xid, '0'), coalesce(p.cursor_id, '')
           from (select) none left join auricle.audit_log p on p.tenant_id = $1 and p.year = $5
           on conflict do nothing`,
    values: [tenantId, year, origin, at, previous?.year ?? null],
  })
  if (opened === 0) throw new Moved('the log is open already')
  await session.write({
    text: 'insert into auricle.audit_event (tenant_id, id, leaf) values ($1, $2, $3)',
    values: [tenantId, seals[0]?.id, leaf],
  })
}

async function insertSeals(session: Session, { tenantId, year, fromSize, seals }: SealCommit): Promise<void> {
  if (seals.length === 0) return
  await session.write({
    name: 'insert_seals',
    text: `insert into auricle.audit_seal
             (tenant_id, year, seq, event_id, leaf_hash, at, action, outcome, actor_id, object_id)
           select $1, $2, $3::bigint + s.place - 1, s.event_id,
             substring($4::bytea from (32 * (s.place - 1) + 1)::integer for 32),
             s.at, s.action, s.outcome, s.actor_id, s.object_id
           from unnest($5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::text[])
             with ordinality s (event_id, at, action, outcome, actor_id, object_id, place)`,
    values: [
      tenantId,
      year,
      fromSize,
      Buffer.concat(seals.map(({ leafHash }) => leafHash)),
      seals.map(({ id }) => id),
      seals.map(({ at }) => at.toISOString()),
      seals.map(({ action }) => action),
      seals.map(({ outcome }) => outcome),
      seals.map(({ actorId }) => actorId),
      seals.map(({ objectId }) => objectId),
    ],
  })
}

async function insertPatients(
  session: Session,
  { tenantId, year, fromSize, seals }: SealCommit,
): Promise<void> {
  const about = seals.flatMap(({ patients, at }, place) =>
    [...new Set(patients)].map(patientId => ({ patientId, seq: fromSize + place, at: at.toISOString() })),
  )
  if (about.length === 0) return
  await session.write({
    text: `insert into auricle.audit_patient (tenant_id, patient_id, year, seq, at)
           select $1, p.patient_id, $2, p.seq, p.at
           from unnest($3::text[], $4::bigint[], $5::timestamptz[]) p (patient_id, seq, at)`,
    values: [
      tenantId,
      year,
      about.map(({ patientId }) => patientId),
      about.map(({ seq }) => seq),
      about.map(({ at }) => at),
    ],
  })
}

async function insertTiles(session: Session, { tenantId, year, tiles }: SealCommit): Promise<void> {
  if (tiles.length === 0) return
  await session.write({
    text: `insert into auricle.audit_tile (tenant_id, year, level, idx, hashes, root)
           select $1, $2, t.level, t.idx, t.hashes, t.root
           from unnest($3::smallint[], $4::bigint[], $5::bytea[], $6::bytea[]) t (level, idx, hashes, root)`,
    values: [
      tenantId,
      year,
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      tiles.map(({ hashes }) => hashes),
      tiles.map(({ root }) => root),
    ],
  })
}

async function insertCheckpoint(session: Session, { tenantId, year, checkpoint }: SealCommit): Promise<void> {
  if (checkpoint === null) return
  await session.write({
    text: `insert into auricle.audit_checkpoint (tenant_id, year, size, root, note, sealed_at)
           values ($1, $2, $3, $4, $5, $6)`,
    values: [tenantId, year, checkpoint.size, checkpoint.root, checkpoint.note, checkpoint.at],
  })
}

async function moveLog(session: Session, commit: SealCommit): Promise<void> {
  await session.write({
    text: `update auricle.audit_log set size = $3, frontier = $4,
             cursor_xid = coalesce($5::xid8, cursor_xid), cursor_id = coalesce($6, cursor_id)
           where tenant_id = $1 and year = $2`,
    values: [
      commit.tenantId,
      commit.year,
      commit.toSize,
      commit.frontier,
      commit.cursor?.xid ?? null,
      commit.cursor?.id ?? null,
    ],
  })
}

function readUnsealed(row: Row): UnsealedEvent {
  return {
    id: parsed(row, 'id', EventId),
    xid: text(row, 'xid'),
    leaf: bytes(row, 'leaf'),
    recordedAt: time(row, 'recorded_at'),
  }
}

function readLog(row: Row): LogRow {
  return {
    tenantId: parsed(row, 'tenant_id', TenantId),
    year: integer(row, 'year'),
    origin: text(row, 'origin'),
    size: integer(row, 'size'),
    frontier: bytes(row, 'frontier'),
    cursor: { xid: text(row, 'cursor_xid'), id: text(row, 'cursor_id') },
    openedAt: time(row, 'opened_at'),
    closedAt: orNull(row, 'closed_at', time),
  }
}
