// Many recordings at once, by SQL: rows as an archive leaves them, one a minute, without objects in any store.
import { RecordingId } from '@auricle/contract'
import type { TestDatabase } from './postgres.ts'
import type { Clinic } from './vault.ts'

export interface Seeding {
  readonly count: number
  /** The first one's number; those of one tenant must not overlap. Default: 1. */
  readonly from?: number
  readonly startedAt: Date
  /** Days of the tenant's minimum. Default: 30. */
  readonly keepDays?: number
}

/** The id of the recording with that number. */
export const seededId = (number: number): RecordingId =>
  RecordingId.parse(`rec_0${number.toString(16).padStart(25, '0')}`)

/** Every other one is a voicemail. Their decisions are of no policy: to be made. */
export async function seedRecordings(
  { superuserPool }: Pick<TestDatabase, 'superuserPool'>,
  { tenant, mailbox, connectorRow }: Pick<Clinic, 'tenant' | 'mailbox' | 'connectorRow'>,
  { count, from = 1, startedAt, keepDays = 30 }: Seeding,
): Promise<void> {
  const values = [tenant.id, connectorRow.id, mailbox.id, startedAt, from, from + count - 1, keepDays]
  const seeds = `
    select lpad(to_hex(n), 25, '0') as hex, n, $4::timestamptz + n * interval '1 minute' as at,
      $1::text as tenant, $2::text as connector, $3::text as mailbox, make_interval(days => $7::integer) as keep
    from generate_series($5::integer, $6::integer) n`
  const insert = (text: string) => superuserPool.query(`with seed as (${seeds}) ${text}`, values)
  await insert(`
    insert into auricle.intake (tenant_id, id, connector_id, source_key, recording_id, state, sealed_notice, received_at,
      next_attempt_at, touched_at)
    select tenant, 'int_0' || hex, connector, sha256(convert_to(tenant || hex, 'UTF8')), 'rec_0' || hex, 'archived', '\\x00',
      at, at, at from seed`)
  await insert(`
    insert into auricle.recording (tenant_id, id, connector_id, intake_id, mailbox_id, kind, direction, source_id, started_at,
      received_at, archived_at, duration_ms, channels, codec, audio_state, retain_until)
    select tenant, 'rec_0' || hex, connector, 'int_0' || hex, mailbox, case n % 2 when 0 then 'voicemail' else 'recording' end,
      'inbound', '\\x00', at, at, at, 60000, 1, 'pcm_s16le', 'ready', at + keep from seed`)
  await insert(`
    insert into auricle.recording_object (tenant_id, recording_id, role, object_key, generation, sealed_bytes,
      plaintext_bytes, content_type, fingerprint, store_until)
    select tenant, 'rec_0' || hex, 'original', 'recordings/' || hex, '1', 1000, 900, 'audio/wav', '\\x00', at + keep from seed`)
  await insert(`
    insert into auricle.retention_decision (tenant_id, recording_id, decided_at, revision, status, keep_until, disposal,
      locked)
    select tenant, 'rec_0' || hex, at, -1, 'unruled', at + keep, 'none', false from seed`)
  await superuserPool.query('analyze auricle.recording, auricle.retention_decision, auricle.recording_object')
}
