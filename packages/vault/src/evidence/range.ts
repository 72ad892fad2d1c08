// Which leaves of which logs a bundle must hold, so that a verifier can see for itself that no event is left out.
//
// Events happen before they are sealed, and may be sealed late. So a bundle begins some minutes before what is asked for,
// and ends with the newest checkpoint that there is, whenever what is asked for ended: a verifier can then tell that
// nothing was brought in later, and that the bundle is not an old one.
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

/** Oldest first. Empty where nothing of the tenant is anchored yet. */
export async function findRanges(
  { catalog }: RangeParts,
  tenantId: TenantId,
  { from }: EvidenceSelection,
  anchorSize: number,
  options: CallOptions,
): Promise<readonly LogRange[]> {
  const logs = await catalog.listLogs(tenantId, options)
  const firstYear = from === undefined ? null : new Date(from).getUTCFullYear()
  const wanted = logs.filter(({ year }, index) => {
    // What happened in a year is in no earlier log; the newest is shown in any case, or there would be nothing to show.
    return firstYear === null || year >= firstYear || index === logs.length - 1
  })
  const ranges: LogRange[] = []
  for (const log of wanted) {
    const end = await catalog.findAnchored(log, anchorSize, options)
    if (end === null) break
    const isFirst = ranges.length === 0
    const first = isFirst && from !== undefined ? await firstLeaf(catalog, log, new Date(from), options) : 0
    ranges.push({ log, first: Math.min(first, end.size - 1), end })
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
