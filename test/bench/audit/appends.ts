// How many events a second become durable, and how soon each, beside a commit for each row on the same server.
import { createSecretKey, randomBytes } from 'node:crypto'
import type { EventId, TenantId } from '@auricle/contract'
import { quantile } from '../access/load.ts'
import type { Row } from '../report.ts'
import { type Contender, median, samplesOf, speedRatio, takeTurns } from '../rounds.ts'
import { openBenchClinic } from '../system/clinic.ts'
import type { Place } from '../system/product.ts'
import { type LogWay, openLogWay, openPlainWay, type Way, type WayOptions } from './contenders.ts'
import { measureSyncs } from './disk.ts'
import { runOffered, runWriters } from './load.ts'
import { timeOneEvent } from './one-event.ts'

const writerCounts = [1, 8, 32, 64] as const
const targetWriters = 32
const timesAtLeast = 2
/** What the API uses by default. */
const connectionsOfApi = 10
const sustained = { writers: 512, atLeast: 10_000 } as const
const offered = { eventsPerSecond: 2_000, p99AtMostMs: 15 } as const
/** Most events that share a commit (`event-log.ts`). */
const eventsOfCommit = 64
const secretBytes = 32
const msPerSecond = 1000
const idsAtOnce = 20_000

export interface AppendCounts {
  /** Of a writer, in a round; of the fewest writers ten times as many. */
  readonly ofWriter: number
  readonly sustained: number
  readonly offered: number
  readonly rounds: number
  readonly syncsMs: number
  readonly alone: number
}

export async function runAppends(place: Place, counts: AppendCounts): Promise<readonly Row[]> {
  const { tenant } = await openBenchClinic(place)
  const facts = { tenantId: tenant.id, privateParts: createSecretKey(randomBytes(secretBytes)) }
  const acknowledged: EventId[] = []
  const syncs: number[] = []
  const measureDisk = async () => {
    syncs.push(await measureSyncs(place.folder, counts.syncsMs))
  }

  await measureDisk()
  const rows: Row[] = []
  for (const writers of writerCounts) {
    rows.push(...(await compare(place, { ...facts, connections: writers }, counts, acknowledged)))
    await measureDisk()
  }
  const options = { ...facts, connections: connectionsOfApi }
  const most = await sustain(place, options, counts, acknowledged)
  await measureDisk()
  const latencies = await runLatencies(place, options, counts, acknowledged)
  await measureDisk()
  const syncRate = median(syncs)
  // The disk forbids it only where so many full commits, one after the other, would not do.
  const isAllowed = syncRate * eventsOfCommit >= sustained.atLeast
  return [
    {
      name: 'disk: 8 kB written and synced, one after the other',
      measured: syncRate,
      unit: '/s',
      target: null,
      detail: `${syncs.map(Math.round).join(', ')}: the most commits a second that do not share a sync`,
    },
    ...rows,
    ...most.map(({ isTarget, ...row }) => ({
      ...row,
      target: isTarget && isAllowed ? { atLeast: sustained.atLeast } : null,
      detail: `${(row.measured / syncRate).toFixed(1)} events for each sync the disk can do; ${row.detail}`,
    })),
    ...latencies,
    ...(await timeOneEvent(facts.tenantId, counts.alone)),
    await missing(place, facts.tenantId, acknowledged),
  ]
}

async function compare(
  place: Place,
  options: WayOptions,
  { ofWriter, rounds }: AppendCounts,
  acknowledged: EventId[],
): Promise<readonly Row[]> {
  const { connections: writers } = options
  await using log = openLogWay(place, options, 'no receipts')
  await using receipted = openLogWay(place, options, 'receipts')
  await using plain = openPlainWay(place, options)
  const count = ofWriter * (writers + 9)
  const contender = <Item>(way: Way<Item>): Contender => ({
    name: way.name,
    run: () => runWriters(way, writers, count),
  })
  const ours = [log, receipted]
  const samples = await takeTurns([...ours.map(contender), contender(plain)], {
    ...{ rounds, warmUps: 1, budgetMs: Number.POSITIVE_INFINITY, clock: 'wall' },
  })
  const rate = (name: string) => `${Math.round(msPerSecond / median(samplesOf(samples, name)))}/s`
  return ours.map(way => {
    for (const id of way.acknowledged) acknowledged.push(id)
    return {
      name: `${way.name}: events appended, ${writers} writers, against a commit for each`,
      measured: speedRatio(samples, way.name, plain.name),
      unit: 'x',
      target: writers === targetWriters && way === log ? { atLeast: timesAtLeast } : null,
      detail: `${rate(way.name)} against ${rate(plain.name)}; ${sharing(way)}`,
    }
  })
}

