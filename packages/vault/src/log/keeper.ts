// Keeps the log: of all workers one at a time seals, anchors, publishes and looks for what was missed.
//
// Whoever has the advisory lock is that one; when its connection breaks, it stops counting on what it knows, and another
// takes over from what is stored. Two that both believe to be the one do each other no harm (`sequence.ts`).
import type { Catalog, Leadership } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { KeyService } from '@auricle/keys'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord, type EventFacts } from '../audit-record.ts'
import { newAlert } from '../break-glass/alert.ts'
import { type Anchor, createAnchor } from './anchor.ts'
import { type LogKey, openLogKey } from './log-keys.ts'
import { LogRefusal, type LogRefusalCode } from './log-refusal.ts'
import { createSequencer, type Sequencer } from './sequence.ts'
import type { Witnesses } from './witness-client.ts'
import type { LogStore } from './write-once.ts'

/** What becomes of the log, for whoever watches. */
export interface LogWatch {
  /** How long each event was without a place. */
  sealed?(agesMs: readonly number[]): void
  /** A checkpoint is in write-once storage, and how long after it was signed. */
  published?(ageMs: number): void
  /** A log is not gone on with; null for the log over all logs. Told once, until it is restored. */
  refused?(tenantId: TenantId | null, code: LogRefusalCode, error: unknown): void
  restored?(tenantId: TenantId | null): void
  failed?(tenantId: TenantId | null, error: unknown): void
  /** Events that the sequencer could not have seen were found and sealed. */
  stragglers?(tenantId: TenantId, count: number): void
  /** The database is in another cluster than the log was, or the log is new. */
  adopted?(count: number): void
}

export interface LogKeeperParts {
  readonly catalog: Catalog
  readonly store: LogStore
  readonly keys: Pick<KeyService, 'ensure' | 'key' | 'signer'>
  readonly name: string
  readonly witnesses: Witnesses
  readonly watch: LogWatch
  /** Default: the system's clock. */
  readonly now?: (() => Date) | undefined
  /** See `SequencerParts`. */
  readonly batchMost?: number | undefined
}

/** Each call does nothing where another process keeps the log. */
export interface LogKeeper extends AsyncDisposable {
  /** One pass over all tenants that have something to seal or to sign; true where there may be more. */
  seal(options: CallOptions): Promise<boolean>
  /** One round of publishing and anchoring. */
  publish(options: CallOptions): Promise<void>
  /** Looks at every event of every tenant for those that no tree has. Returns how many there were. */
  sweep(options: CallOptions): Promise<number>
}

/** Transactions of one tenant before it is the next one's turn. */
const batchesAtOnce = 8
/** A log that is refused is looked at again after this long: somebody may have mended it. */
const askAgainMs = 10_000
/** Logs that could not be signed when they were sealed are looked for this often. */
const unsignedPauseMs = 5_000
/** Younger than this, an event may be on its way to be sealed as usual. */
const stragglerAgeMs = 60_000

interface Term extends AsyncDisposable {
  readonly leadership: Leadership
  readonly sequencer: Sequencer
  readonly anchor: Anchor
}

