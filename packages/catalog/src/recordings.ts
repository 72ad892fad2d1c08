// Recordings: their commit point, and how they are found, listed and marked.
import { AudioState, MailboxId, ObjectRole, PatientId, RecordingId, UserId } from '@auricle/contract'
import { readAccess, readHeldToken } from './access-facts.ts'
import type { Catalog, KeptObject, NewObject, NewRecording, PlayFacts } from './catalog.ts'
import { encodeCursor } from './cursor.ts'
import type { Database, Session } from './database.ts'
import { CatalogError } from './error.ts'
import { insertEvent } from './events.ts'
import { askStores, coverRecording, lockDecisions, recordingChanged } from './recording-change.ts'
import { recordingQuery } from './recording-query.ts'
import { Labels, openRecording, recordingColumns, recordingJoins, sealRecording } from './recording-row.ts'
import { insertFirstDecision } from './retention-decisions.ts'
import { firstOrNull, integer, orNull, parsed, parsedOrNull, type Row } from './row.ts'
import { insertObjects, readKeptObject, readObject } from './stored-objects.ts'

type Recordings = Pick<
  Catalog,
  | 'commitArchive'
  | 'listRecordings'
  | 'findRecording'
  | 'listObjects'
  | 'findPlayFacts'
  | 'commitHeard'
  | 'commitLabels'
  | 'listAllRecordings'
>

export function createRecordings(database: Database, now: () => Date): Recordings {
  return {
    /** The update of the intake comes first: it makes a second archive of the same intake wait, and then find it done. */
    commitArchive: (recording, objects, keys, event, options) => {
      const columns = sealRecording(recording, keys)
      return database.inTenant(
        recording.tenantId,
        async session => {
          if (!(await markArchived(session, recording.tenantId, recording.intakeId, now()))) return 'already'
          const storedBytes = objects.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0)
          await session.write(insert('recording', { ...columns, stored_bytes: storedBytes }))
          await insertObjects(session, recording.tenantId, recording.id, objects)
          await insertFirstDecision(session, recording)
          await coverRecording(session, recording.tenantId, recording.id, now())
          if (mustFollow(recording, objects))
            await askStores(session, recording.tenantId, [recording.id], now())
          await insertEvent(session, event)
          return 'archived'
        },
        options,
      )
    },

    async listRecordings(tenantId, filter, keys, options) {
      const statement = recordingQuery(tenantId, filter, keys)
      if (statement === null) return { recordings: [], nextCursor: null }
      const found = await database.inTenant(tenantId, session => session.rows(statement), options)
      const recordings = found.slice(0, filter.limit).map(row => openRecording(row, keys))
      const last = recordings.at(-1)
      const more = found.length > filter.limit && last !== undefined
      return { recordings, nextCursor: more ? encodeCursor(last) : null }
    },

    async findRecording(tenantId, id, keys, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select ${recordingColumns} from auricle.recording r ${recordingJoins}
                   where r.tenant_id = $1 and r.id = $2 and r.destroying_at is null`,
            values: [tenantId, id],
          })
        },
        options,
      )
      return firstOrNull(found, row => openRecording(row, keys))
    },

    async listObjects(tenantId, id, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.recording_object where tenant_id = $1 and recording_id = $2 order by role',
            values: [tenantId, id],
          })
        },
        options,
      )
      return found.map(readKeptObject)
    },

    async findPlayFacts({ tenantId, tokenId, recordingId, role, now: at, isUse = true }, options) {
      const found = await database.once(
        {
          name: 'find_play_facts',
          text: 'select * from auricle.find_play_facts($1, $2, $3, $4, $5, $6)',
          values: [tenantId, tokenId, recordingId, role, at, isUse],
        },
        options,
      )
      return firstOrNull(found, readPlayFacts)
    },

    commitHeard: ({ tenantId, recordingId, heard }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const marked = await session.write({
            text: `update auricle.recording set
                     heard_at = case when $3::timestamptz is null then null else coalesce(heard_at, $3) end,
                     heard_by = case when $3::timestamptz is null then null else coalesce(heard_by, $4) end
                   where tenant_id = $1 and id = $2 and destroying_at is null`,
            values: [tenantId, recordingId, heard?.at ?? null, heard?.by ?? null],
          })
          if (marked === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    commitLabels: ({ tenantId, recordingId, add, remove }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await lockDecisions(session, tenantId)
          const changed = await session.write({
            text: `update auricle.recording set labels = array(
                     select distinct l from unnest(labels || $3::text[]) l where l <> all ($4::text[]) order by l
                   ) where tenant_id = $1 and id = $2 and destroying_at is null`,
            values: [tenantId, recordingId, add, remove],
          })
          if (changed === 0) return false
          await recordingChanged(session, tenantId, recordingId, now())
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    async listAllRecordings(tenantId, afterId, limit, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select b.* from (
                     select r.tenant_id, r.id from auricle.recording r
                     where r.tenant_id = $1 and r.id > $2 and r.destroying_at is null and exists (
                       select from auricle.recording_object o
                       where o.tenant_id = r.tenant_id and o.recording_id = r.id and o.destroyed_at is null
                     )
                     order by r.id limit $3
                   ) r
                   join auricle.recording_object b on b.tenant_id = r.tenant_id and b.recording_id = r.id
                     and b.destroyed_at is null
                   order by b.recording_id, b.role`,
            values: [tenantId, afterId ?? '', limit],
          })
        },
        options,
      )
      const objects = new Map<RecordingId, KeptObject[]>()
      for (const row of found) {
        const id = parsed(row, 'recording_id', RecordingId)
        const known = objects.get(id)
        if (known === undefined) objects.set(id, [readKeptObject(row)])
        else known.push(readKeptObject(row))
      }
      return [...objects].map(([id, list]) => ({ id, objects: list }))
    },
  }
}

