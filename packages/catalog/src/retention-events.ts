// What rules count from beside the recording itself: events, of a patient or of one recording, and birth dates, sealed.
import type { AuditRecord } from '@auricle/audit'
import {
  PatientId,
  RecordingId,
  RetentionEventId,
  RetentionEventKind,
  type TenantId,
  UserId,
} from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { birthDatePlace, markStale } from './retention-facts.ts'
import { firstOrNull, orNull, parsed, parsedOrNull, type Row, time } from './row.ts'
import { sealColumn } from './sealed-column.ts'

/** Of a patient, or of one recording. */
export type RetentionSubject = { readonly patientId: PatientId } | { readonly recordingId: RecordingId }

export interface RetentionEventRow {
  readonly tenantId: TenantId
  readonly id: RetentionEventId
  readonly kind: RetentionEventKind
  readonly subject: RetentionSubject
  readonly at: Date
  readonly recordedAt: Date
  readonly recordedBy: UserId | null
  readonly withdrawnAt: Date | null
  readonly withdrawnBy: UserId | null
}

export interface RetentionEventCatalog {
  /** Throws `not_found` where patient or recording are not the tenant's. */
  addRetentionEvent(event: RetentionEventRow, record: AuditRecord, options?: QueryOptions): Promise<void>
  /** Newest first, those that were withdrawn too. */
  listRetentionEvents(
    tenantId: TenantId,
    subject: RetentionSubject,
    options?: QueryOptions,
  ): Promise<readonly RetentionEventRow[]>
  findRetentionEvent(
    tenantId: TenantId,
    id: RetentionEventId,
    options?: QueryOptions,
  ): Promise<RetentionEventRow | null>
  /** Null, and nothing written, where there is none or it was withdrawn before. */
  withdrawRetentionEvent(
    withdrawal: {
      readonly tenantId: TenantId
      readonly id: RetentionEventId
      readonly at: Date
      readonly by: UserId
    },
    record: AuditRecord,
    options?: QueryOptions,
  ): Promise<RetentionEventRow | null>
  /**
   * Null takes it back. How many recordings are decided anew by it; null, and nothing written, where the tenant has no
   * such patient.
   */
  setBirthDate(
    of: { readonly tenantId: TenantId; readonly patientId: PatientId; readonly birthDate: string | null },
    columns: ColumnKeys,
    record: AuditRecord,
    options?: QueryOptions,
  ): Promise<number | null>
}

export function createRetentionEvents(database: Database): RetentionEventCatalog {
  const rowsOf = (
    tenantId: TenantId,
    statement: Parameters<Session['rows']>[0],
    options: QueryOptions | undefined,
  ) => database.inTenant(tenantId, session => session.rows(statement), options)

  return {
    addRetentionEvent: (event, record, options) => {
      const { tenantId, id, kind, subject, at, recordedAt, recordedBy } = event
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.retention_event
                     (tenant_id, id, kind, patient_id, recording_id, at, recorded_at, recorded_by)
                   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
            values: [tenantId, id, kind, ...columnsOf(subject), at, recordedAt, recordedBy],
          })
          await markStale(session, tenantId, subject)
          await insertEvent(session, record)
        },
        options,
      )
    },

    async listRetentionEvents(tenantId, subject, options) {
      const [patientId, recordingId] = columnsOf(subject)
      const rows = await rowsOf(
        tenantId,
        {
          text: `select * from auricle.retention_event
                 where tenant_id = $1 and (patient_id = $2 or recording_id = $3) order by recorded_at desc, id desc`,
          values: [tenantId, patientId, recordingId],
        },
        options,
      )
      return rows.map(row => readEvent(row, tenantId))
    },

    async findRetentionEvent(tenantId, id, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: 'select * from auricle.retention_event where tenant_id = $1 and id = $2',
          values: [tenantId, id],
        },
        options,
      )
      return firstOrNull(rows, row => readEvent(row, tenantId))
    },

    withdrawRetentionEvent: ({ tenantId, id, at, by }, record, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const rows = await session.rows({
            text: `update auricle.retention_event set withdrawn_at = $3, withdrawn_by = $4
                   where tenant_id = $1 and id = $2 and withdrawn_at is null returning *`,
            values: [tenantId, id, at, by],
          })
          const event = firstOrNull(rows, row => readEvent(row, tenantId))
          if (event === null) return null
          await markStale(session, tenantId, event.subject)
          await insertEvent(session, record)
          return event
        },
        options,
      ),

    setBirthDate: ({ tenantId, patientId, birthDate }, columns, record, options) => {
      const place = birthDatePlace(tenantId, patientId)
      return database.inTenant(
        tenantId,
        async session => {
          const written = await session.write({
            text: 'update auricle.patient set birth_date = $3 where tenant_id = $1 and id = $2',
            values: [tenantId, patientId, birthDate === null ? null : sealColumn(columns, place, birthDate)],
          })
          if (written === 0) return null
          const recordings = await markStale(session, tenantId, { patientId })
          await insertEvent(session, record)
          return recordings
        },
        options,
      )
    },
  }
}

/** Patient and recording, one of them null. */
const columnsOf = (subject: RetentionSubject) =>
  'patientId' in subject ? [subject.patientId, null] : [null, subject.recordingId]

function readEvent(row: Row, tenantId: TenantId): RetentionEventRow {
  const patientId = parsedOrNull(row, 'patient_id', PatientId)
  return {
    tenantId,
    id: parsed(row, 'id', RetentionEventId),
    kind: parsed(row, 'kind', RetentionEventKind),
    subject: patientId === null ? { recordingId: parsed(row, 'recording_id', RecordingId) } : { patientId },
    at: time(row, 'at'),
    recordedAt: time(row, 'recorded_at'),
    recordedBy: parsedOrNull(row, 'recorded_by', UserId),
    withdrawnAt: orNull(row, 'withdrawn_at', time),
    withdrawnBy: parsedOrNull(row, 'withdrawn_by', UserId),
  }
}
