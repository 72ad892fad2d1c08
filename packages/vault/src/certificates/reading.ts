// Certificates as they are read: one with all that it says, a list by when recordings went, and the keys to check them by.
import { readCertificate } from '@auricle/audit'
import type { Catalog, CertificateRow } from '@auricle/catalog'
import type {
  CertificateDetail,
  CertificateKeys,
  CertificatePage,
  CertificateQuery,
  CertificateView,
  RecordingId,
} from '@auricle/contract'
import type { KeyService } from '@auricle/keys'
import type { CallOptions } from '@auricle/sealed'
import type { AuthorizeParts } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { certificateKeys } from './keys.ts'

export interface CertificateParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'findCertificate' | 'listCertificates'>
  readonly keys: Pick<KeyService, 'signer'>
}

/** Throws `not_found` where the recording is not destroyed, or is none. */
export async function showCertificate(
  parts: CertificateParts,
  facts: RequestFacts,
  recordingId: RecordingId,
  options: CallOptions,
): Promise<CertificateDetail> {
  const object = named('recording', recordingId)
  await authorizeReading(
    parts,
    facts,
    { action: 'disposition.read', log: 'certificate.shown', object },
    options,
  )
  const row = await parts.catalog.findCertificate(facts.actor.tenantId, recordingId, options)
  if (row === null) throw new VaultError('not_found', 'There is no certificate of this recording')
  return certificateDetail(row)
}

export async function listCertificates(
  parts: CertificateParts,
  facts: RequestFacts,
  { from, to, cursor, limit }: CertificateQuery,
  options: CallOptions,
): Promise<CertificatePage> {
  const asked = { action: 'disposition.read', log: 'disposition.listed', object: null } as const
  await authorizeReading(parts, facts, asked, options)
  const page = {
    from: from === undefined ? null : new Date(from),
    to: to === undefined ? null : new Date(to),
    cursor: cursor ?? null,
    limit,
  }
  const found = await parts.catalog.listCertificates(facts.actor.tenantId, page, options)
  return { certificates: found.certificates.map(viewOf), nextCursor: found.nextCursor }
}

export async function showCertificateKeys(
  parts: CertificateParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<CertificateKeys> {
  const object = named('certificate_keys', facts.actor.tenantId)
  const asked = { action: 'disposition.read', log: 'certificate.shown', object } as const
  await authorizeReading(parts, facts, asked, options)
  return certificateKeys(parts.keys, options)
}

function certificateDetail(row: CertificateRow): CertificateDetail {
  const { claims, issued } = row
  return {
    ...viewOf(row),
    claims: issued === null ? claims : readCertificate(issued.jws).claims,
    jws: issued?.jws ?? null,
  }
}

function viewOf({ id, recordingId, dispositionId, claims, issued }: CertificateRow): CertificateView {
  return {
    id,
    recording: recordingId,
    disposition: dispositionId,
    state: issued === null ? 'pending' : 'issued',
    destroyedAt: claims.destroyedAt,
    lastCopyAt: claims.lastCopyAt,
    issuedAt: issued?.at.toISOString() ?? null,
  }
}
