// Whether a log may be gone on with: what was published of it must be a beginning of what the database has.
//
// The answer comes from write-once storage and never from the database, which whoever administers it can set back. It
// holds for as long as this process alone grows the log.
import { once } from 'node:events'
import { equalBytes, logOrigin, rootAt, tileReader } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { isError } from '../error.ts'
import type { ReadTile } from './growing-tree.ts'
import { LogRefusal } from './log-refusal.ts'
import { findLastPublished, type LogStore, logPrefix } from './write-once.ts'

export interface GuardParts {
  readonly catalog: Pick<Catalog, 'readTile' | 'findCheckpoint'>
  readonly store: LogStore
  readonly name: string
  readonly now: () => Date
}

/** A log as the database has it; of size 0 before it is opened. */
export interface GuardedLog {
  readonly tenantId: TenantId
  readonly year: number
  readonly size: number
}

export interface LogGuard {
  /** False while write-once storage cannot be asked. Throws `LogRefusal`. */
  allows(log: GuardedLog, options: CallOptions): Promise<boolean>
  /** The next time it is asked again. */
  forget(tenantId: TenantId): void
}

/** Storage that is away is asked again after this long. */
const askAgainMs = 10_000
/** And not waited for longer than this: sealing goes on without it. */
const askingMs = 5_000

export function createLogGuard(parts: GuardParts): LogGuard {
  const { now } = parts
  /** Years that are known to be right, by tenant. */
  const right = new Map<TenantId, Set<number>>()
  const askAgainAt = new Map<TenantId, number>()

  return {
    async allows(log, options) {
      if (right.get(log.tenantId)?.has(log.year) === true) return true
      if (now().getTime() < (askAgainAt.get(log.tenantId) ?? 0)) return false
      const deadline = AbortSignal.timeout(askingMs)
      const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline])
      try {
        // Raced: a disk that hangs does not listen to signals.
        await Promise.race([
          compare(parts, log, { signal }),
          once(signal, 'abort').then(() => signal.throwIfAborted()),
        ])
      } catch (error) {
        options.signal?.throwIfAborted()
        if (!isAway(error, deadline)) throw error
        askAgainAt.set(log.tenantId, now().getTime() + askAgainMs)
        return false
      }
      right.set(log.tenantId, (right.get(log.tenantId) ?? new Set()).add(log.year))
      return true
    },

    forget(tenantId) {
      right.delete(tenantId)
      askAgainAt.delete(tenantId)
    },
  }
}

const isAway = (error: unknown, deadline: AbortSignal): boolean =>
  deadline.aborted || (error instanceof Error && error.name === 'ObjectError')

async function compare(
  { catalog, store, name }: GuardParts,
  { tenantId, year, size }: GuardedLog,
  options: CallOptions,
): Promise<void> {
  const log = { tenantId, year }
  const known = await catalog.findCheckpoint(log, 'published', options)
  const published = await findLastPublished(
    store,
    logPrefix(tenantId, year),
    { origin: logOrigin(name, tenantId, year), knownSize: known?.size ?? 0 },
    options,
  )
  if (published === null) return
  if (published.size > size)
    throw new LogRefusal('truncated', 'More of a log was published than the database has')
  const root = await orIncomplete(
    rootAt(published.size, tileReader(tilesOf({ catalog }, log, options), size)),
  )
  if (!equalBytes(root, published.root))
    throw new LogRefusal('forked', 'What was published of a log is no beginning of what the database has')
}

/** Reads the tiles of a tenant's log from the database. */
export const tilesOf = (
  { catalog }: { readonly catalog: Pick<Catalog, 'readTile'> },
  log: { readonly tenantId: TenantId; readonly year: number },
  options: CallOptions,
): ReadTile => {
  return async tile => new Uint8Array(await catalog.readTile(log, tile, options))
}

/** Hashes that are not there, or do not fit, are a refusal. */
export async function orIncomplete<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isError(error, 'CatalogError', 'damaged') && !isError(error, 'AuditError', 'bad_tree')) throw error
    throw new LogRefusal('incomplete', 'The database lacks hashes of a log, or has others', { cause: error })
  }
}
