// The retention report and the look for what is due, on tenants of a decade that differ in size and in what is due.
import { type Catalog, createCatalog, createPool } from '@auricle/catalog'
import { ReportSection, type TenantId } from '@auricle/contract'
import { makeReport } from '@auricle/vault'
import pg from 'pg'
import { aStamper } from '../../event-writer.ts'
import { startSharedPostgres } from '../../shared-postgres.ts'
import type { Row } from '../report.ts'
import { median, samplesOf, speedRatio, takeTurns } from '../rounds.ts'
import { plainAggregate } from './plain.ts'
import { seedDecade, seededUntil } from './seed.ts'

export const method =
  'Embedded PostgreSQL, whose tenants have ten years of recordings, a third of them destroyed, one in four decided twice, ' +
  'twelve holds. The report is all its sections with the first 100 recordings of each, as the API makes it, as of the end ' +
  'of the ten years. Beside it, in turn, what one would ask at a prompt: one statement that joins recordings with what was ' +
  'decided of them and counts recordings, bytes and hours by rule, kind, mailbox and status, by the same role in the same ' +
  'database. The sweep is what finds the recordings that are due, page by page, before anything is done with them. Memory ' +
  'is the most that this process had while it made reports.'

interface Sizes {
  readonly recordings: readonly number[]
  readonly rounds: number
}

const full: Sizes = { recordings: [10_000, 100_000, 1_000_000], rounds: 7 }
const quick: Sizes = { recordings: [10_000, 100_000], rounds: 5 }
/** The same at every size, and ten times of it at one. */
const due = 1000
const moreDue = 10_000
const pageMost = 500
const linesMost = 100
const ratioAtMost = 2
const growthAtMost = 2
const memoryAtMostMb = 64
const bytesPerMb = 1_000_000
const budgetMs = 10 * 60_000
const rssEveryMs = 5

export async function runRetention({ isQuick }: { readonly isQuick: boolean }): Promise<readonly Row[]> {
  const { recordings: sizes, rounds } = isQuick ? quick : full
  await using server = await startSharedPostgres()
  const superuser = new pg.Client(server.superuser)
  await superuser.connect()
  const pool = createPool(server.app)
  try {
    const catalog = createCatalog({ pool, stamper: aStamper() })
    const tenants = new Map<number, TenantId>()
    for (const recordings of sizes) tenants.set(recordings, await seedDecade(superuser, { recordings, due }))
    const [, middle = moreDue] = sizes
    const another = await seedDecade(superuser, { recordings: middle, due: moreDue })
    const reports = []
    for (const [size, tenant] of tenants) reports.push(await report(catalog, pool, tenant, size, rounds))
    const first = reports[0]?.peakMb ?? 0
    const last = reports.at(-1)?.peakMb ?? 0
    const sweeps = await sweep(catalog, [...tenants, [middle, another]], rounds)
    return [
      ...reports.map(({ row }) => row),
      {
        name: `memory of the report, from ${count(sizes[0])} to ${count(sizes.at(-1))} recordings`,
        ...{ measured: Math.max(0, last - first), unit: 'MB', target: { atMost: memoryAtMostMb } },
        detail: reports.map(({ peakMb }) => `${Math.round(peakMb)} MB`).join(', '),
      },
      ...sweeps,
    ]
  } finally {
    await pool.end()
    await superuser.end()
  }
}

const count = (value: number | undefined) => (value ?? 0).toLocaleString('en-US')
const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

async function report(catalog: Catalog, pool: pg.Pool, tenantId: TenantId, size: number, rounds: number) {
  const asked = {
    ...{ tenantId, columns: null, asOf: seededUntil, madeAt: seededUntil, sections: ReportSection.options },
    ...{ linesMost, cursor: null },
  }
  let peak = 0
  const ours = async () => {
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss())
    }, rssEveryMs)
    const made = await makeReport({ catalog }, asked, {})
    clearInterval(timer)
    peak = Math.max(peak, process.memoryUsage.rss())
    if (made.status?.total.recordings === 0) throw new Error('a report of nothing')
    return 1
  }
  const plain = async () => {
    const groups = await plainAggregate(pool, tenantId, seededUntil)
    if (groups === 0) throw new Error('an aggregate of nothing')
    return 1
  }
  const samples = await takeTurns(
    [
      { name: 'ours', run: ours },
      { name: 'plain', run: plain },
    ],
    { rounds, warmUps: 1, budgetMs, clock: 'wall' },
  )
  const [took, plainTook] = [median(samplesOf(samples, 'ours')), median(samplesOf(samples, 'plain'))]
  const row: Row = {
    name: `report of ${count(size)} recordings, against the plain aggregate`,
    ...{ measured: speedRatio(samples, 'plain', 'ours'), unit: 'x', target: { atMost: ratioAtMost } },
    detail: `${ms(took)} against ${ms(plainTook)}`,
  }
  return { row, peakMb: peak / bytesPerMb }
}

/** The last of the tenants has the size of the second and more that is due. */
async function sweep(
  catalog: Catalog,
  tenants: readonly (readonly [size: number, tenantId: TenantId])[],
  rounds: number,
): Promise<readonly Row[]> {
  const contenders = tenants.map(([, tenantId], index) => ({
    name: String(index),
    run: async () => await findDue(catalog, tenantId),
  }))
  const samples = await takeTurns(contenders, { rounds, warmUps: 1, budgetMs, clock: 'wall' })
  const each = tenants.map((_, index) => median(samplesOf(samples, String(index))))
  const sameDue = each.slice(0, -1)
  const sizes = tenants.slice(0, -1).map(([size]) => count(size))
  const at = (value: number | undefined) => ms((value ?? 0) * due)
  return [
    {
      name: `sweep of ${count(due)} due, among the most against among the fewest recordings`,
      ...{ measured: (sameDue.at(-1) ?? 0) / (sameDue[0] ?? 1), unit: 'x', target: { atMost: growthAtMost } },
      detail: sameDue.map((value, index) => `${at(value)} among ${sizes[index]}`).join(', '),
    },
    {
      name: `sweep of ${count(moreDue)} due against ${count(due)}, each recording`,
      ...{ measured: (each.at(-1) ?? 0) / (each[1] ?? 1), unit: 'x', target: { atMost: growthAtMost } },
      detail: `${ms((each.at(-1) ?? 0) * moreDue)} against ${at(each[1])}, among ${sizes[1]}`,
    },
  ]
}

/** As the worker looks for it once an hour. */
async function findDue(catalog: Catalog, tenantId: TenantId): Promise<number> {
  let found = 0
  let after: Awaited<ReturnType<Catalog['listDue']>>[number] | null = null
  for (;;) {
    const asked = { now: seededUntil, alsoKept: false, after, limit: pageMost }
    const page: Awaited<ReturnType<Catalog['listDue']>> = await catalog.listDue(tenantId, asked)
    found += page.length
    after = page.at(-1) ?? null
    if (page.length < pageMost) break
  }
  if (found === 0) throw new Error('nothing is due')
  return found
}
