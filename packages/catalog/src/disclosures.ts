// Disclosures and what an agency has asked to leave out of their accounting; what says who and why is sealed.
import type { AuditRecord } from '@auricle/audit'
import {
  DisclosureId,
  DisclosurePurpose,
  PatientId,
  RecipientKind,
  RecordingId,
  SuspendedKind,
  SuspensionId,
  TenantId,
  UserId,
} from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import { insertEvent } from './events.ts'
import { bytes, flag, orNull, parsed, parsedOrNull, type Row, time } from './row.ts'
import { openColumn, sealColumn } from './sealed-column.ts'

export interface DisclosureRow {
  readonly tenantId: TenantId
  readonly id: DisclosureId
  readonly patientId: PatientId
  readonly recordingId: RecordingId | null
  readonly disclosedAt: Date
  readonly purpose: DisclosurePurpose
  readonly recipientKind: RecipientKind
  readonly accountable: boolean
  readonly recipientName: string
  readonly recipientAddress: string | null
  readonly what: string
  readonly why: string
  readonly recordedBy: UserId | null
  readonly recordedAt: Date
}

export interface SuspensionRow {
  readonly tenantId: TenantId
  readonly id: SuspensionId
  readonly patientId: PatientId
  readonly recipientKind: SuspendedKind
  readonly form: 'written' | 'oral'
  readonly agency: string
  readonly statement: string
  readonly from: Date
  /** Exclusive. */
  readonly until: Date
  readonly recordedBy: UserId | null
  readonly recordedAt: Date
  readonly endedAt: Date | null
}

