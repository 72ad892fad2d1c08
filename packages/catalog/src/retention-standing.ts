// How one recording stands: what was decided of it, the holds on it, what stores keep of it, and how far its end has come.
//
// Also of a recording that is destroyed: what is left of it says why, and names its certificate.
import {
  CertificateId,
  DispositionId,
  HoldId,
  MailboxId,
  ObjectRole,
  PatientId,
  type RecordingId,
  type TenantId,
} from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { holdPlace } from './hold-row.ts'
import { Labels } from './recording-row.ts'
import { type DecisionRow, decisionColumns, readDecision } from './retention-decisions.ts'
import { type RetentionFactsRow, readRetentionFacts } from './retention-facts.ts'
import { bytes, firstOrNull, flag, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { openColumn } from './sealed-column.ts'

export interface StandingHold {
  readonly holdId: HoldId
  readonly matter: string
  readonly coveredAt: Date
}

/** What a store was last known to keep an object by. */
export interface StandingObject {
  readonly role: ObjectRole
  readonly until: Date | null
  readonly held: boolean
  /** In the recovery store; null while no copy is known to be there. */
  readonly copy: { readonly until: Date | null; readonly held: boolean } | null
  readonly destroyedAt: Date | null
}

export interface StandingDisposition {
  readonly id: DispositionId
  readonly state: string
  readonly itemState: string
  /** A stable word. */
  readonly reason: string | null
  readonly readyAt: Date | null
}

export interface RetentionStanding {
  readonly recording: {
    readonly mailboxId: MailboxId | null
    readonly labels: DecidedLabels
    readonly patientId: PatientId | null
    readonly destroyingAt: Date | null
    readonly destroyedAt: Date | null
  }
  /** Null of what is destroyed. */
  readonly facts: RetentionFactsRow | null
  /** The one that holds, then those before it, newest first; `decisionsMost` at most. */
  readonly decisions: readonly DecisionRow[]
  readonly holds: readonly StandingHold[]
  readonly objects: readonly StandingObject[]
  /** The newest that it was in. */
  readonly disposition: StandingDisposition | null
  readonly certificate: {
    readonly id: CertificateId
    readonly issuedAt: Date | null
    readonly lastCopyAt: Date
  } | null
}

type DecidedLabels = RetentionFactsRow['labels']

export interface RetentionStandingCatalog {
  /** Null where the tenant has no such recording. */
  findRetentionStanding(
    tenantId: TenantId,
    recordingId: RecordingId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<RetentionStanding | null>
}

const decisionsMost = 50

export function createRetentionStanding(database: Database): RetentionStandingCatalog {
  return {
    findRetentionStanding: (tenantId, recordingId, columns, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const recording = await readRecording(session, tenantId, recordingId)
          if (recording === null) return null
          const [facts = null] = await readRetentionFacts(session, tenantId, [recordingId], columns)
          return {
            recording,
            facts,
            decisions: await readDecisions(session, tenantId, recordingId),
            holds: await readHolds(session, tenantId, recordingId, columns),
            objects: await readObjects(session, tenantId, recordingId),
            disposition: await readDisposition(session, tenantId, recordingId),
            certificate: await readCertificate(session, tenantId, recordingId),
          }
        },
        options,
      ),
  }
}

type Of = readonly [session: Session, tenantId: TenantId, recordingId: RecordingId]

const rowsOf = (...[session, tenantId, recordingId, text]: [...Of, string]) =>
  session.rows({ text, values: [tenantId, recordingId] })

async function readRecording(...of: Of): Promise<RetentionStanding['recording'] | null> {
  const text = `select mailbox_id, labels, patient_id, destroying_at, destroyed_at from auricle.recording
                where tenant_id = $1 and id = $2`
  return firstOrNull(await rowsOf(...of, text), row => {
    return {
      mailboxId: parsedOrNull(row, 'mailbox_id', MailboxId),
      labels: parsed(row, 'labels', Labels),
      patientId: parsedOrNull(row, 'patient_id', PatientId),
      destroyingAt: orNull(row, 'destroying_at', time),
      destroyedAt: orNull(row, 'destroyed_at', time),
    }
  })
}

async function readDecisions(...of: Of): Promise<readonly DecisionRow[]> {
  const text = `select ${decisionColumns} from auricle.retention_decision d
                where d.tenant_id = $1 and d.recording_id = $2 order by d.decided_at desc limit ${decisionsMost}`
  return (await rowsOf(...of, text)).map(readDecision)
}

async function readHolds(...[session, tenantId, recordingId, columns]: [...Of, ColumnKeys]) {
  const text = `select h.id, h.matter, c.covered_at from auricle.hold_cover c
                join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id
                where c.tenant_id = $1 and c.recording_id = $2 and c.released_at is null order by c.covered_at, h.id`
  return (await rowsOf(session, tenantId, recordingId, text)).map(row => {
    const holdId = parsed(row, 'id', HoldId)
    const matter = openColumn(columns, holdPlace(tenantId, 'matter', holdId), bytes(row, 'matter'))
    return { holdId, matter, coveredAt: time(row, 'covered_at') }
  })
}

async function readObjects(...of: Of): Promise<readonly StandingObject[]> {
  const text = `select role, store_until, store_held, recovery_generation, recovery_until, recovery_held, destroyed_at
                from auricle.recording_object where tenant_id = $1 and recording_id = $2 order by role`
  return (await rowsOf(...of, text)).map(row => {
    return {
      role: parsed(row, 'role', ObjectRole),
      until: orNull(row, 'store_until', time),
      held: flag(row, 'store_held'),
      copy: row['recovery_generation'] === null ? null : readCopy(row),
      destroyedAt: orNull(row, 'destroyed_at', time),
    }
  })
}

function readCopy(row: Row) {
  return { until: orNull(row, 'recovery_until', time), held: flag(row, 'recovery_held') }
}

async function readDisposition(...of: Of): Promise<StandingDisposition | null> {
  const newest = `select d.id, d.state, i.state as item_state, i.reason, d.ready_at from auricle.disposition_item i
                  join auricle.disposition d on d.tenant_id = i.tenant_id and d.id = i.disposition_id
                  where i.tenant_id = $1 and i.recording_id = $2 order by d.proposed_at desc, d.id desc limit 1`
  return firstOrNull(await rowsOf(...of, newest), row => {
    return {
      id: parsed(row, 'id', DispositionId),
      state: text(row, 'state'),
      itemState: text(row, 'item_state'),
      reason: orNull(row, 'reason', text),
      readyAt: orNull(row, 'ready_at', time),
    }
  })
}

async function readCertificate(...of: Of): Promise<RetentionStanding['certificate']> {
  const sql = `select id, issued_at, last_copy_at from auricle.certificate
               where tenant_id = $1 and recording_id = $2`
  return firstOrNull(await rowsOf(...of, sql), row => {
    return {
      id: parsed(row, 'id', CertificateId),
      issuedAt: orNull(row, 'issued_at', time),
      lastCopyAt: time(row, 'last_copy_at'),
    }
  })
}
