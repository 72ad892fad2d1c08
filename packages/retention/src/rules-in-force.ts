// Which version of each rule speaks at a moment.
import type { RuleDefinition, RuleId } from '@auricle/contract'

export interface RuleVersion {
  readonly ruleId: RuleId
  readonly version: number
  readonly name: string
  /** Null: the rule ends with this version. */
  readonly definition: RuleDefinition | null
  /** Null until it is approved. */
  readonly effectiveFrom: Date | null
  readonly withdrawnAt: Date | null
}

export interface RuleInForce {
  readonly ruleId: RuleId
  readonly version: number
  readonly name: string
  readonly definition: RuleDefinition
}

/** Of each rule the version that took effect last, by rule id; of two that did at once, the higher. */
export function rulesInForce(versions: readonly RuleVersion[], now: Date): readonly RuleInForce[] {
  const newest = new Map<RuleId, RuleVersion & { readonly effectiveFrom: Date }>()
  for (const version of versions) {
    const { ruleId, effectiveFrom, withdrawnAt } = version
    if (effectiveFrom === null || withdrawnAt !== null || effectiveFrom > now) continue
    const known = newest.get(ruleId)
    const aheadMs = effectiveFrom.getTime() - (known?.effectiveFrom.getTime() ?? Number.NEGATIVE_INFINITY)
    if (known !== undefined && (aheadMs < 0 || (aheadMs === 0 && version.version < known.version))) continue
    newest.set(ruleId, { ...version, effectiveFrom })
  }
  return [...newest.values()]
    .flatMap(({ ruleId, version, name, definition }) =>
      definition === null ? [] : [{ ruleId, version, name, definition }],
    )
    .sort((a, b) => (a.ruleId < b.ruleId ? -1 : 1))
}
