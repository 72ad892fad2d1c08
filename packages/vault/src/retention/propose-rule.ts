// A rule proposed, changed or ended: in force at its time where that keeps at least what was agreed, else only asked for.
import type { Catalog, RuleChange, RulesNow, RuleVersionRow } from '@auricle/catalog'
import {
  type NewRule,
  type NewRuleVersion,
  newRuleId,
  type RuleDefinition,
  type RuleId,
  type RuleView,
  type TenantId,
} from '@auricle/contract'
import { compareDefinitions } from '@auricle/retention'
import type { CallOptions } from '@auricle/sealed'
import { authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { wordedEvent } from '../log-reading/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { agreedOf, detailOf, ofRule, ruleObject } from './rule-versions.ts'
import { type RuleParts, readRule } from './rules.ts'

/** Throws `conflict` where another rule has the name; else as `proposeVersion`. */
export async function proposeRule(
  parts: RuleParts,
  facts: RequestFacts,
  { name, ...proposal }: NewRule,
  options: CallOptions,
): Promise<RuleView> {
  const nameOf = ({ versions }: RulesNow): string => {
    if (versions.some(row => row.name === name))
      throw new VaultError('conflict', 'There is a rule of that name already')
    return name
  }
  return propose(parts, facts, { id: newRuleId(), nameOf, proposal }, options)
}

/**
 * A new version of a rule that is there, or its end. Throws `not_found`; `malformed` for a time or a mailbox that cannot
 * be; `conflict` where it would begin before what was agreed last, or there is nothing to end.
 */
export async function proposeVersion(
  parts: RuleParts,
  facts: RequestFacts,
  id: RuleId,
  proposal: NewRuleVersion,
  options: CallOptions,
): Promise<RuleView> {
  const nameOf = ({ versions }: RulesNow): string => {
    const name = ofRule(versions, id)[0]?.name
    if (name === undefined) throw new VaultError('not_found', 'There is no such rule')
    return name
  }
  return propose(parts, facts, { id, nameOf, proposal }, options)
}

interface Proposal {
  readonly id: RuleId
  readonly nameOf: (rules: RulesNow) => string
  readonly proposal: NewRuleVersion
}

async function propose(
  parts: RuleParts,
  facts: RequestFacts,
  { id, nameOf, proposal }: Proposal,
  options: CallOptions,
): Promise<RuleView> {
  const { tenantId, userId } = facts.actor
  const object = ruleObject(id)
  const asked = { action: 'retention.manage', log: 'retention.rule_proposed', object } as const
  const { now, secrets, decision } = await authorize(parts, facts, asked, options)
  await checkMailboxes(parts.catalog, tenantId, proposal.definition, options)
  await parts.catalog.changeRules(
    tenantId,
    async (rules): Promise<RuleChange> => {
      const proposed: RuleVersionRow = {
        ...{ ruleId: id, name: nameOf(rules), ...judge(ofRule(rules.versions, id), proposal, now) },
        ...{ definition: proposal.definition, proposedAt: now, proposedBy: userId },
        ...{ withdrawnAt: null, withdrawnBy: null },
      }
      const isAgreed = proposed.effectiveFrom !== null
      const version = isAgreed ? { ...proposed, approvedAt: now, approvedBy: userId } : proposed
      const actions = [
        'retention.rule_proposed',
        ...(isAgreed ? (['retention.rule_approved'] as const) : []),
      ] as const
      const events = actions.map(action => {
        const reasons = [version.effect, ...decision.reasons]
        return wordedEvent(facts, secrets, { action, object, reasons, ...detailOf(version) }, null, now)
      })
      return { version, events: await Promise.all(events) }
    },
    options,
  )
  return readRule(parts.catalog, tenantId, id, now, options)
}

type Judged = Pick<
  RuleVersionRow,
  'version' | 'effect' | 'effectiveFrom' | 'appliedAt' | 'approvedAt' | 'approvedBy'
>

/** Against what was agreed of the rule before; what shortens is agreed by somebody else, later. */
function judge(
  own: readonly RuleVersionRow[],
  { definition, effectiveFrom }: NewRuleVersion,
  now: Date,
): Judged {
  const agreed = agreedOf(own)
  const before = agreed?.definition ?? null
  if (definition === null && before === null)
    throw new VaultError('conflict', 'Nothing is agreed of the rule that could end')
  const effect = compareDefinitions(before, definition)
  const proposed = { version: (own.at(-1)?.version ?? 0) + 1, effect, approvedAt: null, approvedBy: null }
  if (effect !== 'shortens') return { ...proposed, ...beginning(agreed, effectiveFrom, now) }
  if (effectiveFrom === null) return { ...proposed, effectiveFrom, appliedAt: null }
  throw new VaultError('malformed', 'What shortens gets its time with its approval: leave effectiveFrom out')
}

/** Never before what was agreed last, which it was judged against. */
function beginning(
  agreed: RuleVersionRow | null,
  asked: string | null,
  now: Date,
): Pick<RuleVersionRow, 'effectiveFrom' | 'appliedAt'> {
  const last = agreed?.effectiveFrom ?? now
  const isScheduled = agreed !== null && agreed.appliedAt === null && last > now
  const effectiveFrom = asked !== null ? new Date(asked) : isScheduled || last < now ? now : last
  if (effectiveFrom < now) throw new VaultError('malformed', 'effectiveFrom is not in the past')
  if (effectiveFrom < last) {
    const sentence = `What was agreed begins on ${last.toISOString()}: let this begin later, or withdraw that first`
    throw new VaultError('conflict', sentence)
  }
  return { effectiveFrom, appliedAt: asked === null || effectiveFrom <= now ? now : null }
}

async function checkMailboxes(
  catalog: Pick<Catalog, 'listMailboxes'>,
  tenantId: TenantId,
  definition: RuleDefinition | null,
  options: CallOptions,
): Promise<void> {
  const named = definition?.appliesTo.mailboxes ?? []
  if (named.length === 0) return
  const known = new Set((await catalog.listMailboxes(tenantId, options)).map(({ id }) => id))
  const unknown = named.find(id => !known.has(id))
  if (unknown !== undefined) throw new VaultError('malformed', `There is no mailbox ${unknown}`)
}
