// Recording what was disclosed to somebody outside, and listing it: row and event in one transaction.
import { isAccountable, newPrivatePart } from '@auricle/audit'
import type { Catalog, DisclosureRow } from '@auricle/catalog'
import {
  DisclosureId,
  type DisclosurePage,
  type DisclosureQuery,
  type DisclosureView,
  type NewDisclosure,
  newDisclosureId,
  PatientId,
  type TenantId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { beginReading, patientNamed, type ReadingParts } from './reading.ts'

export interface DisclosureParts extends ReadingParts {
  readonly catalog: ReadingParts['catalog'] &
    Pick<
      Catalog,
      | 'ensurePatient'
      | 'findRecording'
      | 'addDisclosure'
      | 'listDisclosures'
      | 'accountDisclosures'
      | 'addSuspension'
      | 'listSuspensions'
      | 'findSuspension'
      | 'endSuspension'
    >
}

/** A patient whom the vault did not know becomes known. Throws `malformed` for a recording of somebody else. */
export async function recordDisclosure(
  parts: DisclosureParts,
  facts: RequestFacts,
  asked: NewDisclosure,
  options: CallOptions,
): Promise<DisclosureView> {
  const wanted = { action: 'disclosure.record', log: 'disclosure.recorded', object: null } as const
  const { now, secrets, decision } = await authorize(parts, facts, wanted, options)
  const { actor, ip, userAgent, request } = facts
  const { tenantId } = actor
  if (Date.parse(asked.disclosedAt) > now.getTime())
    throw new VaultError('malformed', 'disclosedAt is not in the future')
  const patientId = await patientMade(parts, tenantId, secrets, asked.patient, options)
  await checkRecording(parts, { tenantId, secrets, patientId, recording: asked.recording }, options)
  const { purpose, recipient, what, why } = asked
  const row: DisclosureRow = {
    ...{ tenantId, id: newDisclosureId(), patientId, recordingId: asked.recording },
    ...{ disclosedAt: new Date(asked.disclosedAt), purpose, recipientKind: recipient.kind },
    accountable: isAccountable({ purpose, recipientKind: recipient.kind }),
    ...{ recipientName: recipient.name, recipientAddress: recipient.address, what, why },
    ...{ recordedBy: actor.userId, recordedAt: now },
  }
  // All that an accounting says of it is committed to by the log, which no row can be made to contradict unseen.
  const part = newPrivatePart({
    ...{ ip, userAgent, query: JSON.stringify({ disclosedAt: row.disclosedAt.toISOString() }) },
    ...{ recipientName: recipient.name, recipientAddress: recipient.address, what, reason: why },
  })
  const event = await auditRecord(
    {
      ...{ tenantId, action: 'disclosure.recorded', outcome: 'allowed', actor, request },
      object: { type: 'disclosure', id: row.id, version: null },
      reasons: [purpose, ...decision.reasons],
      patients: [patientId],
      detail: { kind: 'disclosed', accountable: row.accountable, recipientKind: row.recipientKind },
    },
    { part, key: secrets.privateParts },
    now,
  )
  await parts.catalog.addDisclosure(row, secrets.columns, event, options)
  return viewOf(row)
}

/** All of a patient, whether accounted for or not; newest first. */
export async function listDisclosures(
  parts: DisclosureParts,
  facts: RequestFacts,
  query: DisclosureQuery,
  options: CallOptions,
): Promise<DisclosurePage> {
  const wanted = { action: 'disclosure.read', log: 'disclosure.listed', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { tenantId, secrets } = reading
  const patientId = await patientNamed(parts, reading, query.patient, options)
  if (patientId === null) return reading.miss(noPatient)
  const before = query.cursor === undefined ? null : decodeCursor(query.cursor)
  const page = { patientId, before, limit: query.limit + 1 }
  const rows = await parts.catalog.listDisclosures(tenantId, page, secrets.columns, options)
  const shown = rows.slice(0, query.limit)
  await reading.note({ patients: [patientId], detail: { kind: 'found', count: shown.length } })
  const last = shown.at(-1)
  return {
    disclosures: shown.map(viewOf),
    nextCursor: rows.length > query.limit && last !== undefined ? encodeCursor(last) : null,
  }
}

export const noPatient = 'There is no patient of that reference here'

/** By reference, made known where they were not; a name of the log must be of somebody. */
export async function patientMade(
  parts: {
    readonly catalog: Pick<Catalog, 'ensurePatient' | 'findPatient' | 'findPatientReference'>
  },
  tenantId: TenantId,
  secrets: TenantSecrets,
  text: string,
  options: CallOptions,
): Promise<PatientId> {
  const isName = PatientId.safeParse(text).success
  const id = isName
    ? await patientNamed(parts, { tenantId, secrets }, text, options)
    : await parts.catalog.ensurePatient(tenantId, text, secrets.columns, options)
  if (id === null) throw new VaultError('not_found', noPatient)
  return id
}

async function checkRecording(
  { catalog }: DisclosureParts,
  of: {
    readonly tenantId: TenantId
    readonly secrets: TenantSecrets
    readonly patientId: PatientId
    readonly recording: NewDisclosure['recording']
  },
  options: CallOptions,
): Promise<void> {
  if (of.recording === null) return
  const row = await catalog.findRecording(of.tenantId, of.recording, of.secrets.columns, options)
  if (row === null) throw new VaultError('not_found', 'There is no such recording')
  if (row.patientId !== null && row.patientId !== of.patientId)
    throw new VaultError('malformed', 'The recording is about another patient')
}

const layout = /^(-?\d{1,16})\.(dis_[0-9a-z]{26})$/

const encodeCursor = ({ disclosedAt, id }: Pick<DisclosureRow, 'disclosedAt' | 'id'>): string =>
  Buffer.from(`${disclosedAt.getTime()}.${id}`, 'latin1').toString('base64url')

function decodeCursor(cursor: string): Pick<DisclosureRow, 'disclosedAt' | 'id'> {
  const [, milliseconds, idText] = layout.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  const disclosedAt = new Date(Number(milliseconds))
  const id = DisclosureId.safeParse(idText)
  if (!id.success || Number.isNaN(disclosedAt.getTime()))
    throw new VaultError('malformed', 'The cursor is not one that a page before has given')
  return { disclosedAt, id: id.data }
}

function viewOf(row: DisclosureRow): DisclosureView {
  const { id, patientId, recordingId, purpose, recipientKind, recipientName, recipientAddress } = row
  return {
    ...{
      id,
      patient: patientId,
      recording: recordingId,
      disclosedAt: row.disclosedAt.toISOString(),
      purpose,
    },
    recipient: { kind: recipientKind, name: recipientName, address: recipientAddress },
    ...{ what: row.what, why: row.why, accountable: row.accountable },
    ...{ recordedBy: row.recordedBy, recordedAt: row.recordedAt.toISOString() },
  }
}
