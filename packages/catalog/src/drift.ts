// What there should be in the stores, in the order of keys, and what a look at them found.
import type { AuditRecord } from '@auricle/audit'
import { DriftKind, DriftRunId, ObjectRole, RecordingId, StoreName, type TenantId } from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, flag, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { readWanted, type Wanted, wantedColumns, wantedJoin } from './store-work.ts'

/** An object that the catalog knows, as it should lie in one or both stores. */
export interface KeptRow extends Wanted {
  readonly recordingId: RecordingId
  readonly role: ObjectRole
  readonly objectKey: string
  /** What has become of its recording. */
  readonly recording: 'there' | 'destroying' | 'destroyed'
  readonly primary: KeptPlace
  /** Null where it has no copy. */
  readonly recovery: KeptPlace | null
  /** Since when the stores are asked to follow what is decided; null where they have. */
  readonly askedAt: Date | null
}

export interface KeptPlace {
  readonly generation: string
  /** Until when it was last known to be kept; null where nobody has looked. */
  readonly until: Date | null
  readonly isDestroyed: boolean
}

export interface DriftFinding {
  /** From 1. */
  readonly number: number
  readonly kind: DriftKind
  readonly store: StoreName
  readonly recordingId: RecordingId | null
  readonly objectKey: string
  readonly mended: boolean
}

export interface DriftRun {
  readonly id: DriftRunId
  readonly startedAt: Date
  /** Null while it goes on, and of one that was cut off. */
  readonly endedAt: Date | null
  readonly recordings: number
  readonly objects: number
  readonly counts: Readonly<Partial<Record<DriftKind, number>>>
}

export interface DriftCatalog {
  /** By the order of keys, of those after `afterKey`. */
  listKept(
    tenantId: TenantId,
    page: { readonly afterKey: string; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly KeptRow[]>
  /** The one under that key; null where none is. */
  findKept(tenantId: TenantId, objectKey: string, options?: QueryOptions): Promise<KeptRow | null>
  /** False where there is no such recording. */
  isDestroyed(tenantId: TenantId, id: RecordingId, options?: QueryOptions): Promise<boolean>
  /** Whoever follows what is decided for the stores has this recording to do. */
  askStore(tenantId: TenantId, id: RecordingId, now: Date, options?: QueryOptions): Promise<void>
  /**
   * Begins a run, and returns true; unless, where these are given, one was begun and ended since `endedSince`, or begun
   * since `begunSince`.
   */
  openDriftRun(
    run: { readonly tenantId: TenantId; readonly id: DriftRunId; readonly startedAt: Date },
    unless: { readonly endedSince: Date; readonly begunSince: Date } | null,
    options?: QueryOptions,
  ): Promise<boolean>
  addDriftFindings(
    tenantId: TenantId,
    run: DriftRunId,
    findings: readonly DriftFinding[],
    options?: QueryOptions,
  ): Promise<void>
  /** What it came to, with the event where there is one. */
  endDriftRun(
    run: DriftRun & { readonly tenantId: TenantId },
    event: AuditRecord | null,
    options?: QueryOptions,
  ): Promise<void>
  /** Newest first. */
  listDriftRuns(
    tenantId: TenantId,
    page: { readonly beforeId: DriftRunId | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly DriftRun[]>
  /** With some of its findings, by number. Null where there is no such run. */
  findDriftRun(
    tenantId: TenantId,
    id: DriftRunId,
    page: { readonly after: number; readonly limit: number },
    options?: QueryOptions,
  ): Promise<{ readonly run: DriftRun; readonly findings: readonly DriftFinding[] } | null>
}

const keptColumns = `
  r.id as recording_id, r.destroying_at, r.destroyed_at, b.role, b.object_key, b.generation, b.recovery_generation, b.store_until,
  b.recovery_until,
  w.asked_at, ${wantedColumns},
  exists (
    select from auricle.destroyed_object g
    where g.tenant_id = b.tenant_id and g.recording_id = b.recording_id and g.store = 'primary'
      and g.object_key = b.object_key and g.generation = b.generation
  ) as primary_destroyed,
  exists (
    select from auricle.destroyed_object g
    where g.tenant_id = b.tenant_id and g.recording_id = b.recording_id and g.store = 'recovery'
      and g.object_key = b.object_key and g.generation = b.recovery_generation
  ) as recovery_destroyed`

const keptFrom = `
  auricle.recording_object b
  join auricle.recording r on r.tenant_id = b.tenant_id and r.id = b.recording_id ${wantedJoin}
  left join auricle.store_work w on w.tenant_id = r.tenant_id and w.recording_id = r.id`

export function createDrift(database: Database): DriftCatalog {
  const rowsOf = (
    tenantId: TenantId,
    statement: Parameters<Session['rows']>[0],
    options: QueryOptions | undefined,
  ) => database.inTenant(tenantId, session => session.rows(statement), options)

  return {
    async listKept(tenantId, { afterKey, limit }, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select ${keptColumns} from ${keptFrom}
                 where b.tenant_id = $1 and b.object_key collate "C" > $2
                 order by b.object_key collate "C" limit $3`,
          values: [tenantId, afterKey, limit],
        },
        options,
      )
      return rows.map(readKept)
    },

    async findKept(tenantId, objectKey, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select ${keptColumns} from ${keptFrom} where b.tenant_id = $1 and b.object_key collate "C" = $2`,
          values: [tenantId, objectKey],
        },
        options,
      )
      return firstOrNull(rows, readKept)
    },

    async isDestroyed(tenantId, id, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select from auricle.recording where tenant_id = $1 and id = $2 and destroyed_at is not null`,
          values: [tenantId, id],
        },
        options,
      )
      return rows.length > 0
    },

    async askStore(tenantId, id, now, options) {
      await rowsOf(
        tenantId,
        { text: 'select auricle.ask_store($1, $2, $3)', values: [tenantId, id, now] },
        options,
      )
    },

    openDriftRun: ({ tenantId, id, startedAt }, unless, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.rows({
            text: `select pg_advisory_xact_lock(hashtextextended('auricle.drift/' || $1, 0))`,
            values: [tenantId],
          })
          const written = await session.write({
            text: `insert into auricle.drift_run (tenant_id, id, started_at)
                   select $1, $2, $3 where not exists (
                     select from auricle.drift_run d where d.tenant_id = $1
                       and (d.started_at >= $5 or (d.ended_at is not null and d.started_at >= $4))
                   )`,
            values: [tenantId, id, startedAt, unless?.endedSince ?? null, unless?.begunSince ?? null],
          })
          return written > 0
        },
        options,
      )
    },

    addDriftFindings: (tenantId, run, findings, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.drift_finding
                     (tenant_id, run_id, number, kind, store, recording_id, object_key, mended)
                   select $1, $2, * from unnest(
                     $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])`,
            values: [
              ...[tenantId, run],
              findings.map(({ number }) => number),
              findings.map(({ kind }) => kind),
              findings.map(({ store }) => store),
              findings.map(({ recordingId }) => recordingId),
              findings.map(({ objectKey }) => objectKey),
              findings.map(({ mended }) => mended),
            ],
          })
        },
        options,
      )
    },

    endDriftRun: ({ tenantId, id, endedAt, recordings, objects, counts }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.drift_run set ended_at = $3, recordings = $4, objects = $5, counts = $6
                   where tenant_id = $1 and id = $2`,
            values: [tenantId, id, endedAt, recordings, objects, JSON.stringify(counts)],
          })
          if (event !== null) await insertEvent(session, event)
        },
        options,
      )
    },

    async listDriftRuns(tenantId, { beforeId, limit }, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select * from auricle.drift_run where tenant_id = $1 and ($2::text is null or id < $2)
                 order by id desc limit $3`,
          values: [tenantId, beforeId, limit],
        },
        options,
      )
      return rows.map(readRun)
    },

    findDriftRun: (tenantId, id, { after, limit }, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const [row] = await session.rows({
            text: 'select * from auricle.drift_run where tenant_id = $1 and id = $2',
            values: [tenantId, id],
          })
          if (row === undefined) return null
          const found = await session.rows({
            text: `select * from auricle.drift_finding where tenant_id = $1 and run_id = $2 and number > $3
                   order by number limit $4`,
            values: [tenantId, id, after, limit],
          })
          return { run: readRun(row), findings: found.map(readFinding) }
        },
        options,
      )
    },
  }
}

