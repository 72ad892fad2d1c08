// What a certificate of destruction says (docs/certificate.md): by rule, people and log what happened to one recording.
// Nothing in it may identify a patient: ids, stable words, times, hashes.
import { z } from 'zod'
import { CertificateId, DispositionId, RecordingId, RuleId, TenantId, UserId } from './ids.ts'
import { RecordingKind } from './notice.ts'
import { ObjectRole } from './object-role.ts'

const approversMost = 3
const objectsMost = 1000
/** More than any tree asks for whose size is a safe integer. */
const proofMost = 63
const limitDefault = 50
const limitMost = 200

/** As machines name things. */
const name = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[!-~]+$/)
const time = z.iso.datetime({ precision: 3 })
const hash = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'expected a hash in base64')
const note = z.string().min(1).max(65_536)
const count = z.int().min(0)

/** Where objects of recordings lie. */
export const StoreName = z.enum(['primary', 'recovery'])
export type StoreName = z.infer<typeof StoreName>

/** `intake`: as it was delivered, before it was archived. `stray`: under the recording's name, and in no row. */
export const DestroyedRole = z.enum([...ObjectRole.options, 'intake', 'stray'])
export type DestroyedRole = z.infer<typeof DestroyedRole>

export const DestroyedObject = z.strictObject({
  store: StoreName,
  key: name(1024),
  generation: name(128),
  role: DestroyedRole,
  /** As it lay there, sealed. */
  bytes: count,
  /** SHA-256 over prefix and trailer of the sealed object, in lower-case hex; null where no row told it. */
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  destroyedAt: time,
  /** Until then whoever runs the store can bring it back, as it was; null: not at all. */
  restorableUntil: time.nullable(),
})
export type DestroyedObject = z.infer<typeof DestroyedObject>

/** Who may still hold a copy, and until when: backups of the database have what it had, sealed. */
export const CopyPlace = z.enum(['primary', 'recovery', 'database_backups'])
export type CopyPlace = z.infer<typeof CopyPlace>

/** What was done, in the words of NIST SP 800-88r2, and what there still is, under which key. */
const Method = z.strictObject({
  guidance: z.literal('NIST SP 800-88r2'),
  /** By logical techniques, over all that the stores let anybody address. */
  sanitization: z.literal('clear'),
  objects: z.literal('deleted_by_generation'),
  database: z.literal('wraps_and_sealed_columns_removed'),
  /**
   * `copies`: until their times. `database_free_space`: what the database has not written over yet, in its own files.
   * `log_private_parts`: of events about it, as long as the log is kept.
   */
  remains: z.array(
    z.strictObject({
      what: z.enum(['copies', 'database_free_space', 'log_private_parts']),
      sealedUnder: name(512),
    }),
  ),
})

const disposal = {
  jti: CertificateId,
  tenant: TenantId,
  recording: RecordingId,
  kind: RecordingKind,
  receivedAt: time,
  destroyedAt: time,
  /** The version that governed. */
  rule: z.strictObject({ id: RuleId, version: z.int().min(1) }),
  /** It had to be kept until then. */
  keptUntil: time,
  disposition: DispositionId,
  /** Null: by the vault itself, as its rules say. */
  proposedBy: UserId.nullable(),
  /** None where the disposition was automatic: two people stand behind its rule. */
  approvers: z.array(z.strictObject({ stage: z.int().min(1), id: UserId, at: time })).max(approversMost),
  /** That no legal hold was on it when the last of it went. */
  holdCheck: z.strictObject({ at: time, holds: z.literal(0) }),
  objects: z.array(DestroyedObject).min(1).max(objectsMost),
  method: Method,
  /** Copies that are out of the vault's own reach; empty where there is none. */
  copies: z.array(z.strictObject({ where: CopyPlace, until: time })).max(CopyPlace.options.length),
  /** Nobody holds a copy from then on. */
  lastCopyAt: time,
}

/** All that is known when the last of a recording goes. The log's event of it commits to this text by its hash. */
export const DisposalClaims = z.strictObject(disposal)
export type DisposalClaims = z.infer<typeof DisposalClaims>

const place = { index: count, size: z.int().min(1), leaf: name(16_384) }
const proof = z.array(hash).max(proofMost)

/** That the event is in the tenant's log, and the log in the one over all logs; base64 throughout. */
const LogProof = z.strictObject({
  origin: name(255),
  ...place,
  proof,
  checkpoint: note,
  anchor: z.strictObject({ ...place, proof, checkpoint: note }),
})
export type LogProof = z.infer<typeof LogProof>

/** The payload of the signed certificate. */
export const CertificateClaims = z.strictObject({
  ...disposal,
  /** Name of the deployment's log. */
  iss: name(255),
  /** Seconds since 1970. */
  iat: count,
  log: LogProof,
})
export type CertificateClaims = z.infer<typeof CertificateClaims>

// --- the API ---

/** `pending`: its event is not in a published log yet, which takes minutes. */
export const CertificateView = z.strictObject({
  id: CertificateId,
  recording: RecordingId,
  disposition: DispositionId,
  state: z.enum(['pending', 'issued']),
  destroyedAt: time,
  lastCopyAt: time,
  issuedAt: time.nullable(),
})
export type CertificateView = z.infer<typeof CertificateView>

export const CertificateDetail = CertificateView.extend({
  claims: z.union([CertificateClaims, DisposalClaims]),
  /** Compact JWS; null while it is pending. */
  jws: z.string().nullable(),
})
export type CertificateDetail = z.infer<typeof CertificateDetail>

export const CertificatePage = z.strictObject({
  certificates: z.array(CertificateView),
  /** Pass as `cursor` for the next page; null on the last. */
  nextCursor: z.string().nullable(),
})
export type CertificatePage = z.infer<typeof CertificatePage>

export const CertificateQuery = z.strictObject({
  /** By the time of destruction: `from` inclusive, `to` exclusive. */
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  cursor: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})
export type CertificateQuery = z.infer<typeof CertificateQuery>

/** RFC 7517. */
export const CertificateKeys = z.strictObject({
  keys: z.array(
    z.union([
      z.strictObject({
        ...{ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() },
        ...{ kid: z.string(), alg: z.literal('EdDSA'), use: z.literal('sig') },
      }),
      z.strictObject({
        ...{ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() },
        ...{ kid: z.string(), alg: z.literal('ES256'), use: z.literal('sig') },
      }),
    ]),
  ),
})
export type CertificateKeys = z.infer<typeof CertificateKeys>