/** An attempt that knew less may have had objects kept for less than was decided; and what waits for an event is held. */
function mustFollow({ decision }: NewRecording, objects: readonly NewObject[]): boolean {
  return (
    decision.status === 'waiting' ||
    objects.some(
      ({ storeUntil, storeLocked }) =>
        storeUntil === null || storeUntil < decision.keepUntil || (decision.locked && !storeLocked),
    )
  )
}

/** False where it is archived already. Throws `not_found` where the tenant has no such intake. */
async function markArchived(
  session: Session,
  tenantId: string,
  intakeId: string,
  at: Date,
): Promise<boolean> {
  const marked = await session.write({
    text: `update auricle.intake set state = 'archived', last_error_code = null, touched_at = $3
           where tenant_id = $1 and id = $2 and state <> 'archived'`,
    values: [tenantId, intakeId, at],
  })
  if (marked > 0) return true
  const found = await session.rows({
    text: 'select from auricle.intake where tenant_id = $1 and id = $2',
    values: [tenantId, intakeId],
  })
  if (found.length === 0) throw new CatalogError('not_found', 'The tenant has no such intake')
  return false
}

/** An insert of columns by name; the names are ours. */
function insert(table: string, columns: Readonly<Record<string, unknown>>) {
  const names = Object.keys(columns)
  const parameters = names.map((_name, index) => `$${index + 1}`)
  return {
    text: `insert into auricle.${table} (${names.join(', ')}) values (${parameters.join(', ')})`,
    values: Object.values(columns),
  }
}

function readPlayFacts(row: Row): PlayFacts {
  const recordingId = parsedOrNull(row, 'recording_id', RecordingId)
  return {
    userId: parsed(row, 'user_id', UserId),
    access: readAccess(row),
    token: readHeldToken(row),
    recording:
      recordingId === null
        ? null
        : {
            id: recordingId,
            mailboxId: parsedOrNull(row, 'mailbox_id', MailboxId),
            patientId: parsedOrNull(row, 'patient_id', PatientId),
            labels: parsed(row, 'labels', Labels),
            audioState: parsed(row, 'audio_state', AudioState),
            durationMs: orNull(row, 'duration_ms', integer),
          },
    object: parsedOrNull(row, 'role', ObjectRole) === null ? null : readObject(row),
  }
}
