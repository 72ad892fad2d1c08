// How soon what happened is in a tree and in write-once storage under a steady load, and how fast a backlog is sealed.
import { createSecretKey, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TenantId } from '@auricle/contract'
import { quantile } from '../access/load.ts'
import type { Row } from '../report.ts'
import { type Child, startChild } from '../system/child.ts'
import { openBenchClinic } from '../system/clinic.ts'
import { type Place, serviceEnvironment } from '../system/product.ts'
import { openLogWay } from './contenders.ts'
import type { KeeperAnswer, KeeperQuestion } from './keeper.ts'
import { runOffered } from './load.ts'
import { makeRecords } from './records.ts'

const backlogAtLeast = 20_000
const sealedAtMostS = 2
const publishedAtMostS = 15
const eventsPerSecond = 500
/** Two rounds of publishing after the last event. */
const afterMs = 22_000
const insertsAtOnce = 500
const anchorCheckpoints = 'anchor/checkpoint/'
const secretBytes = 32
const msPerSecond = 1000

export interface KeepingCounts {
  readonly backlog: number
  readonly steadySeconds: number
}

export async function runKeeping(place: Place, counts: KeepingCounts): Promise<readonly Row[]> {
  const { tenant } = await openBenchClinic(place)
  const env = serviceEnvironment(place, 'worker')
  const started = await startChild<null>(join(import.meta.dirname, 'keeper.ts'), [], env)
  await using keeper = started.child
  return [
    await sealBacklog(place, keeper, tenant.id, counts),
    ...(await keepUp(place, keeper, tenant.id, counts)),
  ]
}

const ask = (keeper: Child, question: KeeperQuestion) => keeper.ask<KeeperAnswer>(question)

async function sealBacklog(
  { adapters }: Place,
  keeper: Child,
  tenantId: TenantId,
  { backlog }: KeepingCounts,
): Promise<Row> {
  // A keeper that begins seals what there is in another way: that is done before the clock runs.
  await ask(keeper, { work: 'seal' })
  for (let left = backlog; left > 0; left -= insertsAtOnce) {
    await adapters.catalog.appendEvents(await makeRecords(tenantId, Math.min(left, insertsAtOnce), null))
  }
  const { tookMs, sealedMs } = await ask(keeper, { work: 'seal' })
  if (sealedMs.length < backlog) throw new Error(`${sealedMs.length} of ${backlog} events were sealed`)
  return {
    name: 'events of a backlog sealed',
    measured: (sealedMs.length * msPerSecond) / tookMs,
    unit: '/s',
    target: { atLeast: backlogAtLeast },
    detail: `${sealedMs.length.toLocaleString('en-US')} events in ${(tookMs / msPerSecond).toFixed(1)} s, tree, places, tiles, checkpoints`,
  }
}

async function keepUp(
  place: Place,
  keeper: Child,
  tenantId: TenantId,
  { steadySeconds }: KeepingCounts,
): Promise<readonly Row[]> {
  const privateParts = createSecretKey(randomBytes(secretBytes))
  await using log = openLogWay(place, { tenantId, privateParts, connections: 10 }, 'receipts')
  const keeping = ask(keeper, { work: 'keep', forMs: steadySeconds * msPerSecond + afterMs })
  const load = runOffered(log, { eventsPerSecond, count: eventsPerSecond * steadySeconds })
  const [{ sealedMs }] = await Promise.all([keeping, load])
  const publishedMs = await publishAges(place, tenantId, log.acknowledged)
  const ages = (what: string, agesMs: readonly number[], atMostS: number): Row[] =>
    [0.5, 0.99].map(share => ({
      name: `${what}, p${share * 100}`,
      measured: quantile(agesMs, share) / msPerSecond,
      unit: 's',
      target: share === 0.99 ? { atMost: atMostS } : null,
      detail: `of ${agesMs.length.toLocaleString('en-US')}, at ${eventsPerSecond} events/s; longest ${(Math.max(...agesMs.slice(-50_000)) / msPerSecond).toFixed(2)} s`,
    }))
  return [
    ...ages('from its statement to a place in the tree', sealedMs, sealedAtMostS),
    ...ages('from its statement to write-once storage, anchored', publishedMs, publishedAtMostS),
  ]
}

/**
 * Until the object was there of the first checkpoint of the log over all logs that stands for the event: by the store's
 * clock, whatever the database says.
 */
async function publishAges(
  { superuser, adapters }: Place,
  tenantId: TenantId,
  eventIds: readonly string[],
): Promise<readonly number[]> {
  const anchors: { readonly size: number; readonly atMs: number }[] = []
  for await (const { key, createdAt } of adapters.logStore.list(anchorCheckpoints)) {
    anchors.push({ size: Number(key.slice(anchorCheckpoints.length)), atMs: createdAt.getTime() })
  }
  anchors.sort((one, other) => one.size - other.size)
  const { rows: leaves } = await superuser.query(
    'select seq::int, size::int from auricle.anchor_leaf where tenant_id = $1 order by seq',
    [tenantId],
  )
  const steps = leaves.map(({ seq, size }) => ({
    size: Number(size),
    atMs: anchors.find(anchor => anchor.size > Number(seq))?.atMs ?? Number.POSITIVE_INFINITY,
  }))
  const { rows } = await superuser.query(
    `select s.seq::int, extract(epoch from e.recorded_at)::float8 * 1000 as at
     from auricle.audit_event e join auricle.audit_seal s on s.tenant_id = e.tenant_id and s.event_id = e.id
     where e.tenant_id = $1 and e.id = any($2::text[])`,
    [tenantId, eventIds],
  )
  if (rows.length !== eventIds.length) throw new Error('Not every event of the load was sealed')
  return rows.map(({ seq, at }) => {
    const step = steps.find(({ size }) => size > Number(seq))
    return (step?.atMs ?? Number.POSITIVE_INFINITY) - Number(at)
  })
}
