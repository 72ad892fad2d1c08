// How one recording stands by rules, holds and stores: for whoever may see it, also when it is there no more.
import type { Catalog, DecisionRow, RetentionStanding } from '@auricle/catalog'
import type { RecordingId, RetentionClock, RetentionExplanation } from '@auricle/contract'
import { type Clock, decide, explain, type RetentionDecision, stateAt } from '@auricle/retention'
import type { CallOptions } from '@auricle/sealed'
import { appendAccess, appendOrRefuse } from '../access-event.ts'
import type { AuthorizeParts } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { loadPolicy, type Policy } from './policy.ts'

export interface ExplainParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'findRetentionStanding' | 'findRetentionSettings' | 'listRuleVersions'>
}

/** By the rules and facts of now, which a decision that is stale will follow. Throws `not_found`, `denied`. */
export async function explainRecording(
  parts: ExplainParts,
  facts: RequestFacts,
  id: RecordingId,
  options: CallOptions,
): Promise<RetentionExplanation> {
  const { actor, purposeOfUse } = facts
  const { tenantId } = actor
  const secrets = await parts.secrets.get(tenantId, options)
  const now = parts.now?.() ?? new Date()
  const object = named('recording', id)
  const appending = { log: parts.log, secrets }
  const standing = await parts.catalog.findRetentionStanding(tenantId, id, secrets.columns, options)
  if (standing === null) {
    const decision = { allowed: false, reasons: ['not_found'] }
    await appendAccess(appending, facts, 'retention.shown', object, decision, options)
    throw new VaultError('not_found', 'No such recording')
  }
  const { mailboxId, labels, patientId } = standing.recording
  const resource = { type: 'recording', tenantId, recordingId: id, mailboxId, labels } as const
  const circumstances = { now, purpose: purposeOfUse }
  const decision = parts.decide(actor, 'recording.show', resource, circumstances)
  const about = { ...facts, patients: patientId === null ? [] : [patientId] }
  await appendOrRefuse(appending, about, 'retention.shown', object, decision, options)
  const readsHolds = () =>
    parts.decide(actor, 'hold.read', { type: 'tenant', tenantId }, circumstances).allowed
  const policy = await loadPolicy(parts.catalog, tenantId, now, options)
  const isNamed = standing.holds.length > 0 && readsHolds()
  const holds = standing.holds.map(hold => (isNamed ? hold : { ...hold, matter: null }))
  return explanationOf(id, { ...standing, holds }, policy, now)
}

/** As somebody may see it. */
type Seen = Omit<RetentionStanding, 'holds'> & {
  readonly holds: readonly (Omit<RetentionStanding['holds'][number], 'matter'> & {
    readonly matter: string | null
  })[]
}

function explanationOf(id: RecordingId, standing: Seen, policy: Policy, now: Date): RetentionExplanation {
  const { recording, facts, holds, objects, disposition, certificate, decisions } = standing
  const end =
    recording.destroyedAt !== null ? 'destroyed' : recording.destroyingAt !== null ? 'destroying' : null
  const decision = facts === null ? null : decide(facts, policy.rules, policy)
  const state = decision === null ? null : stateAt(decision, holds, now)
  const matters = new Map(
    holds.flatMap(({ holdId, matter }) => (matter === null ? [] : [[holdId, matter] as const])),
  )
  const last = decisions.find(({ supersededAt }) => supersededAt === null) ?? null
  const { dueAt = null, disposal = 'none' } = decision ?? last ?? {}
  return {
    recording: id,
    // What has no facts any more is destroyed.
    state: end ?? state?.state ?? 'destroyed',
    until: end !== null || state === null || state.state === 'due' ? null : state.until.toISOString(),
    dueAt: textOf(dueAt),
    disposal,
    locked: (decision?.locked ?? false) || (last?.locked ?? false),
    governedBy: governing(decision, last),
    words: [
      ...sayEnd(standing, last),
      ...(decision === null || state === null ? [] : explain(decision, state, { matters })),
    ],
    clocks: decision?.clocks.map(clockOf) ?? [],
    holds: holds.map(({ holdId, matter, coveredAt }) => {
      return { id: holdId, matter, coveredAt: coveredAt.toISOString() }
    }),
    objects: objects.map(({ role, until, held, copy, destroyedAt }) => {
      const kept = copy === null ? null : { until: textOf(copy.until), held: copy.held }
      return { role, until: textOf(until), held, copy: kept, destroyedAt: textOf(destroyedAt) }
    }),
    disposition:
      disposition === null
        ? null
        : {
            ...{ id: disposition.id, state: disposition.state, item: disposition.itemState },
            ...{ reason: disposition.reason, readyAt: textOf(disposition.readyAt) },
          },
    certificate:
      certificate === null
        ? null
        : {
            ...{ id: certificate.id, issuedAt: textOf(certificate.issuedAt) },
            lastCopyAt: certificate.lastCopyAt.toISOString(),
          },
    decisions: decisions.map(viewOf),
  }
}

