// Brings decisions to what rules and facts say by now: versions whose time has come, then whatever is stale.
//
// Commit points: a version is applied with its event, and from then on every decision of the tenant is stale; decisions
// are made again in batches, one transaction each. The work is in what is stale, not in what exists. A run that is killed
// anywhere is run again and goes on with what is left; several at once leave each other alone. A policy that changes
// meanwhile is met by the next batch, and makes stale again what an earlier one has decided.
import type { Catalog, DueVersion, RetentionFactsRow, StaleDecision } from '@auricle/catalog'
import type { RecordingId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { isError } from '../error.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import { decideBy, keptOf } from './decide-recording.ts'
import { loadPolicy } from './policy.ts'
import { detailOf, ruleObject } from './rule-versions.ts'

export interface ApplyPolicyParts {
  readonly catalog: Pick<
    Catalog,
    | 'listTenantsWithDueVersions'
    | 'listDueVersions'
    | 'applyVersion'
    | 'listTenantsWithStale'
    | 'listStale'
    | 'decideAgain'
    | 'findRetentionSettings'
    | 'listRuleVersions'
  >
  readonly secrets: TenantSecretsCache
  /** A recording that cannot be decided: what is known of it does not open, or is no date. It stays as it was decided. */
  readonly onFailure: (recordingId: RecordingId, error: unknown) => void
  readonly now?: () => Date
}

export interface PolicyApplied {
  /** Versions of rules that came into force. */
  readonly versions: number
  readonly decided: number
  /** Of these, how many came out otherwise. */
  readonly changed: number
  readonly failed: number
}

const batchRecordings = 500

/** All tenants. What is marked while it runs may be left to the next run. */
export async function applyPolicy(parts: ApplyPolicyParts, options: CallOptions): Promise<PolicyApplied> {
  const versions = await applyVersions(parts, options)
  let [decided, changed, failed] = [0, 0, 0]
  for (const tenantId of await parts.catalog.listTenantsWithStale(options)) {
    for await (const batch of staleOf(parts, tenantId, options)) {
      const done = await decideBatch(parts, tenantId, batch, options)
      decided += done.decided
      changed += done.changed
      failed += done.failed
    }
  }
  return { versions, decided, changed, failed }
}

async function applyVersions(parts: ApplyPolicyParts, options: CallOptions): Promise<number> {
  const { catalog } = parts
  const now = parts.now?.() ?? new Date()
  let versions = 0
  for (const tenantId of await catalog.listTenantsWithDueVersions(now, options)) {
    for (const version of await catalog.listDueVersions(tenantId, now, options)) {
      const event = await recordOf(tenantId, version, now)
      if (await catalog.applyVersion({ tenantId, ...version, now }, event, options)) versions += 1
    }
  }
  return versions
}

function recordOf(tenantId: TenantId, { ruleId, version }: DueVersion, now: Date) {
  return auditRecord(
    {
      tenantId,
      action: 'retention.applied',
      outcome: 'allowed',
      actor: { type: 'system', name: 'worker' },
      object: ruleObject(ruleId),
      ...detailOf({ version }),
      request: null,
    },
    null,
    now,
  )
}

async function* staleOf(
  { catalog }: ApplyPolicyParts,
  tenantId: TenantId,
  options: CallOptions,
): AsyncGenerator<readonly RecordingId[]> {
  let after: StaleDecision | null = null
  for (;;) {
    const page: readonly StaleDecision[] = await catalog.listStale(
      tenantId,
      { after, limit: batchRecordings },
      options,
    )
    after = page.at(-1) ?? null
    if (after === null) return
    yield page.map(({ recordingId }) => recordingId)
  }
}

/** One that cannot be decided holds up no other: it is found by halves. */
async function decideBatch(
  parts: ApplyPolicyParts,
  tenantId: TenantId,
  recordingIds: readonly RecordingId[],
  options: CallOptions,
): Promise<Omit<PolicyApplied, 'versions'>> {
  try {
    return { ...(await decideAgain(parts, tenantId, recordingIds, { onlyStale: true }, options)), failed: 0 }
  } catch (error) {
    if (!isOfOne(error)) throw error
    const [only] = recordingIds
    if (only !== undefined && recordingIds.length === 1) {
      parts.onFailure(only, error)
      return { decided: 0, changed: 0, failed: 1 }
    }
  }
  const middle = recordingIds.length >> 1
  const first = await decideBatch(parts, tenantId, recordingIds.slice(0, middle), options)
  const second = await decideBatch(parts, tenantId, recordingIds.slice(middle), options)
  return {
    decided: first.decided + second.decided,
    changed: first.changed + second.changed,
    failed: first.failed + second.failed,
  }
}

/** What one recording is the cause of. */
export const isOfOne = (error: unknown): boolean =>
  isError(error, 'CatalogError', 'damaged') || isError(error, 'RetentionError', 'bad_date')

/**
 * Decides these again by the policy as it is now, in one transaction. For whoever has to know that a decision is the
 * newest: `onlyStale` spares what this policy has decided.
 */
export async function decideAgain(
  parts: Pick<ApplyPolicyParts, 'secrets' | 'now'> & {
    readonly catalog: Pick<Catalog, 'findRetentionSettings' | 'listRuleVersions' | 'decideAgain'>
  },
  tenantId: TenantId,
  recordingIds: readonly RecordingId[],
  { onlyStale }: { readonly onlyStale: boolean },
  options: CallOptions,
): Promise<{ readonly decided: number; readonly changed: number }> {
  const now = parts.now?.() ?? new Date()
  const { columns } = await parts.secrets.get(tenantId, options)
  const policy = await loadPolicy(parts.catalog, tenantId, now, options)
  const decide = (facts: RetentionFactsRow) => keptOf(decideBy(policy, facts))
  const deciding = { revision: policy.revision, now, columns, decide, onlyStale }
  return parts.catalog.decideAgain(tenantId, recordingIds, deciding, options)
}
