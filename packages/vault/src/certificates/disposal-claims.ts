// What a certificate will say of a recording that is destroyed now: all but the proof, which the log gives later.
import { claimsHash } from '@auricle/audit'
import {
  type CertificateId,
  type CopyPlace,
  type DestroyedRole,
  DisposalClaims,
  type DispositionId,
  type RecordingId,
  type RecordingKind,
  type RuleId,
  type StoreName,
  type TenantId,
  type UserId,
} from '@auricle/contract'

export interface Disposal {
  readonly id: CertificateId
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
  readonly kind: RecordingKind
  readonly receivedAt: Date
  /** The moment of the event `recording.disposed`, and of the transaction that it commits with. */
  readonly destroyedAt: Date
  readonly rule: { readonly id: RuleId; readonly version: number }
  readonly keptUntil: Date
  readonly disposition: {
    readonly id: DispositionId
    /** Null: by the vault. */
    readonly proposedBy: UserId | null
    /** Those who approved, in order of their stages. */
    readonly approvers: readonly { readonly stage: number; readonly id: UserId; readonly at: Date }[]
  }
  /** When it was last seen that no hold is on it. */
  readonly holdsCheckedAt: Date
  readonly objects: readonly Gone[]
}

/** An object that was deleted. */
export interface Gone {
  readonly store: StoreName
  readonly key: string
  readonly generation: string
  readonly role: DestroyedRole
  readonly sealedBytes: number
  /** Of a copy: that of its original. Null where no row tells it. */
  readonly fingerprint: Uint8Array | null
  readonly destroyedAt: Date
  /** Null: it cannot be brought back. */
  readonly restorableUntil: Date | null
}

const dayMs = 86_400_000

/**
 * `backupDays`: for how long whoever runs the database keeps copies of it (AURICLE_BACKUP_DAYS). `lastCopyAt` of the result
 * is also the certificate's own column.
 */
export function disposalClaims(disposal: Disposal, backupDays: number): DisposalClaims {
  const { tenantId, rule, disposition, objects, destroyedAt } = disposal
  const copies = copiesOf(objects, destroyedAt, backupDays)
  const lastCopyAt = new Date(Math.max(Number(destroyedAt), ...copies.map(({ until }) => Number(until))))
  // As the KMS knows the key that wraps the secrets of the tenant's recordings and of its columns.
  const sealedUnder = `tenants/${tenantId}/recordings`
  const claims = DisposalClaims.parse({
    jti: disposal.id,
    tenant: tenantId,
    recording: disposal.recordingId,
    kind: disposal.kind,
    receivedAt: disposal.receivedAt.toISOString(),
    destroyedAt: destroyedAt.toISOString(),
    rule: { id: rule.id, version: rule.version },
    keptUntil: disposal.keptUntil.toISOString(),
    disposition: disposition.id,
    proposedBy: disposition.proposedBy,
    approvers: disposition.approvers.map(({ stage, id, at }) => ({ stage, id, at: at.toISOString() })),
    holdCheck: { at: disposal.holdsCheckedAt.toISOString(), holds: 0 },
    objects: objects.map(object => ({
      store: object.store,
      key: object.key,
      generation: object.generation,
      role: object.role,
      bytes: object.sealedBytes,
      fingerprint: object.fingerprint === null ? null : Buffer.from(object.fingerprint).toString('hex'),
      destroyedAt: object.destroyedAt.toISOString(),
      restorableUntil: object.restorableUntil?.toISOString() ?? null,
    })),
    method: {
      guidance: 'NIST SP 800-88r2',
      sanitization: 'clear',
      objects: 'deleted_by_generation',
      database: 'wraps_and_sealed_columns_removed',
      remains: [
        ...(copies.length === 0 ? [] : [{ what: 'copies', sealedUnder }]),
        { what: 'database_free_space', sealedUnder },
        { what: 'log_private_parts', sealedUnder },
      ],
    },
    copies: copies.map(({ where, until }) => ({ where, until: until.toISOString() })),
    lastCopyAt: lastCopyAt.toISOString(),
  })
  // What could not stand in the log must not be found out after the last object is gone.
  claimsHash(claims)
  return claims
}

function copiesOf(
  objects: readonly Gone[],
  destroyedAt: Date,
  backupDays: number,
): readonly { readonly where: CopyPlace; readonly until: Date }[] {
  const restorable = (['primary', 'recovery'] as const).flatMap(where => {
    const times = objects.flatMap(({ store, restorableUntil }) =>
      store === where && restorableUntil !== null && restorableUntil > destroyedAt ? [restorableUntil] : [],
    )
    return times.length === 0 ? [] : [{ where, until: new Date(Math.max(...times.map(Number))) }]
  })
  if (backupDays === 0) return restorable
  const until = new Date(destroyedAt.getTime() + backupDays * dayMs)
  return [...restorable, { where: 'database_backups', until }]
}