const textOf = (time: Date | null): string | null => time?.toISOString() ?? null

function governing(
  decision: RetentionDecision | null,
  last: DecisionRow | null,
): RetentionExplanation['governedBy'] {
  const rule = (decision ?? last)?.governing ?? null
  if (rule === null) return null
  const clock = decision?.clocks.find(({ ruleId }) => ruleId === rule.ruleId)
  return { rule: rule.ruleId, version: rule.version, name: clock?.name ?? null }
}

/** What the rules cannot say: how far its end has come. */
function sayEnd(
  { recording: { destroyingAt, destroyedAt }, disposition, certificate }: Seen,
  last: DecisionRow | null,
): readonly string[] {
  const by = disposition === null ? '' : `, by disposition ${disposition.id}`
  if (destroyedAt !== null) {
    const rule = last?.governing ?? null
    return [
      `It was destroyed at ${destroyedAt.toISOString()}${by}.`,
      ...(last === null || rule === null
        ? []
        : [
            `It was kept until ${last.keepUntil.toISOString()} by rule ${rule.ruleId}, version ${rule.version}.`,
          ]),
      ...(certificate === null
        ? []
        : [
            `Certificate ${certificate.id} says so${certificate.issuedAt === null ? ', once its event is published' : ''}.`,
            `The last copy that anybody still holds is gone at ${certificate.lastCopyAt.toISOString()}.`,
          ]),
    ]
  }
  if (destroyingAt !== null) return [`It is being destroyed since ${destroyingAt.toISOString()}${by}.`]
  return disposition !== null && disposition.itemState === 'listed'
    ? [`Disposition ${disposition.id} lists it, and is ${disposition.state}.`]
    : []
}

function clockOf(clock: Clock): RetentionClock {
  const { ruleId, version, name, from, until, atLeast, dueAt, minor, definition } = clock
  return {
    ...{ rule: ruleId, version, name, counts: definition.from, from: textOf(from), until: textOf(until) },
    ...{ atLeast: atLeast.toISOString(), dueAt: textOf(dueAt) },
    minor:
      minor === null
        ? null
        : {
            ...{ birthDateKnown: minor.isBirthDateKnown, majorityOn: minor.majorityOn },
            until: minor.until.toISOString(),
          },
  }
}

function viewOf(row: DecisionRow): RetentionExplanation['decisions'][number] {
  const { decidedAt, supersededAt, status, governing: rule, keepUntil, dueAt } = row
  return {
    ...{ decidedAt: decidedAt.toISOString(), supersededAt: textOf(supersededAt), status },
    governedBy: rule === null ? null : { rule: rule.ruleId, version: rule.version },
    ...{ keepUntil: keepUntil.toISOString(), dueAt: textOf(dueAt) },
  }
}
