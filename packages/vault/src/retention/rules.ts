// Rules of keeping as people agree on them: listed, approved by a second person, withdrawn.
//
// Versions of a rule are approved in their order and take effect in it, each judged against the one that was agreed
// before it; only the last that was agreed can be withdrawn, and only until it is in force. So nothing comes into force
// that was never judged against what it replaces.
import type { Catalog, RulesNow, RuleVersionRow } from '@auricle/catalog'
import type {
  RetentionPresetList,
  RuleApproval,
  RuleId,
  RuleList,
  RuleView,
  TenantId,
} from '@auricle/contract'
import { presets } from '@auricle/retention'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, refuse } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { agreedOf, detailOf, findVersion, ofRule, ruleObject, viewOf, viewsOf } from './rule-versions.ts'

export interface RuleParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'listRuleVersions' | 'changeRules' | 'listMailboxes'>
}

const dayMs = 24 * 60 * 60_000

export async function listRules(
  parts: RuleParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<RuleList> {
  const asked = { action: 'rule.read', log: 'retention.listed', object: null } as const
  const { now } = await authorizeReading(parts, facts, asked, options)
  return { rules: viewsOf(await parts.catalog.listRuleVersions(facts.actor.tenantId, options), now) }
}

/** What is known of the law and of practice, to begin with; nothing of it is in force by itself. */
export async function listPresets(
  parts: AuthorizeParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<RetentionPresetList> {
  const asked = { action: 'rule.read', log: 'retention.listed', object: null } as const
  await authorizeReading(parts, facts, asked, options)
  return { presets: [...presets] }
}

/** Throws `not_found`. */
export async function showRule(
  parts: RuleParts,
  facts: RequestFacts,
  id: RuleId,
  options: CallOptions,
): Promise<RuleView> {
  const asked = { action: 'rule.read', log: 'retention.listed', object: ruleObject(id) } as const
  const { now } = await authorizeReading(parts, facts, asked, options)
  return readRule(parts.catalog, facts.actor.tenantId, id, now, options)
}

/** By somebody else than proposed it: refused otherwise, and the refusal in the log. Throws `not_found`, `conflict`. */
export async function approveVersion(
  parts: RuleParts,
  facts: RequestFacts,
  of: { readonly id: RuleId; readonly version: number },
  approval: RuleApproval,
  options: CallOptions,
): Promise<RuleView> {
  const { tenantId, userId } = facts.actor
  const object = ruleObject(of.id)
  const asked = { action: 'retention.approve', log: 'retention.rule_approved', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  const proposed = findVersion(await parts.catalog.listRuleVersions(tenantId, options), of)
  if (proposed.proposedBy === userId)
    return refuse(parts, facts, { log: asked.log, object, reason: 'own_proposal' }, options)
  await parts.catalog.changeRules(
    tenantId,
    async rules => {
      const row = findVersion(rules.versions, of)
      checkPending(row, rules)
      const version = {
        ...{ ...row, approvedAt: now, approvedBy: userId },
        effectiveFrom: shorteningFrom(rules, of.id, approval, now),
      }
      return { version, events: [await record(object, [row.effect], detailOf(row))] }
    },
    options,
  )
  return readRule(parts.catalog, tenantId, of.id, now, options)
}

/** What is proposed, or agreed and not yet in force. Throws `not_found`, `conflict`. */
export async function withdrawVersion(
  parts: RuleParts,
  facts: RequestFacts,
  of: { readonly id: RuleId; readonly version: number },
  options: CallOptions,
): Promise<RuleView> {
  const { tenantId, userId } = facts.actor
  const object = ruleObject(of.id)
  const asked = { action: 'retention.manage', log: 'retention.rule_withdrawn', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  await parts.catalog.changeRules(
    tenantId,
    async rules => {
      const row = findVersion(rules.versions, of)
      if (row.withdrawnAt !== null) throw new VaultError('conflict', 'The version was withdrawn before')
      if (row.appliedAt !== null || (row.effectiveFrom !== null && row.effectiveFrom <= now))
        throw new VaultError('conflict', 'The version is in force: propose another, or the end of the rule')
      const agreed = agreedOf(ofRule(rules.versions, of.id))
      if (row.approvedAt !== null && agreed?.version !== row.version)
        throw new VaultError('conflict', 'A later version was agreed on top of it: withdraw that first')
      const was = row.approvedAt === null ? 'proposed' : 'scheduled'
      return {
        version: { ...row, withdrawnAt: now, withdrawnBy: userId },
        events: [await record(object, [was, row.effect], detailOf(row))],
      }
    },
    options,
  )
  return readRule(parts.catalog, tenantId, of.id, now, options)
}

/** Throws `not_found`. */
export async function readRule(
  catalog: Pick<Catalog, 'listRuleVersions'>,
  tenantId: TenantId,
  id: RuleId,
  now: Date,
  options: CallOptions,
): Promise<RuleView> {
  const versions = await catalog.listRuleVersions(tenantId, options)
  const view = viewOf(ofRule(versions, id), now)
  if (view === null) throw new VaultError('not_found', 'There is no such rule')
  return view
}

function checkPending(row: RuleVersionRow, { versions }: RulesNow): void {
  if (row.withdrawnAt !== null) throw new VaultError('conflict', 'The version was withdrawn')
  if (row.approvedAt !== null) throw new VaultError('conflict', 'The version was approved before')
  const agreed = agreedOf(ofRule(versions, row.ruleId))
  if (agreed !== null && agreed.version > row.version)
    throw new VaultError('conflict', 'A later version was agreed meanwhile: propose this one anew')
}

/** As soon as may be, where nothing is asked for. */
function shorteningFrom(
  { settings, versions }: RulesNow,
  id: RuleId,
  { effectiveFrom }: RuleApproval,
  now: Date,
): Date {
  const waited = new Date(now.getTime() + settings.shorteningDays * dayMs)
  const agreed = agreedOf(ofRule(versions, id))?.effectiveFrom ?? waited
  const soonest = agreed > waited ? agreed : waited
  if (effectiveFrom === null) return soonest
  const asked = new Date(effectiveFrom)
  if (asked < soonest)
    throw new VaultError('malformed', `It shortens, and can begin on ${soonest.toISOString()} or later`)
  return asked
}
