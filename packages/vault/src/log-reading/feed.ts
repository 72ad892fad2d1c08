// The log as a collector of security events takes it: in order, from where it was left, waiting a while for what is new.
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEvent } from '@auricle/audit'
import type { Catalog, LogPosition } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { type FeedQuery, positionOf } from './query.ts'
import { beginReading, type ReadingParts } from './reading.ts'
import { type SealedEvent, sealedEventsOf } from './sealed-event.ts'

export interface FeedParts extends ReadingParts {
  readonly catalog: ReadingParts['catalog'] & Pick<Catalog, 'followAudit' | 'hasAuditNews' | 'listAuditLogs'>
  /** Ends all waiting: the service is about to stop. */
  readonly stopping?: AbortSignal
}

/** Between two looks for what is new. */
const lookMs = 500
const readAtOnce = 500

/**
 * What following the log puts into it itself: it comes with the next event of another kind, or after the wait. Otherwise
 * every reading would be news to the next.
 */
const quiet: readonly AuditEvent['action'][] = [
  'log.followed',
  'log.checkpoint',
  'writer.started',
  'writer.heartbeat',
  'writer.stopped',
]

/**
 * Resolves when the reading is in the log. Aborting ends it after what was read. Throws `conflict` for a place that the log
 * does not have.
 */
export async function followLog(
  parts: FeedParts,
  facts: RequestFacts,
  query: FeedQuery,
  options: CallOptions,
): Promise<AsyncIterable<SealedEvent>> {
  const wanted = { action: 'audit.follow', log: 'log.followed', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const after = query.after === undefined ? null : positionOf(query.after)
  const isThere = after === null || (await holds(parts, reading.tenantId, after, options))
  await reading.note(isThere ? {} : { reasons: ['beyond_the_log'] })
  if (!isThere) {
    const sentence = 'The log does not reach as far as that: what was taken before is not there any more'
    throw new VaultError('conflict', sentence)
  }
  return read(parts, reading.tenantId, { ...query, after }, options)
}

/** Whether there is such a place: whoever has taken it would otherwise wait for good, and a log never gets shorter. */
async function holds(
  { catalog }: FeedParts,
  tenantId: TenantId,
  { year, seq }: LogPosition,
  options: CallOptions,
): Promise<boolean> {
  const logs = await catalog.listAuditLogs(tenantId, options)
  return logs.some(log => log.year === year && seq < log.size)
}

async function* read(
  parts: FeedParts,
  tenantId: TenantId,
  { after, wait, limit }: { after: LogPosition | null; wait: number; limit: number },
  options: CallOptions,
): AsyncGenerator<SealedEvent> {
  await waitForNews(parts, tenantId, { after, waitMs: wait * 1_000 }, options)
  let position = after
  for (let left = limit; left > 0; ) {
    const page = { after: position, limit: Math.min(left, readAtOnce) }
    const rows = await parts.catalog.followAudit(tenantId, page, options)
    yield* sealedEventsOf(rows, tenantId, parts)
    position = rows.at(-1) ?? position
    left -= rows.length
    if (rows.length < page.limit) return
  }
}

async function waitForNews(
  { catalog, stopping }: FeedParts,
  tenantId: TenantId,
  { after, waitMs }: { readonly after: LogPosition | null; readonly waitMs: number },
  options: CallOptions,
): Promise<void> {
  const enough = AbortSignal.any([
    AbortSignal.timeout(waitMs),
    ...[options.signal, stopping].filter(signal => signal !== undefined),
  ])
  while (!enough.aborted && !(await catalog.hasAuditNews(tenantId, { after, quiet }, options))) {
    // Whatever ends the sleep early also ends the loop.
    await sleep(lookMs, undefined, { signal: enough }).catch(() => undefined)
  }
  options.signal?.throwIfAborted()
}
