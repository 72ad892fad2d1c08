// What was agreed for a rule, what of it is in force, and both as people read them.
import type { RuleVersionRow } from '@auricle/catalog'
import type { RuleId, RuleVersionState, RuleVersionView, RuleView } from '@auricle/contract'
import { VaultError } from '../error.ts'
import { named } from '../people/reading.ts'

/** How the log names a rule, and which version of it. */
export const ruleObject = (id: RuleId) => named('retention_rule', id)
export const detailOf = ({ version }: Pick<RuleVersionRow, 'version'>) => {
  return { detail: { kind: 'version', version } } as const
}

export const ofRule = (versions: readonly RuleVersionRow[], id: RuleId): readonly RuleVersionRow[] =>
  versions.filter(({ ruleId }) => ruleId === id)

/** Throws `not_found`. */
export function findVersion(
  versions: readonly RuleVersionRow[],
  of: { readonly id: RuleId; readonly version: number },
): RuleVersionRow {
  const row = versions.find(({ ruleId, version }) => ruleId === of.id && version === of.version)
  if (row === undefined) throw new VaultError('not_found', 'There is no such version of such a rule')
  return row
}

/** The newest version that was approved and not withdrawn: in force, or to be. Versions are approved in their order. */
export function agreedOf(versions: readonly RuleVersionRow[]): RuleVersionRow | null {
  return (
    versions.findLast(({ approvedAt, withdrawnAt }) => approvedAt !== null && withdrawnAt === null) ?? null
  )
}

/** All rules, by id. */
export function viewsOf(versions: readonly RuleVersionRow[], now: Date): RuleView[] {
  return [...Map.groupBy(versions, ({ ruleId }) => ruleId).values()].flatMap(own => viewOf(own, now) ?? [])
}

/** One rule by all of its versions, in their order; null without any. */
export function viewOf(versions: readonly RuleVersionRow[], now: Date): RuleView | null {
  const [first] = versions
  if (first === undefined) return null
  const agreed = agreedOf(versions)
  const inForce = agreedOf(
    versions.filter(({ effectiveFrom }) => effectiveFrom !== null && effectiveFrom <= now),
  )
  const stateOf = (row: RuleVersionRow): RuleVersionState => {
    if (row.withdrawnAt !== null) return 'withdrawn'
    if (row.effectiveFrom === null)
      return agreed !== null && agreed.version > row.version ? 'overtaken' : 'proposed'
    if (row.effectiveFrom > now) return 'scheduled'
    return row === inForce ? 'in_force' : 'superseded'
  }
  return {
    id: first.ruleId,
    name: first.name,
    state: inForce === null ? 'pending' : inForce.definition === null ? 'ended' : 'in_force',
    versions: versions.map(row => versionOf(row, stateOf(row))),
  }
}

function versionOf(row: RuleVersionRow, state: RuleVersionState): RuleVersionView {
  const { version, definition, effect, proposedBy, approvedBy, withdrawnBy } = row
  return {
    ...{ version, state, definition, effect, proposedAt: row.proposedAt.toISOString(), proposedBy },
    ...{ approvedAt: row.approvedAt?.toISOString() ?? null, approvedBy },
    effectiveFrom: row.effectiveFrom?.toISOString() ?? null,
    ...{ withdrawnAt: row.withdrawnAt?.toISOString() ?? null, withdrawnBy },
  }
}
