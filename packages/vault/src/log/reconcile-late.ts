// Brings into the database what processes have left in write-once storage and did not live to bring themselves.
//
// Objects stay there for years, so they are not all looked at each time: ids begin with their time, and what is younger
// than a few hours is enough, except at first and once a day. Doing it twice, or at the same time as the process whose
// events they are, brings each event once.
import type { StoredRecord } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import type { EventId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { isError } from '../error.ts'
import { type LateStore, listLate, readLate } from './late-events.ts'
import { ownEvent } from './own-event.ts'

export interface ReconcileParts {
  readonly catalog: Pick<Catalog, 'listTenants' | 'findMissingEvents' | 'commitLate'>
  readonly store: Pick<LateStore, 'list' | 'read'>
  /** Which part of the vault does it, as the log names it. */
  readonly by: string
  /** Default: the system's clock. */
  readonly now?: () => Date
  /** Told of an object that is no event of the vault's, or another than the log has under its id. */
  readonly onAltered: (altered: { readonly tenantId: TenantId; readonly eventId: EventId }) => void
}

export interface LateReconciler {
  /** How many events it has brought. */
  run(options: CallOptions): Promise<number>
}

/** As many as one event can name. */
const batchMost = 100
const fullMs = 24 * 60 * 60_000

export function createLateReconciler(parts: ReconcileParts): LateReconciler {
  const { catalog, store, by, onAltered, now = () => new Date() } = parts
  /** What has been looked at: it is in the log, or never will be. */
  let known = new Set<EventId>()
  let fullAtMs = Number.NEGATIVE_INFINITY

  async function bring(tenantId: TenantId, ids: readonly EventId[], options: CallOptions): Promise<number> {
    const missing = await catalog.findMissingEvents(tenantId, ids, options)
    const records: StoredRecord[] = []
    for (const id of missing) {
      const record = await readOwn(tenantId, id, options)
      if (record === null) onAltered({ tenantId, eventId: id })
      else records.push(record)
    }
    const brought = records.length === 0 ? 0 : await commit(tenantId, records, options)
    for (const id of ids) known.add(id)
    return brought
  }

  async function commit(
    tenantId: TenantId,
    records: readonly StoredRecord[],
    options: CallOptions,
  ): Promise<number> {
    const reconciled = (events: readonly EventId[]) => {
      const detail = { kind: 'reconciled' as const, events: [...events] }
      return ownEvent({ tenantId, by, action: 'log.reconciled', detail }, now())
    }
    const brought = await catalog.commitLate(tenantId, records, reconciled, options)
    for (const eventId of brought.altered) onAltered({ tenantId, eventId })
    return brought.missing.length
  }

  async function readOwn(
    tenantId: TenantId,
    id: EventId,
    options: CallOptions,
  ): Promise<StoredRecord | null> {
    try {
      return await readLate(store, tenantId, id, options)
    } catch (error) {
      if (isError(error, 'VaultError', 'damaged')) return null
      throw error
    }
  }

  return {
    async run(options) {
      const startedMs = now().getTime()
      const isFull = startedMs - fullAtMs >= fullMs
      if (isFull) known = new Set()
      let brought = 0
      for (const { id: tenantId } of await catalog.listTenants(options)) {
        let batch: EventId[] = []
        for await (const id of listLate(store, tenantId, isFull ? null : now(), options)) {
          if (known.has(id)) continue
          batch.push(id)
          if (batch.length < batchMost) continue
          brought += await bring(tenantId, batch, options)
          batch = []
        }
        if (batch.length > 0) brought += await bring(tenantId, batch, options)
      }
      if (isFull) fullAtMs = startedMs
      return brought
    },
  }
}
