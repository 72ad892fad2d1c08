// What the rules say of a recording before it is one: by its notice, its mailbox and its patient.
//
// Its objects are stored by it before the recording commits. What is known by then, its length or what an earlier
// attempt has had stored, makes the decision that commits; where that asks for more, the stores are asked to follow.
// Facts may change while the objects are stored. Where rules are in force the decision is therefore marked to be made
// again: by the worker, from what is committed.
import type { Catalog, NewObject, NewRecording } from '@auricle/catalog'
import type { RetentionFacts } from '@auricle/retention'
import type { CallOptions } from '@auricle/sealed'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { decideBy, keptOf } from './decide-recording.ts'
import { loadPolicy } from './policy.ts'

export interface FirstDecisionParts {
  readonly catalog: Pick<Catalog, 'findRetentionSettings' | 'listRuleVersions' | 'findFirstFacts'>
}

/** Of a delivery, and where it belongs. */
export type DeliveryFacts = Pick<RetentionFacts, 'kind' | 'mailboxId' | 'receivedAt' | 'floor'> & {
  readonly startedAt: Date
  readonly patientId: NewRecording['patientId']
}

/** How a store is to keep the objects of a recording. */
export interface Keeping {
  readonly until: Date
  /** Whether for good; null where no rule says so or otherwise: as the store is set up. */
  readonly lock: boolean | null
}

export interface FirstDecision {
  readonly keeping: Keeping
  /** The decision to commit, once the objects are there. */
  committed(durationMs: number | null, objects: readonly NewObject[]): NewRecording['decision']
}

/** Below any policy's: it is to be made again. */
const staleRevision = -1

export async function decideFirst(
  { catalog }: FirstDecisionParts,
  { tenant: { id: tenantId }, columns }: TenantSecrets,
  { patientId, ...delivery }: DeliveryFacts,
  now: Date,
  options: CallOptions,
): Promise<FirstDecision> {
  const policy = await loadPolicy(catalog, tenantId, now, options)
  const of = { mailboxId: delivery.mailboxId, patientId }
  const found =
    policy.rules.length === 0
      ? { recordSet: 'undecided' as const, birthDate: null, events: [] }
      : await catalog.findFirstFacts(tenantId, of, columns, options)
  const facts = { ...delivery, ...found, labels: [], endedAt: null, lockedUntil: null }
  const first = decideBy(policy, facts)
  const isRuled = first.clocks.length > 0
  return {
    keeping: { until: first.keepUntil, lock: isRuled ? first.locked : null },
    committed(durationMs, objects) {
      const endedAt = durationMs === null ? null : new Date(facts.startedAt.getTime() + durationMs)
      const locked = objects.filter(({ storeLocked }) => storeLocked)
      const lockedUntil = latest(locked.map(({ storeUntil }) => storeUntil))
      const decision = keptOf(decideBy(policy, { ...facts, endedAt, lockedUntil }))
      return { ...decision, revision: policy.rules.length === 0 ? policy.revision : staleRevision }
    },
  }
}

const latest = (times: readonly (Date | null)[]): Date | null =>
  times.reduce((last, time) => (last === null || (time !== null && time > last) ? time : last), null)
