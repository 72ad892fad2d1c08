// Which logs a tenant has, how large each is and under which signed root, and what of them is in write-once storage.
import type { AuditLogRow, Catalog } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import type { RequestFacts } from '../request-facts.ts'
import { base64 } from './as-of.ts'
import type { CheckpointQuery } from './query.ts'
import { beginReading, type ReadingParts } from './reading.ts'

export interface LogParts extends ReadingParts {
  readonly catalog: ReadingParts['catalog'] &
    Pick<Catalog, 'listAuditLogs' | 'findCheckpoint' | 'findUnsealedSince'>
}

export interface LogView {
  readonly origin: string
  readonly year: number
  readonly size: number
  readonly openedAt: string
  /** When the log of a later year was opened; null for the one that grows. */
  readonly closedAt: string | null
  readonly checkpoint: CheckpointView | null
  /** Size of the newest root that lies in write-once storage. */
  readonly publishedSize: number
}

export interface CheckpointView {
  readonly origin: string
  readonly year: number
  readonly size: number
  /** Base64. */
  readonly root: string
  /** The signed note (C2SP tlog-checkpoint). */
  readonly note: string
  readonly sealedAt: string
  readonly publishedAt: string | null
}

export interface LogList {
  /** Oldest first. */
  readonly logs: readonly LogView[]
  /** When the oldest event was stored that no log holds yet; null where all are in one. */
  readonly unsealedSince: string | null
}

export async function listLogs(parts: LogParts, facts: RequestFacts, options: CallOptions): Promise<LogList> {
  const wanted = { action: 'audit.read', log: 'log.proved', object: null, query: null } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const logs = await parts.catalog.listAuditLogs(reading.tenantId, options)
  const unsealedSince = await parts.catalog.findUnsealedSince(reading.tenantId, options)
  await reading.note({ detail: { kind: 'found', count: logs.length } })
  return { logs: logs.map(logViewOf), unsealedSince: unsealedSince?.toISOString() ?? null }
}

/** The newest of a year, or that of a size; of the newest log where no year is given. Throws `not_found`. */
export async function showCheckpoint(
  parts: LogParts,
  facts: RequestFacts,
  query: CheckpointQuery,
  options: CallOptions,
): Promise<CheckpointView> {
  const wanted = { action: 'audit.read', log: 'log.proved', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { tenantId } = reading
  const logs = await parts.catalog.listAuditLogs(tenantId, options)
  const log = logs.findLast(
    ({ year, checkpoint }) => checkpoint !== null && (query.year === undefined || query.year === year),
  )
  if (log === undefined) return reading.miss('There is no signed root of such a log yet')
  const { year, origin } = log
  const row =
    query.size === undefined
      ? log.checkpoint
      : await parts.catalog.findCheckpoint({ tenantId, year }, query.size, options)
  if (row === null) return reading.miss('No root of that size was signed')
  await reading.note()
  return checkpointViewOf({ year, origin }, row)
}

function logViewOf(row: AuditLogRow): LogView {
  const { year, origin, size, openedAt, closedAt, checkpoint, publishedSize } = row
  return {
    ...{ origin, year, size, openedAt: openedAt.toISOString(), closedAt: closedAt?.toISOString() ?? null },
    checkpoint: checkpoint === null ? null : checkpointViewOf({ year, origin }, checkpoint),
    publishedSize,
  }
}

export function checkpointViewOf(
  { year, origin }: Pick<AuditLogRow, 'year' | 'origin'>,
  { size, root, note, at, publishedAt }: NonNullable<AuditLogRow['checkpoint']>,
): CheckpointView {
  return {
    ...{ origin, year, size, root: base64(root), note },
    ...{ sealedAt: at.toISOString(), publishedAt: publishedAt?.toISOString() ?? null },
  }
}
