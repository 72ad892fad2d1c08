// What looks at the stores found, for whoever may read how recordings are kept.
import type { Catalog, DriftRun } from '@auricle/catalog'
import type {
  DriftFindingQuery,
  DriftRunDetail,
  DriftRunId,
  DriftRunPage,
  DriftRunQuery,
  DriftRunView,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { AuthorizeParts } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

export interface DriftRunParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'appendEvents' | 'listDriftRuns' | 'findDriftRun'>
}

/** Newest first. */
export async function listDriftRuns(
  parts: DriftRunParts,
  facts: RequestFacts,
  { cursor, limit }: DriftRunQuery,
  options: CallOptions,
): Promise<DriftRunPage> {
  const asked = { action: 'retention.read', log: 'retention.listed', object: null } as const
  await authorizeReading(parts, facts, asked, options)
  const page = { beforeId: cursor ?? null, limit: limit + 1 }
  const rows = await parts.catalog.listDriftRuns(facts.actor.tenantId, page, options)
  const runs = rows.slice(0, limit).map(viewOf)
  return { runs, nextCursor: rows.length > limit ? (runs.at(-1)?.id ?? null) : null }
}

export async function showDriftRun(
  parts: DriftRunParts,
  facts: RequestFacts,
  id: DriftRunId,
  { after, limit }: DriftFindingQuery,
  options: CallOptions,
): Promise<DriftRunDetail> {
  const object = named('drift_run', id)
  const asked = { action: 'retention.read', log: 'retention.listed', object } as const
  await authorizeReading(parts, facts, asked, options)
  const page = { after, limit: limit + 1 }
  const found = await parts.catalog.findDriftRun(facts.actor.tenantId, id, page, options)
  if (found === null) throw new VaultError('not_found', 'There is no such look at the stores')
  const findings = found.findings.slice(0, limit)
  return {
    ...viewOf(found.run),
    findings: findings.map(finding => ({ ...finding })),
    nextAfter: found.findings.length > limit ? (findings.at(-1)?.number ?? null) : null,
  }
}

const viewOf = ({ id, startedAt, endedAt, recordings, objects, counts }: DriftRun): DriftRunView => ({
  id,
  startedAt: startedAt.toISOString(),
  endedAt: endedAt?.toISOString() ?? null,
  recordings,
  objects,
  counts: { ...counts },
})
