// What follows within a transaction where a recording is new, or something changed that rules and holds ask for.
import type { RecordingId, TenantId } from '@auricle/contract'
import type { Session } from './database.ts'
import { markStale } from './retention-facts.ts'

/** Goes before every other lock. Who is deciding ends first, and who comes later decides by what changes now. */
export async function lockDecisions(session: Session, tenantId: TenantId): Promise<void> {
  await session.rows({ text: 'select auricle.lock_decisions($1)', values: [tenantId] })
}

/** The caller has `lockDecisions`. */
export async function recordingChanged(
  session: Session,
  tenantId: TenantId,
  recordingId: RecordingId,
  now: Date,
): Promise<void> {
  await coverRecording(session, tenantId, recordingId, now)
  await markStale(session, tenantId, { recordingId })
}

/** By whatever active holds ask for it; covered once, it stays so. */
export async function coverRecording(
  session: Session,
  tenantId: TenantId,
  recordingId: RecordingId,
  now: Date,
): Promise<void> {
  await session.rows({
    name: 'cover_recording',
    text: 'select auricle.cover_recording($1, $2, $3)',
    values: [tenantId, recordingId, now],
  })
}

/** The objects of these have to follow what was decided. In the order of their ids, as everybody asks. */
export async function askStores(
  session: Session,
  tenantId: TenantId,
  recordingIds: readonly RecordingId[],
  now: Date,
): Promise<void> {
  if (recordingIds.length === 0) return
  await session.rows({
    text: `select auricle.ask_store($1, wanted.id, $2)
           from (select id from unnest($3::text[]) as asked (id) order by id) wanted`,
    values: [tenantId, now, recordingIds],
  })
}
