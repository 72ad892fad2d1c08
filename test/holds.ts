// Holds for tests of the catalog: placed, extended and released for one tenant, by a clock that goes on by itself.
import type { Catalog, HoldAdditions, HoldCriteria, NewHoldClause, NewHoldRow } from '@auricle/catalog'
import { type HoldId, type Label, newHoldId, type RecordingId } from '@auricle/contract'
import type pg from 'pg'
import { anEvent, anInstant, type TestTenant } from './catalog-fixture.ts'

export const noCriteria: HoldCriteria = {
  ...{ mailboxId: null, patientId: null, number: null, kind: null, label: null, after: null, before: null },
}
export const aClause = (said: Partial<HoldCriteria>): NewHoldClause => ({
  ...noCriteria,
  ...said,
  shown: '{}',
})
export const everything = aClause({})

export function createHolding(catalog: Catalog, appPool: pg.Pool, tenant: TestTenant) {
  const { tenantId, columns, userId: by } = tenant
  const event = async () => anEvent(tenantId)
  let clock = anInstant
  const tick = () => {
    clock = new Date(clock.getTime() + 1)
    return clock
  }
  const additions = (change: Partial<HoldAdditions> = {}): HoldAdditions => ({
    ...{ tenantId, id: newHoldId(), by, at: tick(), clauses: [], recordings: [], custodians: [] },
    ...change,
  })
  const aHold = (change: Partial<NewHoldRow> = {}): NewHoldRow => ({
    ...additions(),
    ...{ matter: 'Estate of Dana Example', notice: 'Keep the paper slips too.' },
    ...change,
  })

  /** A statement in the tenant, as the services' role. */
  async function inTenant<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
    const client = await appPool.connect()
    try {
      await client.query('begin')
      await client.query("select set_config('auricle.tenant', $1, true)", [tenantId])
      const { rows } = await client.query<R>(text, values)
      await client.query('commit')
      return rows
    } catch (error) {
      await client.query('rollback')
      throw error
    } finally {
      client.release()
    }
  }

  const cover = (id: RecordingId) =>
    inTenant('select auricle.cover_recording($1, $2, $3)', [tenantId, id, tick()])

  return {
    tick,
    aHold,
    inTenant,
    cover,
    place: async (change: Partial<NewHoldRow> = {}) => {
      const hold = aHold(change)
      return { ...(await catalog.placeHold(hold, columns, event)), id: hold.id }
    },
    extend: (change: Partial<HoldAdditions>) => catalog.extendHold(additions(change), columns, event),
    release: (id: HoldId, reason = 'The matter is settled') =>
      catalog.releaseHold({ tenantId, id, by, at: tick(), reason }, columns, event),
    releaseCover: async (id: HoldId, recordingId: RecordingId) =>
      catalog.releaseCover({ tenantId, id, recordingId, by, at: tick() }, await event()),
    /** The holds that cover a recording. */
    covers: async (id: RecordingId): Promise<readonly string[]> => {
      const rows = await inTenant<{ hold_id: string }>(
        'select hold_id from auricle.hold_cover where recording_id = $1 and released_at is null order by hold_id',
        [id],
      )
      return rows.map(row => row.hold_id)
    },
    relabel: async (id: RecordingId, add: readonly Label[], remove: readonly Label[] = []) => {
      await catalog.commitLabels({ tenantId, recordingId: id, add, remove }, await event())
    },
    /** Of which recordings the stores were asked to follow. */
    askedStores: async (): Promise<ReadonlySet<string>> => {
      const rows = await inTenant<{ recording_id: string }>('select recording_id from auricle.store_work')
      return new Set(rows.map(row => row.recording_id))
    },
    forgetStoreWork: () => inTenant('delete from auricle.store_work'),
  }
}
export type Holding = ReturnType<typeof createHolding>
