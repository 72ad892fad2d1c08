// A tenant's policy at a moment: the rules in force, and the calendar by which they count.
import type { Catalog } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import { type RuleInForce, rulesInForce } from '@auricle/retention'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'

export interface Policy {
  readonly zone: string
  readonly rules: readonly RuleInForce[]
  /** Decisions made by an earlier one are made again. */
  readonly revision: number
}

/**
 * The revision is read before the rules: what they say may be newer than it, which costs another decision, and never
 * older, which would be taken for the newest. For the same reason what was applied is in force, whatever the clock here
 * says. Throws `not_found`.
 */
export async function loadPolicy(
  catalog: Pick<Catalog, 'findRetentionSettings' | 'listRuleVersions'>,
  tenantId: TenantId,
  now: Date,
  options: CallOptions,
): Promise<Policy> {
  const settings = await catalog.findRetentionSettings(tenantId, options)
  if (settings === null) throw new VaultError('not_found', 'No such tenant')
  const versions = await catalog.listRuleVersions(tenantId, options)
  const applied = versions.flatMap(row =>
    row.appliedAt === null ? [] : (row.effectiveFrom?.getTime() ?? []),
  )
  const at = new Date(Math.max(now.getTime(), ...applied))
  const { zone, revision } = settings
  return { zone, rules: rulesInForce(versions, at), revision }
}