export interface DisclosureCatalog {
  /** Throws `not_found` where patient or recording are not the tenant's. */
  addDisclosure(
    disclosure: DisclosureRow,
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** All of a patient, newest disclosure first. */
  listDisclosures(
    tenantId: TenantId,
    page: {
      readonly patientId: PatientId
      readonly before: Pick<DisclosureRow, 'disclosedAt' | 'id'> | null
      readonly limit: number
    },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly DisclosureRow[]>
  /**
   * What the patient is told at `now`, oldest first: accountable, made from `from` (inclusive) to `to` (exclusive), and
   * not to somebody whom a suspension that holds at `now` is about.
   */
  accountDisclosures(
    tenantId: TenantId,
    query: {
      readonly patientId: PatientId
      readonly from: Date
      readonly to: Date
      readonly now: Date
    },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly DisclosureRow[]>
  /** Throws `not_found` where the patient is not the tenant's. */
  addSuspension(
    suspension: SuspensionRow,
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** Newest first. */
  listSuspensions(
    tenantId: TenantId,
    patientId: PatientId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<readonly SuspensionRow[]>
  findSuspension(
    tenantId: TenantId,
    id: SuspensionId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<SuspensionRow | null>
  /** False, and nothing written, where it is over. */
  endSuspension(
    end: { readonly tenantId: TenantId; readonly id: SuspensionId; readonly at: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

export function createDisclosures(database: Database): DisclosureCatalog {
  return {
    addDisclosure: (disclosure, columns, event, options) => {
      const { tenantId, id } = disclosure
      const seal = (column: string, value: string) =>
        sealColumn(columns, { tenantId, table: 'disclosure', column, rowId: id }, value)
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.disclosure (tenant_id, id, patient_id, recording_id, disclosed_at, purpose,
                     recipient_kind, accountable, recipient_name, recipient_address, what, why, recorded_by, recorded_at)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
            values: [
              ...[tenantId, id, disclosure.patientId, disclosure.recordingId, disclosure.disclosedAt],
              ...[disclosure.purpose, disclosure.recipientKind, disclosure.accountable],
              seal('recipient_name', disclosure.recipientName),
              disclosure.recipientAddress === null
                ? null
                : seal('recipient_address', disclosure.recipientAddress),
              ...[seal('what', disclosure.what), seal('why', disclosure.why)],
              ...[disclosure.recordedBy, disclosure.recordedAt],
            ],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },

    async listDisclosures(tenantId, { patientId, before, limit }, columns, options) {
      const position = before === null ? '' : 'and (disclosed_at, id) < ($4, $5)'
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select * from auricle.disclosure where tenant_id = $1 and patient_id = $2 ${position}
                   order by disclosed_at desc, id desc limit $3`,
            values: [tenantId, patientId, limit, ...(before === null ? [] : [before.disclosedAt, before.id])],
          }),
        options,
      )
      return found.map(row => readDisclosure(row, columns))
    },

    async accountDisclosures(tenantId, { patientId, from, to, now }, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select d.* from auricle.disclosure d
                   where d.tenant_id = $1 and d.patient_id = $2 and d.accountable
                     and d.disclosed_at >= $3 and d.disclosed_at < $4
                     and not exists (
                       select from auricle.disclosure_suspension s
                       where s.tenant_id = $1 and s.patient_id = d.patient_id
                         and s.recipient_kind = d.recipient_kind
                         and s.from_at <= $5 and s.until_at > $5 and (s.ended_at is null or s.ended_at > $5)
                     )
                   order by d.disclosed_at, d.id`,
            values: [tenantId, patientId, from, to, now],
          }),
        options,
      )
      return found.map(row => readDisclosure(row, columns))
    },

    addSuspension: (suspension, columns, event, options) => {
      const { tenantId, id } = suspension
      const seal = (column: string, value: string) =>
        sealColumn(columns, { tenantId, table: 'disclosure_suspension', column, rowId: id }, value)
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.disclosure_suspension (tenant_id, id, patient_id, recipient_kind, form, agency,
                     statement, from_at, until_at, recorded_by, recorded_at)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
            values: [
              ...[tenantId, id, suspension.patientId, suspension.recipientKind, suspension.form],
              ...[seal('agency', suspension.agency), seal('statement', suspension.statement)],
              ...[suspension.from, suspension.until, suspension.recordedBy, suspension.recordedAt],
            ],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },

    async listSuspensions(tenantId, patientId, columns, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select * from auricle.disclosure_suspension where tenant_id = $1 and patient_id = $2
                   order by recorded_at desc, id desc`,
            values: [tenantId, patientId],
          }),
        options,
      )
      return found.map(row => readSuspension(row, columns))
    },

    async findSuspension(tenantId, id, columns, options) {
      const [found] = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: 'select * from auricle.disclosure_suspension where tenant_id = $1 and id = $2',
            values: [tenantId, id],
          }),
        options,
      )
      return found === undefined ? null : readSuspension(found, columns)
    },

    endSuspension: ({ tenantId, id, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const ended = await session.write({
            text: `update auricle.disclosure_suspension set ended_at = $3
                   where tenant_id = $1 and id = $2 and ended_at is null and until_at > $3`,
            values: [tenantId, id, at],
          })
          if (ended === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },
  }
}

function readDisclosure(row: Row, columns: ColumnKeys): DisclosureRow {
  const tenantId = parsed(row, 'tenant_id', TenantId)
  const id = parsed(row, 'id', DisclosureId)
  const open = (of: Row, column: string) =>
    openColumn(columns, { tenantId, table: 'disclosure', column, rowId: id }, bytes(of, column))
  return {
    tenantId,
    id,
    patientId: parsed(row, 'patient_id', PatientId),
    recordingId: parsedOrNull(row, 'recording_id', RecordingId),
    disclosedAt: time(row, 'disclosed_at'),
    purpose: parsed(row, 'purpose', DisclosurePurpose),
    recipientKind: parsed(row, 'recipient_kind', RecipientKind),
    accountable: flag(row, 'accountable'),
    recipientName: open(row, 'recipient_name'),
    recipientAddress: orNull(row, 'recipient_address', open),
    what: open(row, 'what'),
    why: open(row, 'why'),
    recordedBy: parsedOrNull(row, 'recorded_by', UserId),
    recordedAt: time(row, 'recorded_at'),
  }
}

const Form = z.enum(['written', 'oral'])

function readSuspension(row: Row, columns: ColumnKeys): SuspensionRow {
  const tenantId = parsed(row, 'tenant_id', TenantId)
  const id = parsed(row, 'id', SuspensionId)
  const open = (column: string) =>
    openColumn(columns, { tenantId, table: 'disclosure_suspension', column, rowId: id }, bytes(row, column))
  return {
    tenantId,
    id,
    patientId: parsed(row, 'patient_id', PatientId),
    recipientKind: parsed(row, 'recipient_kind', SuspendedKind),
    form: parsed(row, 'form', Form),
    agency: open('agency'),
    statement: open('statement'),
    from: time(row, 'from_at'),
    until: time(row, 'until_at'),
    recordedBy: parsedOrNull(row, 'recorded_by', UserId),
    recordedAt: time(row, 'recorded_at'),
    endedAt: orNull(row, 'ended_at', time),
  }
}