async function sustain(
  place: Place,
  options: WayOptions,
  counts: AppendCounts,
  acknowledged: EventId[],
): Promise<readonly (Omit<Row, 'target'> & { readonly isTarget: boolean })[]> {
  await using log = openLogWay(place, options, 'no receipts')
  await using receipted = openLogWay(place, options, 'receipts')
  const ours = [log, receipted]
  const contender = (way: LogWay): Contender => ({
    name: way.name,
    run: () => runWriters(way, sustained.writers, counts.sustained),
  })
  const samples = await takeTurns(ours.map(contender), {
    ...{ rounds: counts.rounds, warmUps: 1, budgetMs: Number.POSITIVE_INFINITY, clock: 'wall' },
  })
  return ours.map(way => {
    for (const id of way.acknowledged) acknowledged.push(id)
    const rounds = samplesOf(samples, way.name).map(ms => msPerSecond / ms)
    return {
      name: `${way.name}: events sustained, ${sustained.writers} writers`,
      measured: median(rounds),
      unit: '/s',
      detail: `rounds of ${counts.sustained}: ${rounds.map(Math.round).join(', ')}; ${sharing(way)}`,
      isTarget: way === log,
    }
  })
}

async function runLatencies(
  place: Place,
  options: WayOptions,
  counts: AppendCounts,
  acknowledged: EventId[],
): Promise<readonly Row[]> {
  await using log = openLogWay(place, options, 'receipts')
  await using plain = openPlainWay(place, options)
  const load = { eventsPerSecond: offered.eventsPerSecond, count: counts.offered }
  const p50 = { [log.name]: [] as number[], [plain.name]: [] as number[] }
  const p99 = { [log.name]: [] as number[], [plain.name]: [] as number[] }
  const run = async <Item>(way: Way<Item>, isCounted: boolean) => {
    globalThis.gc?.()
    const tookMs = await runOffered(way, load)
    if (!isCounted) return
    p50[way.name]?.push(quantile(tookMs, 0.5))
    p99[way.name]?.push(quantile(tookMs, 0.99))
  }
  for (let round = -1; round < counts.rounds; round++) {
    const isCounted = round >= 0
    if (round % 2 === 0) await run(log, isCounted)
    await run(plain, isCounted)
    if (round % 2 !== 0) await run(log, isCounted)
  }
  for (const id of log.acknowledged) acknowledged.push(id)
  const row = (share: string, values: Record<string, number[]>, target: Row['target']): Row => ({
    name: `${log.name}: an append at ${offered.eventsPerSecond} events/s, ${share}`,
    measured: median(values[log.name] ?? []),
    unit: 'ms',
    target,
    detail: `rounds ${shown(values[log.name])}; a commit for each row ${shown(values[plain.name])}`,
  })
  return [row('p50', p50, null), row('p99', p99, { atMost: offered.p99AtMostMs })]
}

/** Everything that the log acknowledged is looked for. */
async function missing(place: Place, tenantId: TenantId, ids: readonly EventId[]): Promise<Row> {
  let gone = 0
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const { rows } = await place.superuser.query(
      `select count(*)::int as gone from unnest($2::text[]) wanted (id)
       where not exists (select from auricle.audit_event e where e.tenant_id = $1 and e.id = wanted.id)`,
      [tenantId, ids.slice(at, at + idsAtOnce)],
    )
    gone += Number(rows[0]?.gone)
  }
  return {
    name: 'events acknowledged and not there',
    measured: gone,
    unit: 'count',
    target: { atMost: 0 },
    detail: `of ${ids.length.toLocaleString('en-US')}`,
  }
}

const sharing = ({ flushes }: LogWay) => `${(flushes.events / flushes.count).toFixed(1)} events a commit`
const shown = (values: readonly number[] = []) => values.map(value => value.toFixed(1)).join(', ')
