// The sequencer: gives every event its place in its tenant's log, exactly once, and signs what the log has become.
//
// Of one tenant's events it takes those that are finished (`nextUnsealed`), grows the tree, and commits all of it in one
// transaction: places, tiles, frontier, cursor, checkpoint. A crash before the commit leaves nothing, and the next run
// does the same again. Two sequencers at once do no harm: the second finds that the log has moved, and looks again.
// While write-once storage is away events are sealed and not signed; where it says something else than the database,
// neither (`log-guard.ts`).
import { encodeFrontier, equalBytes, formatCheckpoint, logOrigin } from '@auricle/audit'
import type { Catalog, LogCursor, LogRow, StoredTile, UnsealedEvent } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type GrowingTree, restoreTree } from './growing-tree.ts'
import { createLogGuard, type GuardParts, orIncomplete, tilesOf } from './log-guard.ts'
import type { LogKey } from './log-keys.ts'
import { LogRefusal } from './log-refusal.ts'
import { openingOf, yearOfSealing } from './open-log.ts'
import { sealOf } from './seal-facts.ts'

export interface SequencerParts extends GuardParts {
  readonly catalog: GuardParts['catalog'] &
    Pick<Catalog, 'findNewestLog' | 'nextUnsealed' | 'findStragglers' | 'commitSeals'>
  /** The key of logs of a year. */
  readonly key: (year: number, options: CallOptions) => Promise<LogKey>
  /** Told of each commit of events, with when each was recorded. */
  readonly onSealed?: ((events: readonly Pick<UnsealedEvent, 'recordedAt'>[]) => void) | undefined
  /** Most events of one transaction. Default: 4,096, some megabytes of leaves. */
  readonly batchMost?: number | undefined
}

/** Each throws `LogRefusal` where the log is not what was published of it. */
export interface Sequencer {
  /** Seals what there is, in at most `batches` transactions; true where there may be more. */
  seal(tenantId: TenantId, batches: number, options: CallOptions): Promise<boolean>
  /**
   * Seals events recorded before `before` that a cursor cannot have seen, wherever it is: they came into the database with
   * numbers of transactions of another cluster, or by other hands than ours. Returns how many there were.
   */
  sealStragglers(tenantId: TenantId, before: Date, options: CallOptions): Promise<number>
  /** What it knows of the tenant's log is looked at anew, in the database and in write-once storage. */
  forget(tenantId: TenantId): void
  /** Seals everything that is there, and begins to count by the transactions of this cluster. */
  adopt(tenantId: TenantId, options: CallOptions): Promise<number>
}

const batchMostDefault = 4096
/** Logs whose trees are kept in memory, at some 20 kB each. */
const treesMost = 512
/** Without new events a cursor is moved on only once it is as many transactions behind. */
const cursorLagMost = 10_000n
const start: LogCursor = { xid: '0', id: '' }
const endOfTime = new Date('9999-12-31T00:00:00Z')

/** A tenant's newest log as this process knows it. */
interface Held {
  /** Null before the tenant's first event is sealed. */
  readonly row: LogRow | null
  readonly tree: GrowingTree
  readonly signedSize: number
}

type Committed = 'sealed' | 'moved' | 'waits'

