// A hold and its clauses as the tables have them: what names a matter, a number or a patient is sealed or an index.
import {
  HoldId,
  type Label,
  type MailboxId,
  type PatientId,
  RecordingId,
  type RecordingKind,
  type TenantId,
  UserId,
} from '@auricle/contract'
import { z } from 'zod'
import { indexNumber } from './blind-index.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Statement } from './database.ts'
import { bytes, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { openColumn, sealColumn } from './sealed-column.ts'

/** What a clause asks for; null says nothing. */
export interface HoldCriteria {
  readonly mailboxId: MailboxId | null
  readonly patientId: PatientId | null
  /** Of either party, with at least one digit. */
  readonly number: string | null
  readonly kind: RecordingKind | null
  readonly label: Label | null
  /** Start of the recording, inclusive. */
  readonly after: Date | null
  /** Exclusive. */
  readonly before: Date | null
}

export interface NewHoldClause extends HoldCriteria {
  /** The clause as it was written; sealed. */
  readonly shown: string
}

export interface HoldRow {
  readonly id: HoldId
  readonly matter: string
  readonly placedAt: Date
  readonly placedBy: UserId | null
  readonly release: { readonly at: Date; readonly by: UserId | null; readonly reason: string } | null
  /** Covered now; of a released hold, until then. */
  readonly recordings: number
  readonly clauses: number
  readonly custodians: number
  readonly acknowledged: number
}

export const HoldStepName = z.enum([
  'placed',
  'clauses_added',
  'recordings_added',
  'custodians_added',
  'acknowledged',
  'recordings_released',
  'released',
])

export interface HoldStepRow {
  readonly at: Date
  readonly what: z.infer<typeof HoldStepName>
  readonly by: UserId | null
  readonly count: number
}

export interface HoldDetailRow extends HoldRow {
  readonly notice: string | null
  readonly scope: readonly {
    readonly number: number
    readonly shown: string
    readonly addedAt: Date
    readonly addedBy: UserId | null
  }[]
  readonly people: readonly {
    readonly id: UserId
    readonly name: string
    readonly addedAt: Date
    readonly acknowledgedAt: Date | null
  }[]
  /** Oldest first. */
  readonly trail: readonly HoldStepRow[]
}

const HeldState = z.enum(['kept', 'destroying', 'destroyed'])

export interface HeldRow {
  readonly id: RecordingId
  readonly coveredAt: Date
  readonly coveredBy: UserId | null
  readonly releasedAt: Date | null
  readonly state: z.infer<typeof HeldState>
}

export type SealedHoldColumn = 'matter' | 'notice' | 'release_reason'

export const holdPlace = (tenantId: TenantId, column: SealedHoldColumn, id: HoldId) => {
  return { tenantId, table: 'legal_hold', column, rowId: id }
}

const clausePlace = (tenantId: TenantId, id: HoldId, number: number) => {
  return { tenantId, table: 'hold_clause', column: 'shown', rowId: `${id}/${number}` }
}

/** The columns that `clause_covers` looks at. */
export function criteriaColumns(clause: HoldCriteria, columns: ColumnKeys) {
  const from = indexNumber(columns, 'recording.from_number', clause.number)
  // It would cover everything else that the clause asks for.
  if (clause.number !== null && from === null) throw new RangeError('A number of a clause has no digits')
  return {
    mailbox_id: clause.mailboxId,
    patient_id: clause.patientId,
    from_index: from,
    to_index: indexNumber(columns, 'recording.to_number', clause.number),
    kind: clause.kind,
    label: clause.label,
    after_at: clause.after,
    before_at: clause.before,
  }
}

export function insertClause(
  { tenantId, id, by, at }: { tenantId: TenantId; id: HoldId; by: UserId; at: Date },
  number: number,
  clause: NewHoldClause,
  columns: ColumnKeys,
): Statement {
  const row = {
    ...{ tenant_id: tenantId, hold_id: id, number },
    ...criteriaColumns(clause, columns),
    shown: sealColumn(columns, clausePlace(tenantId, id, number), clause.shown),
    ...{ added_at: at, added_by: by },
  }
  const places = Object.keys(row).map((_, index) => `$${index + 1}`)
  return {
    text: `insert into auricle.hold_clause (${Object.keys(row).join(', ')}) values (${places.join(', ')})`,
    values: Object.values(row),
  }
}

/** What a query of holds selects, from `legal_hold h`. */
export const holdColumns = `h.*,
  (select count(*) from auricle.hold_cover c where c.tenant_id = h.tenant_id and c.hold_id = h.id
    and (h.released_at is null and c.released_at is null
      or h.released_at is not null and c.released_at = h.released_at and c.released_by is null)) as recordings,
  (select count(*) from auricle.hold_clause l where l.tenant_id = h.tenant_id and l.hold_id = h.id) as clauses,
  (select count(*) from auricle.hold_custodian p where p.tenant_id = h.tenant_id and p.hold_id = h.id) as custodians,
  (select count(p.acknowledged_at) from auricle.hold_custodian p
    where p.tenant_id = h.tenant_id and p.hold_id = h.id) as acknowledged`

export function openHoldColumn(
  row: Row,
  column: SealedHoldColumn,
  tenantId: TenantId,
  columns: ColumnKeys,
): string | null {
  const sealed = orNull(row, column, bytes)
  return sealed === null
    ? null
    : openColumn(columns, holdPlace(tenantId, column, parsed(row, 'id', HoldId)), sealed)
}

export function readHold(row: Row, tenantId: TenantId, columns: ColumnKeys): HoldRow {
  const releasedAt = orNull(row, 'released_at', time)
  const reason = openHoldColumn(row, 'release_reason', tenantId, columns)
  return {
    id: parsed(row, 'id', HoldId),
    matter: openHoldColumn(row, 'matter', tenantId, columns) ?? '',
    placedAt: time(row, 'placed_at'),
    placedBy: parsedOrNull(row, 'placed_by', UserId),
    release:
      releasedAt === null || reason === null
        ? null
        : { at: releasedAt, by: parsedOrNull(row, 'released_by', UserId), reason },
    recordings: integer(row, 'recordings'),
    clauses: integer(row, 'clauses'),
    custodians: integer(row, 'custodians'),
    acknowledged: integer(row, 'acknowledged'),
  }
}

export function readClause(row: Row, tenantId: TenantId, columns: ColumnKeys) {
  const number = integer(row, 'number')
  const place = clausePlace(tenantId, parsed(row, 'hold_id', HoldId), number)
  return {
    number,
    shown: openColumn(columns, place, bytes(row, 'shown')),
    addedAt: time(row, 'added_at'),
    addedBy: parsedOrNull(row, 'added_by', UserId),
  }
}

export function readStep(row: Row): HoldStepRow {
  return {
    at: time(row, 'at'),
    what: parsed(row, 'what', HoldStepName),
    by: parsedOrNull(row, 'by', UserId),
    count: integer(row, 'count'),
  }
}

export function readCustodian(row: Row) {
  return {
    id: parsed(row, 'user_id', UserId),
    name: text(row, 'name'),
    addedAt: time(row, 'added_at'),
    acknowledgedAt: orNull(row, 'acknowledged_at', time),
  }
}

export function readHeld(row: Row): HeldRow {
  return {
    id: parsed(row, 'recording_id', RecordingId),
    coveredAt: time(row, 'covered_at'),
    coveredBy: parsedOrNull(row, 'covered_by', UserId),
    releasedAt: orNull(row, 'released_at', time),
    state: parsed(row, 'state', HeldState),
  }
}
