// Which leaves of which logs a bundle must hold, so that a verifier can see for itself that no event is left out.
//
// Events happen before they are sealed, and may be sealed late. So a bundle begins some minutes before what is asked for,
// and ends with a checkpoint that was signed some days after it, or with the newest there is.
import type { Catalog, CheckpointRow, LogRow } from '@auricle/catalog'
import type { EvidenceSelection, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'

export interface RangeParts {
  readonly catalog: Pick<Catalog, 'listLogs' | 'findAnchored' | 'findFirstAfter'>
}

/** `first` inclusive; the log is shown up to `end.size`. */
export interface LogRange {
  readonly log: LogRow
  readonly first: number
  readonly end: CheckpointRow & { readonly index: number; readonly leaf: Uint8Array }
}

/**
 * An event says that it happened up to ten minutes before the newest of those that stand before it, and no earlier; a
 * verifier believes that of a leaf which happened ten minutes before what is asked for. Hence twice that.
 */
const marginMs = 20 * 60_000
/** By then whatever write-once storage took in while the database was away has been brought over. */
const lateMs = 7 * 24 * 3_600_000

/** Oldest first. Empty where nothing of the tenant is anchored yet. */
export async function findRanges(
  { catalog }: RangeParts,
  tenantId: TenantId,
  { from, to }: EvidenceSelection,
  anchorSize: number,
  options: CallOptions,
): Promise<readonly LogRange[]> {
  const logs = await catalog.listLogs(tenantId, options)
  const firstYear = from === undefined ? null : new Date(from).getUTCFullYear()
  const wanted = logs.filter(({ year }, index) => {
    // What happened in a year is in no earlier log; the newest is shown in any case, or there would be nothing to show.
    return firstYear === null || year >= firstYear || index === logs.length - 1
  })
  const since = to === undefined ? null : new Date(new Date(to).getTime() + lateMs)
  const ranges: LogRange[] = []
  for (const log of wanted) {
    const isClosed = log.closedAt !== null && (since === null || log.closedAt < since)
    const query = { anchorSize, since: isClosed ? null : since }
    const end = await catalog.findAnchored(log, query, options)
    if (end === null) break
    const isFirst = ranges.length === 0
    const first = isFirst && from !== undefined ? await firstLeaf(catalog, log, new Date(from), options) : 0
    ranges.push({ log, first: Math.min(first, end.size - 1), end })
    if (since !== null && end.at >= since) break
  }
  return ranges
}

async function firstLeaf(
  catalog: RangeParts['catalog'],
  log: LogRow,
  from: Date,
  options: CallOptions,
): Promise<number> {
  const after = await catalog.findFirstAfter(log, new Date(from.getTime() - marginMs), options)
  // One more than is needed: the one before is early enough to show that.
  return after === null ? Math.max(log.size - 1, 0) : Math.max(after - 1, 0)
}
