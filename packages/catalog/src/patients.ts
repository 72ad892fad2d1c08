// Patients under random names: which name stands for which reference, and which recordings still lack one.
import { newPatientId, PatientId, RecordingId, type TenantId } from '@auricle/contract'
import { indexReference } from './blind-index.ts'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { CatalogError } from './error.ts'
import { lockDecisions, recordingChanged } from './recording-change.ts'
import { bytes, firstOrNull, parsed } from './row.ts'
import { openColumn, sealColumn } from './sealed-column.ts'

export interface PatientCatalog {
  /**
   * The name of the patient with this reference; made where there is none, once however many ask at the same time. Null
   * for a reference that is blank.
   */
  ensurePatient(
    tenantId: TenantId,
    reference: string,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<PatientId | null>
  findPatient(
    tenantId: TenantId,
    reference: string,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<PatientId | null>
  /** The reference that a name stands for; null where the tenant has no such patient. */
  findPatientReference(
    tenantId: TenantId,
    id: PatientId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<string | null>
  /** Recordings that have a reference and whose patient has no name yet, by id; only those after `afterId`. */
  listUnnamedRecordings(
    tenantId: TenantId,
    afterId: RecordingId | null,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly RecordingId[]>
  /** Gives the patients of these recordings their names. A reference that does not open is counted and left. */
  nameRecordings(
    tenantId: TenantId,
    ids: readonly RecordingId[],
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<{ readonly named: number; readonly damaged: number }>
}

export function createPatients(database: Database, now: () => Date): PatientCatalog {
  return {
    ensurePatient: (tenantId, reference, columns, options) =>
      database.inTenant(tenantId, session => ensure(session, tenantId, reference, columns, now()), options),

    async findPatient(tenantId, reference, columns, options) {
      const index = indexReference(columns, reference)
      if (index === null) return null
      return database.inTenant(tenantId, session => find(session, tenantId, index), options)
    },

    async findPatientReference(tenantId, id, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: 'select reference from auricle.patient where tenant_id = $1 and id = $2',
            values: [tenantId, id],
          }),
        options,
      )
      return firstOrNull(found, row => openColumn(columns, placeOf(tenantId, id), bytes(row, 'reference')))
    },

    async listUnnamedRecordings(tenantId, afterId, limit, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select id from auricle.recording
                   where tenant_id = $1 and id > $2 and patient_id is null and patient_reference is not null
                     and destroying_at is null
                   order by id limit $3`,
            values: [tenantId, afterId ?? '', limit],
          }),
        options,
      )
      return found.map(row => parsed(row, 'id', RecordingId))
    },

    nameRecordings: (tenantId, ids, columns, options) =>
      database.inTenant(
        tenantId,
        async session => {
          await lockDecisions(session, tenantId)
          const found = await session.rows({
            text: `select id, patient_reference from auricle.recording
                   where tenant_id = $1 and id = any($2) and patient_id is null and patient_reference is not null
                     and destroying_at is null
                   order by id for no key update`,
            values: [tenantId, ids],
          })
          let [named, damaged] = [0, 0]
          for (const row of found) {
            const recordingId = parsed(row, 'id', RecordingId)
            const reference = openOrNull(columns, tenantId, recordingId, bytes(row, 'patient_reference'))
            if (reference === null) damaged++
            const patientId =
              reference === null ? null : await ensure(session, tenantId, reference, columns, now())
            if (patientId === null) continue
            named += await session.write({
              text: 'update auricle.recording set patient_id = $3 where tenant_id = $1 and id = $2',
              values: [tenantId, recordingId, patientId],
            })
            await recordingChanged(session, tenantId, recordingId, now())
          }
          return { named, damaged }
        },
        options,
      ),
  }
}

async function ensure(
  session: Session,
  tenantId: TenantId,
  reference: string,
  columns: ColumnKeys,
  createdAt: Date,
): Promise<PatientId | null> {
  const index = indexReference(columns, reference)
  if (index === null) return null
  const known = await find(session, tenantId, index)
  if (known !== null) return known
  const id = newPatientId()
  const made = await session.write({
    text: `insert into auricle.patient (tenant_id, id, reference_index, reference, created_at)
           values ($1, $2, $3, $4, $5) on conflict (tenant_id, reference_index) do nothing`,
    values: [tenantId, id, index, sealColumn(columns, placeOf(tenantId, id), reference), createdAt],
  })
  // Another was quicker, and has committed: the insert waited for that.
  return made === 1 ? id : await find(session, tenantId, index)
}

async function find(session: Session, tenantId: TenantId, index: Uint8Array): Promise<PatientId | null> {
  const found = await session.rows({
    name: 'find_patient',
    text: 'select id from auricle.patient where tenant_id = $1 and reference_index = $2',
    values: [tenantId, index],
  })
  return firstOrNull(found, row => parsed(row, 'id', PatientId))
}

function openOrNull(
  columns: ColumnKeys,
  tenantId: TenantId,
  recordingId: RecordingId,
  sealed: Uint8Array,
): string | null {
  const place = { tenantId, table: 'recording', column: 'patient_reference', rowId: recordingId }
  try {
    return openColumn(columns, place, sealed)
  } catch (error) {
    if (error instanceof CatalogError && error.code === 'damaged') return null
    throw error
  }
}

function placeOf(tenantId: TenantId, id: PatientId) {
  return { tenantId, table: 'patient', column: 'reference', rowId: id }
}
