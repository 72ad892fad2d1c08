// Finds what has come to its end and proposes it: what goes by itself waits from then on, what people look at is for them.
//
// The work is in what is due, by an index, and not in what exists. What is found is decided anew before it is listed, and
// the transaction that lists it looks once more: several sweeps at once list a recording once.
import type { Catalog, DispositionKind, DueRecording } from '@auricle/catalog'
import { dispositionItemsMost, newDispositionId, type RecordingId, type TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { decideAgain, isOfOne } from '../retention/apply-policy.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'

export interface SweepDueParts {
  readonly catalog: Pick<
    Catalog,
    | 'listTenants'
    | 'listDue'
    | 'lastProposedByVault'
    | 'openDisposition'
    | 'decideAgain'
    | 'findRetentionSettings'
    | 'listRuleVersions'
  >
  readonly secrets: TenantSecretsCache
  /** A recording that cannot be decided: what is known of it does not open. It is left where it is. */
  readonly onFailure: (recordingId: RecordingId, error: unknown) => void
  readonly now?: () => Date
}

/** People are asked once a day and not every hour, for little at a time. */
const reviewEveryMs = 24 * 60 * 60_000

/** All tenants. Returns how many dispositions were opened, over how many recordings. */
export async function sweepDue(
  parts: SweepDueParts,
  options: CallOptions,
): Promise<{ readonly dispositions: number; readonly recordings: number }> {
  const now = parts.now?.() ?? new Date()
  const total = { dispositions: 0, recordings: 0 }
  for (const { id: tenantId } of await parts.catalog.listTenants(options)) {
    for (const kind of ['automatic', 'review'] as const) {
      if (kind === 'review' && (await wasAskedToday(parts, tenantId, now, options))) continue
      for await (const due of batches(parts, tenantId, kind, now, options)) {
        const listed = await propose(parts, { tenantId, kind, now }, due, options)
        if (listed > 0) total.dispositions += 1
        total.recordings += listed
      }
    }
  }
  return total
}

async function wasAskedToday(
  { catalog }: SweepDueParts,
  tenantId: TenantId,
  now: Date,
  options: CallOptions,
): Promise<boolean> {
  const last = await catalog.lastProposedByVault(tenantId, options)
  return last !== null && now.getTime() - last.getTime() < reviewEveryMs
}

async function* batches(
  { catalog }: SweepDueParts,
  tenantId: TenantId,
  disposal: DispositionKind,
  now: Date,
  options: CallOptions,
): AsyncGenerator<readonly RecordingId[]> {
  let page: readonly DueRecording[] = []
  do {
    const after = page.at(-1) ?? null
    const query = { now, disposal, alsoKept: false, after, limit: dispositionItemsMost }
    page = await catalog.listDue(tenantId, query, options)
    if (page.length > 0) yield page.map(({ recordingId }) => recordingId)
  } while (page.length === dispositionItemsMost)
}

async function propose(
  parts: SweepDueParts,
  {
    tenantId,
    kind,
    now,
  }: { readonly tenantId: TenantId; readonly kind: DispositionKind; readonly now: Date },
  due: readonly RecordingId[],
  options: CallOptions,
): Promise<number> {
  const decided = await decideAll({ ...parts, now: () => now }, tenantId, due, options)
  const id = newDispositionId()
  const record = (count: number) =>
    auditRecord(
      {
        ...{ tenantId, action: 'disposition.proposed', outcome: 'allowed', request: null },
        actor: { type: 'system', name: 'worker' },
        object: { type: 'disposition', id, version: null },
        reasons: [kind],
        detail: { kind: 'found', count },
      },
      null,
      now,
    )
  const disposition = { id, tenantId, kind, at: now, by: null }
  return (await parts.catalog.openDisposition(disposition, decided, record, options)).length
}

/** Returns those that could be decided: one that cannot be holds up no other. */
async function decideAll(
  parts: SweepDueParts,
  tenantId: TenantId,
  recordingIds: readonly RecordingId[],
  options: CallOptions,
): Promise<readonly RecordingId[]> {
  try {
    await decideAgain(parts, tenantId, recordingIds, { onlyStale: false }, options)
    return recordingIds
  } catch (error) {
    if (!isOfOne(error)) throw error
    const [only, ...others] = recordingIds
    if (only !== undefined && others.length === 0) {
      parts.onFailure(only, error)
      return []
    }
  }
  const decided: RecordingId[] = []
  for (const id of recordingIds) decided.push(...(await decideAll(parts, tenantId, [id], options)))
  return decided
}
