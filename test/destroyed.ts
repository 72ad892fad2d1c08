// A recording that is gone: its rows as the end of a destruction leaves them, by the database's own functions.
import { type AuditRecord, disposedDetail } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import {
  type DisposalClaims,
  type EventId,
  newCertificateId,
  newDispositionId,
  newRuleId,
  newUserId,
  type RecordingId,
  type TenantId,
} from '@auricle/contract'
import { auditRecord, disposalClaims, type Gone } from '@auricle/vault'
import type pg from 'pg'

export interface Destroyed {
  readonly claims: DisposalClaims
  readonly event: AuditRecord
}

export interface DestroyOptions {
  readonly at: Date
  /** Days for which what is deleted can be brought back, 0 for not at all. */
  readonly restorableDays?: number
  readonly backupDays?: number
  /** What the certificate is made to say otherwise. */
  readonly change?: Partial<DisposalClaims>
}

const dayMs = 86_400_000
const before = (at: Date, days: number) => new Date(at.getTime() - days * dayMs)

/** `pool` is of the services' role. The recording's objects stay where they are: this is about rows alone. */
export async function destroyRows(
  { pool, catalog }: { readonly pool: pg.Pool; readonly catalog: Catalog },
  { tenantId, recordingId }: { readonly tenantId: TenantId; readonly recordingId: RecordingId },
  { at, restorableDays = 7, backupDays = 35, change = {} }: DestroyOptions,
): Promise<Destroyed> {
  const id = newCertificateId()
  const disposition = newDispositionId()
  const rule = { id: newRuleId(), version: 1 }
  const [proposedBy, approver] = [newUserId(), newUserId()]
  const restorableUntil = restorableDays === 0 ? null : before(at, -restorableDays)
  const gone: Gone[] = (await catalog.listObjects(tenantId, recordingId)).map(object => ({
    ...{ store: 'primary', key: object.objectKey, generation: object.generation, role: object.role },
    ...{ sealedBytes: object.sealedBytes, fingerprint: object.fingerprint },
    ...{ destroyedAt: at, restorableUntil },
  }))
  const claims = {
    ...disposalClaims(
      {
        ...{ id, tenantId, recordingId, rule, keptUntil: before(at, 9), kind: 'voicemail' },
        ...{ receivedAt: before(at, 4000), destroyedAt: at, holdsCheckedAt: at, objects: gone },
        disposition: {
          id: disposition,
          proposedBy,
          approvers: [{ stage: 1, id: approver, at: before(at, 8) }],
        },
      },
      backupDays,
    ),
    ...change,
  }
  const event = await auditRecord(
    {
      ...{ tenantId, action: 'recording.disposed', outcome: 'allowed', request: null },
      actor: { type: 'part', name: 'vault' },
      object: { type: 'recording', id: recordingId, version: null },
      detail: disposedDetail(claims),
    },
    null,
    at,
  )
  await catalog.appendEvents([event])
  const client = await pool.connect()
  const insert = (table: string, row: Readonly<Record<string, unknown>>) => {
    const columns = ['tenant_id', ...Object.keys(row)]
    const places = columns.map((_, index) => `$${index + 1}`).join(', ')
    const text = `insert into auricle.${table} (${columns.join(', ')}) values (${places})`
    return client.query(text, [tenantId, ...Object.values(row)])
  }
  const call = async (name: string) => {
    const text = `select auricle.${name}($1, $2, $3) as refusal`
    const { rows } = await client.query<{ refusal: string | null }>(text, [tenantId, recordingId, at])
    if (rows[0]?.refusal !== null) throw new Error(`${name} was refused: ${rows[0]?.refusal}`)
  }
  try {
    await client.query('begin')
    await client.query("select set_config('auricle.tenant', $1, true)", [tenantId])
    await client.query(
      `update auricle.retention_decision set superseded_at = $3
       where tenant_id = $1 and recording_id = $2 and superseded_at is null`,
      [tenantId, recordingId, at],
    )
    // By the policy of now, which nobody changes until this is over.
    const policy = await client.query<{ revision: string }>(
      'select policy_revision as revision from auricle.tenant where id = $1 for share',
      [tenantId],
    )
    const revision = policy.rows[0]?.revision
    await insert('retention_decision', {
      ...{ recording_id: recordingId, decided_at: at, revision, status: 'kept', disposal: 'review' },
      ...{ rule_id: rule.id, rule_version: 1, keep_until: before(at, 9), due_at: before(at, 9) },
      locked: false,
    })
    await insert('disposition', {
      ...{ id: disposition, state: 'waiting', kind: 'review', proposed_at: before(at, 9), stages: 1 },
      ...{ proposed_by: proposedBy, ready_at: before(at, 1) },
    })
    await insert('disposition_review', {
      ...{ disposition_id: disposition, stage: 1, reviewed_by: approver, verdict: 'approve' },
      reviewed_at: before(at, 8),
    })
    await insert('disposition_item', {
      ...{ disposition_id: disposition, recording_id: recordingId, state: 'listed', rule_id: rule.id },
      ...{ rule_version: 1, keep_until: before(at, 9), due_at: before(at, 9), changed_at: at },
    })
    await call('begin_destruction')
    for (const { store, key, generation, role, sealedBytes } of gone)
      await insert('destroyed_object', {
        ...{ recording_id: recordingId, store, object_key: key, generation, role },
        ...{ sealed_bytes: sealedBytes, destroyed_at: at, restorable_until: restorableUntil },
      })
    await call('end_destruction')
    await insert('certificate', {
      ...{ id, recording_id: recordingId, disposition_id: disposition, event_id: event.event.id },
      ...{ claims: JSON.stringify(claims), last_copy_at: claims.lastCopyAt },
    })
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
  return { claims, event }
}

export const eventIdOf = ({ event }: Destroyed): EventId => event.event.id
