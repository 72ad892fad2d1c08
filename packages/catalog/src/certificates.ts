// Certificates of destruction: what they will say is kept with the destruction itself, and the signed text when it is made.
import type { AuditRecord } from '@auricle/audit'
import {
  CertificateId,
  DisposalClaims,
  DispositionId,
  EventId,
  RecordingId,
  type TenantId,
} from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, orNull, parsed, type Row, text, time } from './row.ts'

export interface NewCertificate {
  readonly tenantId: TenantId
  readonly id: CertificateId
  readonly recordingId: RecordingId
  readonly dispositionId: DispositionId
  /** That of `recording.disposed`. */
  readonly eventId: EventId
  readonly claims: DisposalClaims
}

export interface CertificateRow extends Omit<NewCertificate, 'tenantId'> {
  readonly lastCopyAt: Date
  /** Null until its event is in a published log. */
  readonly issued: { readonly jws: string; readonly at: Date } | null
}

export interface CertificateCatalog {
  /** Those without a signed text, oldest first. */
  listUnissuedCertificates(
    tenantId: TenantId,
    page: { readonly afterId: CertificateId | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly CertificateRow[]>
  /** False, and nothing written, where it has been issued: the first one stands. */
  issueCertificate(
    issued: {
      readonly tenantId: TenantId
      readonly id: CertificateId
      readonly jws: string
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Of a recording; null where it is not destroyed. */
  findCertificate(
    tenantId: TenantId,
    recordingId: RecordingId,
    options?: QueryOptions,
  ): Promise<CertificateRow | null>
  /** Newest destruction first; `from` inclusive, `to` exclusive. Throws `bad_cursor`. */
  listCertificates(
    tenantId: TenantId,
    page: {
      readonly from: Date | null
      readonly to: Date | null
      readonly cursor: string | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<{ readonly certificates: readonly CertificateRow[]; readonly nextCursor: string | null }>
}

/** In the transaction that ends the destruction, with its event. */
export async function addCertificate(
  session: Session,
  { tenantId, id, recordingId, dispositionId, eventId, claims }: NewCertificate,
): Promise<void> {
  await session.write({
    text: `insert into auricle.certificate
             (tenant_id, id, recording_id, disposition_id, event_id, claims, last_copy_at)
           values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      ...[tenantId, id, recordingId, dispositionId, eventId, JSON.stringify(claims)],
      new Date(claims.lastCopyAt),
    ],
  })
}

export function createCertificates(database: Database): CertificateCatalog {
  return {
    async listUnissuedCertificates(tenantId, { afterId, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select * from auricle.certificate
                   where tenant_id = $1 and id > $2 and jws is null order by id limit $3`,
            values: [tenantId, afterId ?? '', limit],
          }),
        options,
      )
      return found.map(readCertificate)
    },

    issueCertificate: ({ tenantId, id, jws, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const written = await session.write({
            text: `update auricle.certificate set jws = $3, issued_at = $4
                   where tenant_id = $1 and id = $2 and jws is null`,
            values: [tenantId, id, jws, at],
          })
          if (written === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    async findCertificate(tenantId, recordingId, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: 'select * from auricle.certificate where tenant_id = $1 and recording_id = $2',
            values: [tenantId, recordingId],
          }),
        options,
      )
      return firstOrNull(found, readCertificate)
    },

    async listCertificates(tenantId, { from, to, cursor, limit }, options) {
      const before = cursor === null ? null : decodeCursor(cursor)
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select c.*, r.destroyed_at from auricle.recording r
                   join auricle.certificate c on c.tenant_id = r.tenant_id and c.recording_id = r.id
                   where r.tenant_id = $1 and r.destroyed_at is not null
                     and ($2::timestamptz is null or r.destroyed_at >= $2)
                     and ($3::timestamptz is null or r.destroyed_at < $3)
                     and ($4::timestamptz is null or (r.destroyed_at, r.id) < ($4, $5))
                   order by r.destroyed_at desc, r.id desc limit $6`,
            values: [tenantId, from, to, before?.startedAt ?? null, before?.id ?? '', limit + 1],
          }),
        options,
      )
      const page = found.slice(0, limit)
      const last = firstOrNull(page.slice(-1), row => ({
        startedAt: time(row, 'destroyed_at'),
        id: parsed(row, 'recording_id', RecordingId),
      }))
      return {
        certificates: page.map(readCertificate),
        nextCursor: found.length > limit && last !== null ? encodeCursor(last) : null,
      }
    },
  }
}

function readCertificate(row: Row): CertificateRow {
  const jws = orNull(row, 'jws', text)
  const at = orNull(row, 'issued_at', time)
  return {
    id: parsed(row, 'id', CertificateId),
    recordingId: parsed(row, 'recording_id', RecordingId),
    dispositionId: parsed(row, 'disposition_id', DispositionId),
    eventId: parsed(row, 'event_id', EventId),
    claims: parsed(row, 'claims', DisposalClaims),
    lastCopyAt: time(row, 'last_copy_at'),
    issued: jws === null || at === null ? null : { jws, at },
  }
}