function readKept(row: Row): KeptRow {
  const copy = orNull(row, 'recovery_generation', text)
  const destroyedAt = orNull(row, 'destroyed_at', time)
  const destroyingAt = orNull(row, 'destroying_at', time)
  return {
    ...readWanted(row),
    recordingId: parsed(row, 'recording_id', RecordingId),
    role: parsed(row, 'role', ObjectRole),
    objectKey: text(row, 'object_key'),
    recording: destroyedAt !== null ? 'destroyed' : destroyingAt !== null ? 'destroying' : 'there',
    primary: {
      generation: text(row, 'generation'),
      until: orNull(row, 'store_until', time),
      isDestroyed: flag(row, 'primary_destroyed'),
    },
    recovery:
      copy === null
        ? null
        : {
            generation: copy,
            until: orNull(row, 'recovery_until', time),
            isDestroyed: flag(row, 'recovery_destroyed'),
          },
    askedAt: orNull(row, 'asked_at', time),
  }
}

const Counts = z.partialRecord(DriftKind, z.int().min(0))

const readRun = (row: Row): DriftRun => ({
  id: parsed(row, 'id', DriftRunId),
  startedAt: time(row, 'started_at'),
  endedAt: orNull(row, 'ended_at', time),
  recordings: integer(row, 'recordings'),
  objects: integer(row, 'objects'),
  counts: parsed(row, 'counts', Counts),
})

const readFinding = (row: Row): DriftFinding => ({
  number: integer(row, 'number'),
  kind: parsed(row, 'kind', DriftKind),
  store: parsed(row, 'store', StoreName),
  recordingId: parsedOrNull(row, 'recording_id', RecordingId),
  objectKey: text(row, 'object_key'),
  mended: flag(row, 'mended'),
})
