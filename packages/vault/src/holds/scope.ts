// A hold's clauses as somebody wrote them, brought to what the catalog compares: patients by name, times, numbers as given.
import type { Catalog, HoldCriteria, NewHoldClause } from '@auricle/catalog'
import type { HoldClause, PatientId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { patientMade } from '../log-reading/disclosures.ts'
import { patientNamed } from '../log-reading/reading.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'

interface Of {
  readonly catalog: Pick<Catalog, 'ensurePatient' | 'findPatient' | 'findPatientReference'>
  readonly tenantId: TenantId
  readonly secrets: TenantSecrets
}

/** A patient whom the vault did not know becomes known: calls of theirs may come later. Throws `not_found`. */
export async function clausesOf(
  of: Of,
  clauses: readonly HoldClause[],
  options: CallOptions,
): Promise<readonly NewHoldClause[]> {
  const made: NewHoldClause[] = []
  for (const clause of clauses) {
    const patientId =
      clause.patient === undefined
        ? null
        : await patientMade(of, of.tenantId, of.secrets, clause.patient, options)
    made.push({ ...criteriaOf(clause, patientId), shown: JSON.stringify(clause) })
  }
  return made
}

/** The same, and nobody becomes known by it: a clause about somebody unknown finds nothing. */
export async function knownClausesOf(
  of: Of,
  clauses: readonly HoldClause[],
  options: CallOptions,
): Promise<readonly HoldCriteria[]> {
  const known: HoldCriteria[] = []
  for (const clause of clauses) {
    const patientId =
      clause.patient === undefined ? null : await patientNamed(of, of, clause.patient, options)
    if (clause.patient === undefined || patientId !== null) known.push(criteriaOf(clause, patientId))
  }
  return known
}

export const patientsOf = (clauses: readonly HoldCriteria[]): readonly PatientId[] => [
  ...new Set(clauses.flatMap(({ patientId }) => patientId ?? [])),
]

function criteriaOf(clause: HoldClause, patientId: PatientId | null): HoldCriteria {
  const { mailbox, number, kind, label, after, before } = clause
  return {
    mailboxId: mailbox ?? null,
    patientId,
    number: number ?? null,
    kind: kind ?? null,
    label: label ?? null,
    after: after === undefined ? null : new Date(after),
    before: before === undefined ? null : new Date(before),
  }
}
