// Signs certificates whose event is in a published log, with the proof that it is; what cannot be signed yet is left.
//
// Nothing is lost wherever it ends: a certificate without its text is found again, and of two texts of one certificate the
// first is kept.
import {
  AuditError,
  certificateKey,
  certificateText,
  claimsHash,
  decodeLeaf,
  inclusionProof,
  sealCertificate,
  tileReader,
  toBase64,
} from '@auricle/audit'
import type { Catalog, CertificateRow, CheckpointRow } from '@auricle/catalog'
import type { CertificateClaims, CertificateId, LogProof, TenantId } from '@auricle/contract'
import type { KeyService } from '@auricle/keys'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { isError, VaultError } from '../error.ts'

export interface IssueParts {
  readonly catalog: Pick<
    Catalog,
    | 'listTenants'
    | 'listUnissuedCertificates'
    | 'issueCertificate'
    | 'findAudit'
    | 'listAuditLogs'
    | 'findAnchored'
    | 'findAnchorCheckpoint'
    | 'readTile'
    | 'readAnchorTile'
  >
  readonly keys: Pick<KeyService, 'ensure' | 'signer'>
  readonly logName: string
  /** Told of one that cannot be signed as it is; the others go on. */
  readonly onRefused?: (certificate: { tenantId: TenantId; id: CertificateId }, error: unknown) => void
  readonly now?: () => Date
}

const pageMost = 200
const msPerSecond = 1000

/** How many were issued. */
export async function issueCertificates(parts: IssueParts, options: CallOptions): Promise<number> {
  const { catalog } = parts
  const anchor = await catalog.findAnchorCheckpoint('published', options)
  if (anchor === null) return 0
  let issued = 0
  for (const { id: tenantId } of await catalog.listTenants(options)) {
    for (let afterId: CertificateId | null = null; ; ) {
      const page = { afterId, limit: pageMost }
      const rows: readonly CertificateRow[] = await catalog.listUnissuedCertificates(tenantId, page, options)
      for (const row of rows) {
        try {
          if (await issue(parts, tenantId, row, anchor, options)) issued += 1
        } catch (error) {
          if (!isItsOwn(error)) throw error
          parts.onRefused?.({ tenantId, id: row.id }, error)
        }
      }
      afterId = rows.at(-1)?.id ?? null
      if (rows.length < pageMost) break
    }
  }
  return issued
}

/** False where its event is not in a published log yet, or another process was faster. */
async function issue(
  parts: IssueParts,
  tenantId: TenantId,
  row: CertificateRow,
  anchor: CheckpointRow,
  options: CallOptions,
): Promise<boolean> {
  const { catalog, keys, logName, now = () => new Date() } = parts
  const log = await proofOf(parts, tenantId, row, anchor, options)
  if (log === null) return false
  await keys.ensure({ purpose: 'certificates' }, options)
  const signer = keys.signer({ purpose: 'certificates' })
  const at = now()
  const iat = Math.floor(at.getTime() / msPerSecond)
  const claims: CertificateClaims = { ...row.claims, iss: logName, iat, log }
  const { spki, keyVersion } = await signer.publicKey(options)
  const key = certificateKey(spki)
  const text = certificateText(key, claims)
  const signed = await signer.sign(Buffer.from(text), options)
  // Rotated in between: the next round names the new key.
  if (signed.keyVersion !== keyVersion) return false
  const jws = await sealCertificate(key, text, signed.signature)
  const event = await auditRecord(
    {
      ...{ tenantId, action: 'certificate.issued', outcome: 'allowed', request: null },
      actor: { type: 'part', name: 'vault' },
      object: { type: 'certificate', id: row.id, version: null },
    },
    null,
    at,
  )
  return await catalog.issueCertificate({ tenantId, id: row.id, jws, at }, event, options)
}

/** Null while it cannot be had. Throws `damaged` where the log says another thing than the certificate would. */
async function proofOf(
  { catalog }: Pick<IssueParts, 'catalog'>,
  tenantId: TenantId,
  { eventId, recordingId, claims }: CertificateRow,
  anchor: CheckpointRow,
  options: CallOptions,
): Promise<LogProof | null> {
  const found = await catalog.findAudit(tenantId, eventId, options)
  if (found === null) throw new VaultError('damaged', 'The event of a certificate is not in the log')
  const { seal, stored } = found
  if (seal === null || stored === null) return null
  const { year, seq } = seal
  const end = await catalog.findAnchored({ tenantId, year }, anchor.size, options)
  const log = (await catalog.listAuditLogs(tenantId, options)).find(one => one.year === year)
  if (end === null || log === undefined || end.size <= seq) return null
  const { action, object, detail } = decodeLeaf(stored.leaf)
  const isOfIt = action === 'recording.disposed' && object?.id === recordingId && detail?.kind === 'disposal'
  if (!isOfIt || detail.claims !== claimsHash(claims))
    throw new VaultError('damaged', 'A certificate would say another thing than its event')
  const read = tileReader(tile => catalog.readTile({ tenantId, year }, tile, options).then(copied), end.size)
  const readAnchor = tileReader(tile => catalog.readAnchorTile(tile, options).then(copied), anchor.size)
  return {
    origin: log.origin,
    index: seq,
    size: end.size,
    leaf: toBase64(stored.leaf),
    proof: (await inclusionProof(seq, end.size, read)).map(toBase64),
    checkpoint: end.note,
    anchor: {
      index: end.index,
      size: anchor.size,
      leaf: toBase64(end.leaf),
      proof: (await inclusionProof(end.index, anchor.size, readAnchor)).map(toBase64),
      checkpoint: anchor.note,
    },
  }
}

/** Whether it is about the one certificate, and not about what all of them need. */
const isItsOwn = (error: unknown): boolean =>
  error instanceof VaultError || error instanceof AuditError || isError(error, 'CatalogError', 'damaged')

const copied = (bytes: Uint8Array) => new Uint8Array(bytes)
