// What an agency has asked to leave out of a patient's accounting, for a time (45 CFR 164.528(a)(2)).
import type { SuspensionRow } from '@auricle/catalog'
import {
  type NewSuspension,
  newSuspensionId,
  type SuspensionId,
  type SuspensionList,
  type SuspensionView,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { type DisclosureParts, noPatient, patientMade } from './disclosures.ts'
import { beginReading, patientNamed, wordedEvent } from './reading.ts'

const objectOf = (id: SuspensionId) => ({ type: 'disclosure_suspension', id, version: null }) as const

export async function suspendDisclosures(
  parts: DisclosureParts,
  facts: RequestFacts,
  asked: NewSuspension,
  options: CallOptions,
): Promise<SuspensionView> {
  const { actor } = facts
  const { tenantId } = actor
  const wanted = { action: 'disclosure.suspend', log: 'disclosure.suspended', object: null } as const
  const { now, secrets, decision } = await authorize(parts, facts, wanted, options)
  const { recipientKind, form, agency, statement } = asked
  const row: SuspensionRow = {
    ...{ tenantId, id: newSuspensionId(), recipientKind, form, agency, statement },
    patientId: await patientMade(parts, tenantId, secrets, asked.patient, options),
    ...{ from: new Date(asked.from), until: new Date(asked.until), endedAt: null },
    ...{ recordedBy: actor.userId, recordedAt: now },
  }
  const event = await wordedEvent(
    facts,
    secrets,
    {
      ...{ action: 'disclosure.suspended', object: objectOf(row.id), patients: [row.patientId] },
      reasons: [form, recipientKind, ...decision.reasons],
    },
    `${agency}: ${statement}`,
    now,
  )
  await parts.catalog.addSuspension(row, secrets.columns, event, options)
  return viewOf(row)
}

/** Newest first, those that are over too. */
export async function listSuspensions(
  parts: DisclosureParts,
  facts: RequestFacts,
  query: { readonly patient: string },
  options: CallOptions,
): Promise<SuspensionList> {
  const wanted = { action: 'disclosure.read', log: 'disclosure.listed', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { tenantId, secrets } = reading
  const patientId = await patientNamed(parts, reading, query.patient, options)
  if (patientId === null) return reading.miss(noPatient)
  const rows = await parts.catalog.listSuspensions(tenantId, patientId, secrets.columns, options)
  await reading.note({
    patients: [patientId],
    detail: { kind: 'found', count: rows.length },
    reasons: ['suspensions'],
  })
  return { suspensions: rows.map(viewOf) }
}

/** Before its time. Throws `conflict` where it is over. */
export async function endSuspension(
  parts: DisclosureParts,
  facts: RequestFacts,
  id: SuspensionId,
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  const wanted = { action: 'disclosure.suspend', log: 'disclosure.resumed', object: objectOf(id) } as const
  const { now, secrets, decision } = await authorize(parts, facts, wanted, options)
  const row = await parts.catalog.findSuspension(tenantId, id, secrets.columns, options)
  if (row === null) throw new VaultError('not_found', 'There is no such suspension')
  const event = await wordedEvent(
    facts,
    secrets,
    {
      ...{ action: 'disclosure.resumed', object: objectOf(id), patients: [row.patientId] },
      reasons: decision.reasons,
    },
    null,
    now,
  )
  if (!(await parts.catalog.endSuspension({ tenantId, id, at: now }, event, options)))
    throw new VaultError('conflict', 'This suspension is over')
}

function viewOf(row: SuspensionRow): SuspensionView {
  const { id, patientId, recipientKind, form, agency, statement, recordedBy } = row
  return {
    ...{ id, patient: patientId, recipientKind, form, agency, statement },
    ...{ from: row.from.toISOString(), until: row.until.toISOString() },
    endedAt: row.endedAt?.toISOString() ?? null,
    ...{ recordedBy, recordedAt: row.recordedAt.toISOString() },
  }
}