export function createLogKeeper(parts: LogKeeperParts): LogKeeper {
  const { catalog, keys, watch, now = () => new Date() } = parts
  let current: Term | null = null
  let taking: Promise<Term | null> | null = null
  /** By what was to be done, and for whom. */
  const refused = new Map<string, { readonly askAgainAt: number }>()
  let lookForUnsignedAt = 0

  /** Null where another process has the lead. */
  function term(options: CallOptions): Promise<Term | null> {
    taking ??= take(options).finally(() => {
      taking = null
    })
    return taking
  }

  async function take(options: CallOptions): Promise<Term | null> {
    if (current !== null && !current.leadership.lost.aborted) return current
    const before = current
    current = null
    await before?.[Symbol.asyncDispose]()
    await using opening = new AsyncDisposableStack()
    const leadership = await catalog.lead(options)
    if (leadership === null) return null
    opening.use(leadership)
    await keys.ensure({ purpose: 'checkpoints' }, options)
    const begun = begin(leadership)
    await adopt(begun.sequencer, options)
    lookForUnsignedAt = 0
    const opened = opening.move()
    current = { ...begun, [Symbol.asyncDispose]: () => opened.disposeAsync() }
    return current
  }

  function begin(leadership: Leadership): Omit<Term, typeof Symbol.asyncDispose> {
    const { store, name, witnesses, batchMost } = parts
    const logKeys = new Map<number, Promise<LogKey>>()
    const key = (year: number, options: CallOptions): Promise<LogKey> => {
      const known = logKeys.get(year)
      if (known !== undefined) return known
      const opened = openLogKey({ catalog, keys, now }, year, options)
      logKeys.set(year, opened)
      opened.catch(() => logKeys.delete(year))
      return opened
    }
    const sequencer = createSequencer({
      ...{ catalog, store, name, now, key, batchMost },
      onSealed: events => {
        const at = now().getTime()
        watch.sealed?.(events.map(({ recordedAt }) => Math.max(0, at - recordedAt.getTime())))
      },
    })
    const anchor = createAnchor({
      ...{ catalog, store, name, now, witnesses },
      signer: keys.signer({ purpose: 'checkpoints' }),
      guarded: async ({ tenantId }, work) => {
        try {
          await guarded('publish', tenantId, async () => {
            try {
              await work()
            } catch (error) {
              sequencer.forget(tenantId)
              throw error
            }
          })
        } catch (error) {
          watch.failed?.(tenantId, error)
        }
      },
      onPublished: ({ oldest }) => watch.published?.(Math.max(0, now().getTime() - oldest.getTime())),
    })
    return { leadership, sequencer, anchor }
  }

  /** Numbers of transactions mean nothing in another cluster, so what is there is sealed first, whatever its numbers. */
  async function adopt(sequencer: Sequencer, options: CallOptions): Promise<void> {
    const { adopted, current: cluster } = await catalog.findCluster(options)
    if (adopted === cluster) return
    let count = 0
    for (const { id } of await catalog.listTenants(options)) {
      await guarded('seal', id, async () => {
        count += await sequencer.adopt(id, options)
      })
    }
    await catalog.adoptCluster(cluster, now(), options)
    watch.adopted?.(count)
  }

  /** A tenant's failure is that tenant's alone. */
  async function guarded(
    what: 'seal' | 'publish',
    tenantId: TenantId | null,
    work: () => Promise<void>,
  ): Promise<void> {
    const about = `${what} ${tenantId}`
    const before = refused.get(about)
    if (before !== undefined && now().getTime() < before.askAgainAt) return
    try {
      await work()
    } catch (error) {
      if (!(error instanceof LogRefusal)) throw error
      refused.set(about, { askAgainAt: now().getTime() + askAgainMs })
      if (before === undefined) await refuse(tenantId, error)
      return
    }
    if (before === undefined) return
    refused.delete(about)
    await restore(tenantId)
  }

  async function refuse(tenantId: TenantId | null, refusal: LogRefusal): Promise<void> {
    watch.refused?.(tenantId, refusal.code, refusal)
    if (tenantId === null) return
    const event = await eventOf(tenantId, 'log.degraded', [refusal.code])
    await catalog.appendEvents([event])
    const subject = { type: 'event', id: event.id }
    await catalog.raiseAlert(await newAlert(tenantId, 'log_refused', subject, cause, null, now()))
  }

  async function restore(tenantId: TenantId | null): Promise<void> {
    watch.restored?.(tenantId)
    if (tenantId !== null) await catalog.appendEvents([await eventOf(tenantId, 'log.restored', [])])
  }

  const eventOf = (
    tenantId: TenantId,
    action: 'log.degraded' | 'log.restored',
    reasons: readonly string[],
  ) => {
    const outcome = action === 'log.degraded' ? 'failed' : 'allowed'
    return auditRecord({ tenantId, action, outcome, object: null, reasons, ...cause }, null, now())
  }

  /** With something to seal, and now and then with something to sign. */
  async function busyTenants(options: CallOptions): Promise<ReadonlySet<TenantId>> {
    const busy = new Set((await catalog.listUnsealed(options)).map(({ tenantId }) => tenantId))
    if (now().getTime() < lookForUnsignedAt) return busy
    lookForUnsignedAt = now().getTime() + unsignedPauseMs
    for (const { tenantId, size, signedSize } of await catalog.listLogHeads(options))
      if (signedSize < size) busy.add(tenantId)
    return busy
  }

  return {
    async seal(options) {
      const led = await term(options)
      if (led === null) return false
      let isMore = false
      for (const tenantId of await busyTenants(options)) {
        options.signal?.throwIfAborted()
        if (led.leadership.lost.aborted) return true
        await guarded('seal', tenantId, async () => {
          if (await led.sequencer.seal(tenantId, batchesAtOnce, options)) isMore = true
        })
      }
      return isMore
    },

    async publish(options) {
      const led = await term(options)
      if (led === null) return
      await guarded('publish', null, () => led.anchor.round(options))
    },

    async sweep(options) {
      const led = await term(options)
      if (led === null) return 0
      let all = 0
      for (const { id } of await catalog.listTenants(options)) {
        await guarded('seal', id, async () => {
          // What is only waiting its turn is no straggler.
          while (await led.sequencer.seal(id, batchesAtOnce, options)) options.signal?.throwIfAborted()
          const before = new Date(now().getTime() - stragglerAgeMs)
          const count = await led.sequencer.sealStragglers(id, before, options)
          if (count > 0) await foundStragglers(id, count)
          all += count
        })
      }
      return all
    },

    async [Symbol.asyncDispose]() {
      await taking?.catch(() => undefined)
      const last = current
      current = null
      await last?.[Symbol.asyncDispose]()
    },
  }

  async function foundStragglers(tenantId: TenantId, count: number): Promise<void> {
    watch.stragglers?.(tenantId, count)
    const event = await eventOf(tenantId, 'log.degraded', ['stragglers'])
    await catalog.appendEvents([event])
    const subject = { type: 'event', id: event.id }
    await catalog.raiseAlert(await newAlert(tenantId, 'log_stragglers', subject, cause, null, now()))
  }
}

const cause = { actor: { type: 'system', name: 'worker' }, request: null } as const satisfies Pick<
  EventFacts,
  'actor' | 'request'
>
