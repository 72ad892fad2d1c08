// What rules are decided by of a recording that is about to be archived: facts of its mailbox and of its patient.
import {
  type MailboxId,
  type PatientId,
  RecordSet,
  RetentionEventKind,
  type TenantId,
} from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database } from './database.ts'
import { birthDatePlace } from './retention-facts.ts'
import { bytes, orNull, parsed, time } from './row.ts'
import { openColumn } from './sealed-column.ts'

export interface FirstFacts {
  readonly recordSet: RecordSet
  /** A calendar date, of the patient. */
  readonly birthDate: string | null
  /** Of the patient, without those that were withdrawn. */
  readonly events: readonly { readonly kind: RetentionEventKind; readonly at: Date }[]
}

export interface FirstFactsCatalog {
  /** Of one moment; they may be others when the recording commits, so it is decided again then. */
  findFirstFacts(
    tenantId: TenantId,
    of: { readonly mailboxId: MailboxId | null; readonly patientId: PatientId | null },
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<FirstFacts>
}

export function createFirstFacts(database: Database): FirstFactsCatalog {
  return {
    findFirstFacts: (tenantId, { mailboxId, patientId }, columns, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const [row] = await session.rows({
            text: `select
                     coalesce((
                       select decision from auricle.record_set_decision
                       where tenant_id = $1 and mailbox_id = $2 and superseded_at is null
                     ), 'undecided') as record_set,
                     (select birth_date from auricle.patient where tenant_id = $1 and id = $3) as birth_date`,
            values: [tenantId, mailboxId, patientId],
          })
          const events = await session.rows({
            text: `select kind, at from auricle.retention_event
                   where tenant_id = $1 and patient_id = $2 and withdrawn_at is null order by at, id`,
            values: [tenantId, patientId],
          })
          const sealed = row === undefined ? null : orNull(row, 'birth_date', bytes)
          return {
            recordSet: row === undefined ? 'undecided' : parsed(row, 'record_set', RecordSet),
            birthDate:
              patientId === null || sealed === null
                ? null
                : openColumn(columns, birthDatePlace(tenantId, patientId), sealed),
            events: events.map(event => {
              return { kind: parsed(event, 'kind', RetentionEventKind), at: time(event, 'at') }
            }),
          }
        },
        options,
      ),
  }
}
