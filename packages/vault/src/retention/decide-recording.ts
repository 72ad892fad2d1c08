// One decision about one recording, as it is kept: what the rules say of its facts, and what a store has made of it by now.
import type { KeptDecision } from '@auricle/catalog'
import { decide, type RetentionDecision, type RetentionFacts } from '@auricle/retention'
import type { Policy } from './policy.ts'

export function decideBy(
  { rules, zone }: Pick<Policy, 'rules' | 'zone'>,
  facts: RetentionFacts,
): RetentionDecision {
  const decision = decide(facts, rules, { zone })
  // What a store has locked stays locked, whatever the rules say since.
  return facts.lockedUntil === null ? decision : { ...decision, locked: true }
}

export function keptOf(decision: RetentionDecision): KeptDecision {
  const { status, governing, keepUntil, dueAt, disposal, locked } = decision
  return { status, governing, keepUntil, dueAt, disposal, locked }
}
