// Which objects have a copy in the recovery store, which still owe one, and the commit point between the two.
import { RecordingId, TenantId } from '@auricle/contract'
import type { Catalog } from './catalog.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { integer, orNull, parsed, time } from './row.ts'
import { readWanted, wantedColumns, wantedJoin } from './store-work.ts'
import { readKeptObject } from './stored-objects.ts'

type Replication = Pick<
  Catalog,
  | 'listUnreplicated'
  | 'replicationBacklog'
  | 'findReplication'
  | 'commitReplication'
  | 'commitReplicationFailure'
>

export function createReplication(database: Database, now: () => Date): Replication {
  return {
    async listUnreplicated(before, limit, options) {
      const found = await database.once(
        {
          text: 'select * from auricle.unreplicated_recordings($1, $2, $3)',
          values: [before, now(), limit],
        },
        options,
      )
      return found.map(row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        recordingId: parsed(row, 'recording_id', RecordingId),
      }))
    },

    async replicationBacklog(options) {
      const [row] = await database.once(
        { text: 'select * from auricle.replication_backlog()', values: [] },
        options,
      )
      if (row === undefined) return { objects: 0, damaged: 0, owedAt: null }
      return {
        objects: integer(row, 'objects'),
        damaged: integer(row, 'damaged'),
        owedAt: orNull(row, 'owed_at', time),
      }
    },

    async findReplication(tenantId, recordingId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select b.*, ${wantedColumns} from auricle.recording r ${wantedJoin}
                   join auricle.recording_object b on b.tenant_id = r.tenant_id and b.recording_id = r.id
                     and b.destroyed_at is null
                   where r.tenant_id = $1 and r.id = $2 and r.destroying_at is null order by b.role`,
            values: [tenantId, recordingId],
          })
        },
        options,
      )
      const [first] = found
      if (first === undefined) return null
      return {
        ...readWanted(first),
        attempts: Math.max(...found.map(row => integer(row, 'replication_attempts'))),
        objects: found.map(readKeptObject),
      }
    },

    /** The rows are locked in one order first, so that of two runs at once the second waits and finds it done. */
    commitReplication: ({ tenantId, recordingId, copies }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          // Whoever destroys it holds its row while they look.
          const there = await session.rows({
            text: `select from auricle.recording where tenant_id = $1 and id = $2 and destroying_at is null
                   for key share`,
            values: [tenantId, recordingId],
          })
          if (there.length === 0) return 'already'
          await session.rows({
            text: `select from auricle.recording_object where tenant_id = $1 and recording_id = $2
                   order by role for update`,
            values: [tenantId, recordingId],
          })
          const marked = await session.write({
            text: `update auricle.recording_object b
                   set replicated_at = $3, recovery_generation = c.generation, replication_error = null,
                     recovery_until = c.until, recovery_held = c.held
                   from unnest($4::text[], $5::text[], $6::timestamptz[], $7::boolean[]) c (role, generation, until, held)
                   where b.tenant_id = $1 and b.recording_id = $2 and b.role = c.role and b.replicated_at is null`,
            values: [
              tenantId,
              recordingId,
              now(),
              copies.map(({ role }) => role),
              copies.map(({ generation }) => generation),
              copies.map(({ until }) => until),
              copies.map(({ held }) => held),
            ],
          })
          if (marked === 0) return 'already'
          await session.write({
            text: `update auricle.recording r set copied_at = $3
                   where r.tenant_id = $1 and r.id = $2 and not exists (
                     select from auricle.recording_object b
                     where b.tenant_id = r.tenant_id and b.recording_id = r.id and b.replicated_at is null
                   )`,
            values: [tenantId, recordingId, now()],
          })
          await insertEvent(session, event)
          // Decided after the copies were made, and before anybody could know of them.
          await session.rows({
            text: `select auricle.ask_store(w.tenant_id, w.id, $3) from (
                     select r.tenant_id, r.id, ${wantedColumns} from auricle.recording r ${wantedJoin}
                     where r.tenant_id = $1 and r.id = $2
                   ) w
                   where exists (
                     select from auricle.recording_object b
                     where b.tenant_id = w.tenant_id and b.recording_id = w.id and b.replicated_at is not null
                       and (b.recovery_held <> w.wanted_held
                         or (w.keep_until > $3 and coalesce(b.recovery_until, '-infinity') < w.keep_until))
                   )`,
            values: [tenantId, recordingId, now()],
          })
          return 'replicated'
        },
        options,
      )
    },

    /** What another run has replicated meanwhile stays as it is. */
    commitReplicationFailure: ({ tenantId, recordingId, errorCode, nextAttemptAt }, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.recording_object b
                   set replication_attempts = replication_attempts + 1, replication_error = $3,
                     replication_due_at = $4
                   from (
                     select role from auricle.recording_object
                     where tenant_id = $1 and recording_id = $2 and replicated_at is null order by role for update
                   ) owed
                   where b.tenant_id = $1 and b.recording_id = $2 and b.role = owed.role`,
            values: [tenantId, recordingId, errorCode, nextAttemptAt],
          })
        },
        options,
      )
    },
  }
}
