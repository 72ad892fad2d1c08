// A copy of the log leaves the vault as evidence: decided, logged, and only then made.
import type { EvidenceSelection, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import type { EventAppender } from '../log/durable-event.ts'
import { authorizeReading } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import { logPolicy, type PolicyParts } from './log-policy.ts'
import { type BundleParts, type BundleWish, makeBundle } from './make-bundle.ts'

export interface EvidenceParts {
  readonly catalog: BundleParts['catalog'] & PolicyParts['catalog']
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly keys: PolicyParts['keys']
  readonly witnesses: PolicyParts['witnesses']
  readonly now?: () => Date
}

export interface EvidenceWish {
  readonly selection: EvidenceSelection
  readonly showsPrivate: boolean
  readonly onProgress?: NonNullable<BundleWish['onProgress']>
}

/**
 * Of the tenant of the one who asks. The event is durable when it resolves; the lines are made as they are read. Throws
 * `denied`, `step_up_required`, `conflict` where nothing is published yet.
 */
export async function exportEvidence(
  parts: EvidenceParts & AuthorizeParts,
  facts: RequestFacts,
  wish: EvidenceWish,
  options: CallOptions,
): Promise<AsyncGenerator<string>> {
  const { tenantId } = facts.actor
  const object = { type: 'log', id: tenantId, version: null }
  const asked = { action: 'audit.export', log: 'log.exported', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  const policy = await logPolicy(parts, options)
  await parts.log.append(await record(object, reasonsOf(wish), patientsOf(wish)), options)
  return bundleOf(parts, tenantId, wish, policy, now, options)
}

/** Whom an outsider has to trust, to somebody who may read the log. */
export async function showPolicy(
  parts: PolicyParts & AuthorizeParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<string> {
  const object = { type: 'log', id: facts.actor.tenantId, version: null }
  await authorizeReading(parts, facts, { action: 'audit.read', log: 'log.proved', object }, options)
  return logPolicy(parts, options)
}

/** By the operator at the machine's console. */
export async function exportAtConsole(
  parts: EvidenceParts,
  tenantId: TenantId,
  wish: EvidenceWish,
  options: CallOptions,
): Promise<AsyncGenerator<string>> {
  const now = parts.now?.() ?? new Date()
  const policy = await logPolicy(parts, options)
  const event = await auditRecord(
    {
      ...{ tenantId, action: 'log.exported', outcome: 'allowed', request: null },
      actor: { type: 'system', name: 'operator' },
      object: { type: 'log', id: tenantId, version: null },
      reasons: reasonsOf(wish),
      ...patientsOf(wish),
    },
    null,
    now,
  )
  await parts.log.append(event, options)
  return bundleOf(parts, tenantId, wish, policy, now, options)
}

async function bundleOf(
  parts: EvidenceParts,
  tenantId: TenantId,
  wish: EvidenceWish,
  policy: string,
  madeAt: Date,
  options: CallOptions,
): Promise<AsyncGenerator<string>> {
  const secrets = await parts.secrets.get(tenantId, options)
  return makeBundle({ ...parts, secrets, policy }, { ...wish, tenantId, madeAt }, options)
}

/** What of the log, and whether private parts went with it. */
function reasonsOf({ selection, showsPrivate }: EvidenceWish): readonly string[] {
  const by = Object.entries(selection).flatMap(([name, value]) => (value === undefined ? [] : [`by_${name}`]))
  return [...by, ...(showsPrivate ? ['private_parts'] : [])]
}

const patientsOf = ({ selection: { patient } }: EvidenceWish) => {
  return patient === undefined ? {} : { patients: [patient] }
}
