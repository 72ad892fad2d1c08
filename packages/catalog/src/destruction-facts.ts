// What whoever ends a recording has to know of it, and what was deleted of it so far.
import {
  DestroyedRole,
  DispositionId,
  IntakeId,
  PatientId,
  type RecordingId,
  RecordingKind,
  RuleId,
  StoreName,
  type TenantId,
  UserId,
} from '@auricle/contract'
import { z } from 'zod'
import type { KeptObject } from './catalog.ts'
import type { Session } from './database.ts'
import { DispositionKind } from './disposition-row.ts'
import { bytes, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { readKeptObject } from './stored-objects.ts'

/** An object that was deleted. */
export interface DestroyedObject {
  readonly store: StoreName
  readonly key: string
  readonly generation: string
  readonly role: DestroyedRole
  readonly sealedBytes: number
  readonly destroyedAt: Date
  /** Until then whoever runs the store can bring it back; null: not at all. */
  readonly restorableUntil: Date | null
}

const FoundObject = z.strictObject({
  store: StoreName,
  key: z.string(),
  generation: z.string(),
  role: DestroyedRole,
  sealedBytes: z.int().min(0),
})
/** An object that no row knows, noted before it is deleted. */
export type FoundObject = Readonly<z.infer<typeof FoundObject>>

export interface DestructionFacts {
  /** Whether it is marked: nobody is shown it. */
  readonly isBegun: boolean
  readonly kind: RecordingKind
  readonly patientId: PatientId | null
  readonly receivedAt: Date
  readonly intake: { readonly id: IntakeId; readonly objectKey: string | null }
  /** As the catalog keeps them, deleted or not. */
  readonly objects: readonly KeptObject[]
  readonly rule: { readonly id: RuleId; readonly version: number }
  readonly keptUntil: Date
  readonly disposition: {
    readonly id: DispositionId
    readonly kind: DispositionKind
    readonly proposedBy: UserId | null
    /** Who approved, by stage. */
    readonly approvers: readonly { readonly stage: number; readonly id: UserId; readonly at: Date }[]
  }
  readonly found: readonly FoundObject[]
  /** What is deleted so far; the fingerprint where a row of the catalog tells it. */
  readonly destroyed: readonly (DestroyedObject & { readonly fingerprint: Uint8Array | null })[]
}

/** Those that are noted already stay as they are. */
export async function insertDestroyed(
  session: Session,
  tenantId: TenantId,
  recordingId: RecordingId,
  objects: readonly DestroyedObject[],
): Promise<void> {
  await session.write({
    text: `insert into auricle.destroyed_object (tenant_id, recording_id, store, object_key, generation, role,
             sealed_bytes, destroyed_at, restorable_until)
           select $1, $2, * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[],
             $9::timestamptz[])
           on conflict do nothing`,
    values: [
      ...[tenantId, recordingId],
      objects.map(({ store }) => store),
      objects.map(({ key }) => key),
      objects.map(({ generation }) => generation),
      objects.map(({ role }) => role),
      objects.map(({ sealedBytes }) => sealedBytes),
      objects.map(({ destroyedAt }) => destroyedAt),
      objects.map(({ restorableUntil }) => restorableUntil),
    ],
  })
}

/** Null where it is in no disposition, or destroyed. */
export async function readDestructionFacts(
  session: Session,
  tenantId: TenantId,
  recordingId: RecordingId,
): Promise<DestructionFacts | null> {
  const values = [tenantId, recordingId]
  const [row] = await session.rows({
    text: `select r.kind, r.patient_id, r.received_at, r.intake_id, k.object_key as intake_key, i.rule_id, i.rule_version,
             i.keep_until, i.state, i.found, d.id as disposition_id, d.kind as disposition_kind, d.proposed_by
           from auricle.recording r
           join auricle.intake k on k.tenant_id = r.tenant_id and k.id = r.intake_id
           join auricle.disposition_item i on i.tenant_id = r.tenant_id and i.recording_id = r.id
             and i.state in ('listed', 'destroying')
           join auricle.disposition d on d.tenant_id = i.tenant_id and d.id = i.disposition_id
           where r.tenant_id = $1 and r.id = $2 and r.destroyed_at is null`,
    values,
  })
  if (row === undefined) return null
  const id = parsed(row, 'disposition_id', DispositionId)
  const approvers = await session.rows({
    text: `select stage, reviewed_by, reviewed_at from auricle.disposition_review
           where tenant_id = $1 and disposition_id = $2 and verdict = 'approve' order by stage`,
    values: [tenantId, id],
  })
  const objects = await session.rows({
    text: 'select * from auricle.recording_object where tenant_id = $1 and recording_id = $2 order by role',
    values,
  })
  const destroyed = await session.rows({
    text: `select d.*, o.fingerprint from auricle.destroyed_object d
           left join auricle.recording_object o on o.tenant_id = d.tenant_id and o.recording_id = d.recording_id
             and o.object_key = d.object_key
             and d.generation = case d.store when 'primary' then o.generation else o.recovery_generation end
           where d.tenant_id = $1 and d.recording_id = $2
           order by d.destroyed_at, d.store, d.object_key, d.generation`,
    values,
  })
  return {
    isBegun: text(row, 'state') === 'destroying',
    kind: parsed(row, 'kind', RecordingKind),
    patientId: parsedOrNull(row, 'patient_id', PatientId),
    receivedAt: time(row, 'received_at'),
    intake: { id: parsed(row, 'intake_id', IntakeId), objectKey: orNull(row, 'intake_key', text) },
    objects: objects.map(readKeptObject),
    rule: { id: parsed(row, 'rule_id', RuleId), version: integer(row, 'rule_version') },
    keptUntil: time(row, 'keep_until'),
    disposition: {
      id,
      kind: parsed(row, 'disposition_kind', DispositionKind),
      proposedBy: parsedOrNull(row, 'proposed_by', UserId),
      approvers: approvers.map(approver => ({
        stage: integer(approver, 'stage'),
        id: parsed(approver, 'reviewed_by', UserId),
        at: time(approver, 'reviewed_at'),
      })),
    },
    found: parsed(row, 'found', z.array(FoundObject)),
    destroyed: destroyed.map(readDestroyed),
  }
}

function readDestroyed(row: Row): DestructionFacts['destroyed'][number] {
  return {
    store: parsed(row, 'store', StoreName),
    key: text(row, 'object_key'),
    generation: text(row, 'generation'),
    role: parsed(row, 'role', DestroyedRole),
    sealedBytes: integer(row, 'sealed_bytes'),
    destroyedAt: time(row, 'destroyed_at'),
    restorableUntil: orNull(row, 'restorable_until', time),
    fingerprint: orNull(row, 'fingerprint', bytes),
  }
}
