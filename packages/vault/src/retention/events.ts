// What happened that rules count from: recorded of a patient or of one recording, listed, withdrawn where it was wrong.
import type { Catalog, RetentionEventRow, RetentionSubject } from '@auricle/catalog'
import {
  type NewRetentionEvent,
  newRetentionEventId,
  type PatientId,
  type RecordingId,
  type RetentionEventId,
  type RetentionEventList,
  type RetentionEventQuery,
  type RetentionEventView,
  type TenantId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { noPatient, patientMade } from '../log-reading/disclosures.ts'
import { beginReading, patientNamed, type ReadingParts } from '../log-reading/reading.ts'
import { named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'

export interface RetentionEventParts extends ReadingParts {
  readonly catalog: ReadingParts['catalog'] &
    Pick<
      Catalog,
      | 'ensurePatient'
      | 'findRetentionFacts'
      | 'addRetentionEvent'
      | 'listRetentionEvents'
      | 'findRetentionEvent'
      | 'withdrawRetentionEvent'
    >
}

const noRecording = 'There is no such recording'
const objectOf = (id: RetentionEventId) => named('retention_event', id)

/** A patient whom the vault did not know becomes known. Throws `not_found`, and `malformed` for what is still to come. */
export async function recordRetentionEvent(
  parts: RetentionEventParts,
  facts: RequestFacts,
  { kind, patient, recording, at }: NewRetentionEvent,
  options: CallOptions,
): Promise<RetentionEventView> {
  const { tenantId, userId } = facts.actor
  const asked = { action: 'retention.manage', log: 'retention.event_recorded', object: null } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  if (Date.parse(at) > now.getTime()) throw new VaultError('malformed', 'at is not in the future')
  const subject: RetentionSubject =
    recording !== null
      ? { recordingId: recording }
      : { patientId: await patientMade(parts, tenantId, secrets, patient ?? '', options) }
  const patients = await patientsOf(parts, { tenantId, secrets, subject }, options)
  const row: RetentionEventRow = {
    ...{ tenantId, id: newRetentionEventId(), kind, subject, at: new Date(at) },
    ...{ recordedAt: now, recordedBy: userId, withdrawnAt: null, withdrawnBy: null },
  }
  await parts.catalog.addRetentionEvent(row, await record(objectOf(row.id), [kind], { patients }), options)
  return viewOf(row)
}

/** Of one patient or one recording, newest first, those that were withdrawn too. */
export async function listRetentionEvents(
  parts: RetentionEventParts,
  facts: RequestFacts,
  query: RetentionEventQuery,
  options: CallOptions,
): Promise<RetentionEventList> {
  const wanted = { action: 'retention.read', log: 'retention.listed', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { tenantId, secrets } = reading
  const subject = await subjectOf(parts, { tenantId, secrets, query }, options)
  if (subject === null) return reading.miss(noPatient)
  const rows = await parts.catalog.listRetentionEvents(tenantId, subject, options)
  await reading.note({
    ...('patientId' in subject ? { patients: [subject.patientId] } : {}),
    detail: { kind: 'found', count: rows.length },
  })
  return { events: rows.map(viewOf) }
}

/** Throws `not_found`, `conflict`. */
export async function withdrawRetentionEvent(
  parts: RetentionEventParts,
  facts: RequestFacts,
  id: RetentionEventId,
  options: CallOptions,
): Promise<RetentionEventView> {
  const { tenantId, userId } = facts.actor
  const object = objectOf(id)
  const asked = { action: 'retention.manage', log: 'retention.event_withdrawn', object } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  const found = await parts.catalog.findRetentionEvent(tenantId, id, options)
  if (found === null) throw new VaultError('not_found', 'There is no such event')
  const { subject } = found
  const patients = await patientsOf(parts, { tenantId, secrets, subject }, options)
  const event = await record(object, [found.kind], { patients })
  const withdrawal = { tenantId, id, at: now, by: userId }
  const row = await parts.catalog.withdrawRetentionEvent(withdrawal, event, options)
  if (row === null) throw new VaultError('conflict', 'The event was withdrawn before')
  return viewOf(row)
}

interface Of<Subject> {
  readonly tenantId: TenantId
  readonly secrets: TenantSecrets
  readonly subject: Subject
}

/** Whom it is about, where that is known. Throws `not_found` for a recording that is not there. */
async function patientsOf(
  { catalog }: RetentionEventParts,
  { tenantId, secrets, subject }: Of<RetentionSubject>,
  options: CallOptions,
): Promise<readonly PatientId[]> {
  if ('patientId' in subject) return [subject.patientId]
  const [found] = await catalog.findRetentionFacts(tenantId, [subject.recordingId], secrets.columns, options)
  if (found === undefined) throw new VaultError('not_found', noRecording)
  return found.patientId === null ? [] : [found.patientId]
}

/** Null where there is no such patient. */
async function subjectOf(
  parts: RetentionEventParts,
  of: Omit<Of<never>, 'subject'> & {
    readonly query: { patient?: string | undefined; recording?: RecordingId | undefined }
  },
  options: CallOptions,
): Promise<RetentionSubject | null> {
  const { patient, recording } = of.query
  if (recording !== undefined) return { recordingId: recording }
  const patientId = await patientNamed(parts, of, patient ?? '', options)
  return patientId === null ? null : { patientId }
}

function viewOf(row: RetentionEventRow): RetentionEventView {
  const { id, kind, subject, at, recordedAt, recordedBy, withdrawnAt, withdrawnBy } = row
  return {
    ...{ id, kind },
    patient: 'patientId' in subject ? subject.patientId : null,
    recording: 'recordingId' in subject ? subject.recordingId : null,
    ...{ at: at.toISOString(), recordedAt: recordedAt.toISOString(), recordedBy },
    ...{ withdrawnAt: withdrawnAt?.toISOString() ?? null, withdrawnBy },
  }
}