export function createSequencer(parts: SequencerParts): Sequencer {
  const { catalog, name, now, batchMost = batchMostDefault } = parts
  const guard = createLogGuard(parts)
  const held = new Map<TenantId, Held>()

  async function hold(tenantId: TenantId, options: CallOptions): Promise<Held> {
    const known = held.get(tenantId) ?? (await load(tenantId, options))
    // The map is in the order of use: its first is the one that was not asked for the longest.
    held.delete(tenantId)
    held.set(tenantId, known)
    for (const [oldest] of held) if (held.size > treesMost) forget(oldest)
    return known
  }

  const forget = (tenantId: TenantId) => {
    held.delete(tenantId)
    guard.forget(tenantId)
  }

  async function load(tenantId: TenantId, options: CallOptions): Promise<Held> {
    const row = await catalog.findNewestLog(tenantId, options)
    if (row === null) return { row, tree: await emptyTree(), signedSize: 0 }
    if (row.origin !== logOrigin(name, tenantId, row.year))
      throw new LogRefusal('renamed', 'A log goes by another name than AURICLE_LOG_NAME says')
    const tree = await orIncomplete(restoreTree(row.size, tilesOf(parts, row, options)))
    if (!equalBytes(encodeFrontier(tree.frontier()), row.frontier))
      throw new LogRefusal('incomplete', 'The hashes of a log do not add up to its root')
    const signed = await catalog.findCheckpoint(row, 'newest', options)
    return { row, tree, signedSize: signed?.size ?? 0 }
  }

  /** One transaction. `waits`: nothing may be begun before write-once storage can be asked. */
  async function commit(
    tenantId: TenantId,
    known: Held,
    { events, cursor }: { readonly events: readonly UnsealedEvent[]; readonly cursor: LogCursor | null },
    options: CallOptions,
  ): Promise<Committed> {
    const at = now()
    const { row } = known
    const year = events.length === 0 && row !== null ? row.year : yearOfSealing(row, at)
    const isOpening = row?.year !== year
    if (isOpening && row !== null) {
      // A log that ends is committed to by the next one's first leaf: it has to be right, and signed to its end.
      if (!(await guard.allows(row, options))) return 'waits'
      if (known.signedSize < row.size) {
        const signed = await commit(tenantId, known, { events: [], cursor: null }, options)
        if (signed !== 'sealed') return signed
      }
    }
    const isAllowed = await guard.allows({ tenantId, year, size: isOpening ? 0 : known.tree.size }, options)
    const key = await parts.key(year, options)
    const before = row === null ? null : { row, root: known.tree.root() }
    const opening = isOpening ? openingOf({ name, tenantId, year }, before, key.verifierKey, at) : null

    const tree = isOpening ? await emptyTree() : known.tree
    const fromSize = tree.size
    const seals = [...(opening === null ? [] : [opening.event]), ...events].map(sealOf)
    const tiles: StoredTile[] = []
    // From here on memory is ahead of the database: it counts again once the commit is done.
    held.delete(tenantId)
    for (const { leafHash } of seals) tiles.push(...tree.append(leafHash))
    const origin = logOrigin(name, tenantId, year)
    const [size, root, frontier] = [tree.size, tree.root(), encodeFrontier(tree.frontier())]
    const signedBefore = isOpening ? 0 : known.signedSize
    const isSigned = isAllowed && size > signedBefore
    const note = isSigned ? key.signNote(origin, formatCheckpoint({ origin, size, root })) : null
    const outcome = await catalog.commitSeals(
      {
        ...{ tenantId, year, fromSize, seals, tiles, frontier, cursor, toSize: size },
        opening: opening?.commit ?? null,
        checkpoint: note === null ? null : { size, root, note, at },
      },
      options,
    )
    if (outcome === 'moved') {
      forget(tenantId)
      return outcome
    }
    const openedAt = isOpening ? at : (row?.openedAt ?? at)
    held.set(tenantId, {
      row: {
        ...{ tenantId, year, origin, size, frontier, openedAt, closedAt: null },
        cursor: cursor ?? row?.cursor ?? start,
      },
      tree,
      signedSize: isSigned ? size : signedBefore,
    })
    if (events.length > 0) parts.onSealed?.(events)
    return outcome
  }

  /** There is nothing to seal: what is still to be signed is, and a cursor that fell far behind is moved on. */
  async function settle(
    tenantId: TenantId,
    known: Held,
    horizon: string,
    options: CallOptions,
  ): Promise<void> {
    const { row, signedSize } = known
    if (row === null) return
    const isUnsigned = signedSize < row.size && (await guard.allows(row, options))
    const isBehind = BigInt(horizon) - BigInt(row.cursor.xid) > cursorLagMost
    if (!isUnsigned && !isBehind) return
    await commit(tenantId, known, { events: [], cursor: isBehind ? { xid: horizon, id: '' } : null }, options)
  }

  /** Those of a page of ids that no tree has. Returns where the next page begins; null at the end. */
  async function sealPage(
    tenantId: TenantId,
    { afterId, before }: { readonly afterId: string; readonly before: Date },
    options: CallOptions,
  ): Promise<{ readonly lastId: string | null; readonly horizon: string; readonly count: number }> {
    for (;;) {
      const page = await catalog.findStragglers(tenantId, { afterId, limit: batchMost, before }, options)
      if (page.events.length === 0) return { ...page, count: 0 }
      const known = await hold(tenantId, options)
      const outcome = await commit(tenantId, known, { events: page.events, cursor: null }, options)
      if (outcome === 'sealed') return { ...page, count: page.events.length }
      if (outcome === 'waits') return { ...page, lastId: null, count: 0 }
    }
  }

  async function sealAllPages(
    tenantId: TenantId,
    before: Date,
    options: CallOptions,
  ): Promise<{ readonly count: number; readonly horizon: string }> {
    let count = 0
    let firstHorizon: string | null = null
    for (let afterId: string | null = ''; afterId !== null; ) {
      options.signal?.throwIfAborted()
      const page = await sealPage(tenantId, { afterId, before }, options)
      count += page.count
      firstHorizon ??= page.horizon
      afterId = page.lastId
    }
    return { count, horizon: firstHorizon ?? start.xid }
  }

  return {
    async seal(tenantId, batches, options) {
      for (let batch = 0; batch < batches; batch++) {
        const known = await hold(tenantId, options)
        const after = known.row?.cursor ?? start
        const { events, horizon } = await catalog.nextUnsealed(tenantId, { after, limit: batchMost }, options)
        const last = events.at(-1)
        if (last === undefined) {
          await settle(tenantId, known, horizon, options)
          return false
        }
        const isAll = events.length < batchMost
        const cursor = isAll ? { xid: horizon, id: '' } : { xid: last.xid, id: last.id }
        const outcome = await commit(tenantId, known, { events, cursor }, options)
        if (outcome === 'waits' || (outcome === 'sealed' && isAll)) return false
      }
      return true
    },

    sealStragglers: async (tenantId, before, options) =>
      (await sealAllPages(tenantId, before, options)).count,

    forget,

    async adopt(tenantId, options) {
      // Whatever is written from now on has a number at or above this horizon.
      const { count, horizon } = await sealAllPages(tenantId, endOfTime, options)
      for (;;) {
        const known = await hold(tenantId, options)
        if (known.row === null) return count
        const cursor = { xid: horizon, id: '' }
        const outcome = await commit(tenantId, known, { events: [], cursor }, options)
        if (outcome !== 'moved') return count
      }
    },
  }
}

const emptyTree = (): Promise<GrowingTree> => restoreTree(0, async () => new Uint8Array(0))
