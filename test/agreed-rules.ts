// Rules that somebody has agreed on, for tests of what follows from them.
import type { Catalog } from '@auricle/catalog'
import { newRuleId, RuleDefinition, type RuleId, type TenantId } from '@auricle/contract'
import { anEvent } from './catalog-fixture.ts'

export interface AgreedRule {
  readonly definition: Parameters<(typeof RuleDefinition)['parse']>[0]
  readonly ruleId?: RuleId
  readonly at: Date
  /** Later than `at`: not in force yet. Default: `at`. */
  readonly effectiveFrom?: Date
}

/** The next version of that rule, or a new rule; null as definition ends it. */
export async function agreeRule(
  catalog: Pick<Catalog, 'changeRules'>,
  tenantId: TenantId,
  { definition, ruleId = newRuleId(), at, effectiveFrom = at }: AgreedRule,
): Promise<RuleId> {
  await catalog.changeRules(tenantId, async ({ versions }) => {
    const own = versions.filter(row => row.ruleId === ruleId)
    return {
      version: {
        ...{ ruleId, name: own[0]?.name ?? `Rule ${ruleId}`, version: own.length + 1, effect: 'lengthens' },
        definition: definition === null ? null : RuleDefinition.parse(definition),
        ...{ proposedAt: at, proposedBy: null, approvedAt: at, approvedBy: null, effectiveFrom },
        ...{ withdrawnAt: null, withdrawnBy: null, appliedAt: effectiveFrom > at ? null : at },
      },
      events: [anEvent(tenantId)],
    }
  })
  return ruleId
}
