// A patient's birth date, for the clock of minors: recorded or taken back, sealed, and shown to nobody.
import type { Catalog } from '@auricle/catalog'
import type { BirthDateRecord, BirthDateView } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { noPatient, patientMade } from '../log-reading/disclosures.ts'
import { named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

export interface BirthDateParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'ensurePatient' | 'findPatient' | 'findPatientReference' | 'setBirthDate'>
}

const dayMs = 24 * 60 * 60_000

/** A patient whom the vault did not know becomes known. Throws `not_found`, and `malformed` for a day still to come. */
export async function recordBirthDate(
  parts: BirthDateParts,
  facts: RequestFacts,
  { patient, birthDate }: BirthDateRecord,
  options: CallOptions,
): Promise<BirthDateView> {
  const { tenantId } = facts.actor
  const asked = { action: 'retention.manage', log: 'retention.birth_date_recorded', object: null } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  // Wherever on earth it is a day later than here.
  const today = new Date(now.getTime() + dayMs).toISOString().slice(0, 10)
  if (birthDate !== null && birthDate > today)
    throw new VaultError('malformed', 'birthDate is not in the future')
  const patientId = await patientMade(parts, tenantId, secrets, patient, options)
  const reasons = birthDate === null ? ['taken_back'] : []
  const event = await record(named('patient', patientId), reasons, { patients: [patientId] })
  const of = { tenantId, patientId, birthDate }
  const recordings = await parts.catalog.setBirthDate(of, secrets.columns, event, options)
  if (recordings === null) throw new VaultError('not_found', noPatient)
  return { patient: patientId, recordings }
}
