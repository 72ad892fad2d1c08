// Deliveries a second, durable and sealed, against a plain server that only writes the files.
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openStack } from '../../harness/stack.ts'
import { peersFolder } from '../peers.ts'
import type { Row } from '../report.ts'
import { type Contender, median, samplesOf, speedRatio, takeTurns } from '../rounds.ts'
import { type Child, startChild } from '../system/child.ts'
import { openBenchClinic } from '../system/clinic.ts'
import { processorMs } from '../system/proc.ts'
import { startOne } from '../system/product.ts'
import type { Load, LoadAnswer } from './client.ts'

export const method =
  'Deliveries a second until the last was answered: one client process with requests signed beforehand, 16 ' +
  'connections that stay open, no worker running. Ours is the ingest service as a process of its own on embedded ' +
  'PostgreSQL, a folder of sealed objects and a local keyring: a 200 means sealed bytes, their name and the ' +
  'transaction are on disk. The other is one process of Express with multer that writes the same multipart bodies ' +
  'as plain files and syncs each file (not its folder) before it answers; no signature, no database. Same disk, same ' +
  'cores, rounds in turn. Afterwards everything answered is counted on both sides.'

const sizes = [
  { title: '40 KB', audioBytes: 40_000, count: 200 },
  { title: '500 KB', audioBytes: 500_000, count: 60 },
] as const
const connections = 16
const rounds = { rounds: 11, warmUps: 2, budgetMs: 25_000, clock: 'wall' } as const
const atLeast = 0.8
const msPerSecond = 1000

const ways = [
  { way: 'standard', title: 'signed multipart' },
  { way: 'upload', title: 'upload by PUT' },
] as const

export async function runDeliveries(): Promise<readonly Row[]> {
  await using place = await openStack({ name: 'bench', logLevel: 'info', workerConcurrency: 1 })
  const clinic = await openBenchClinic(place)
  await using ingest = await startOne(place, 'ingest')
  const plainFolder = join(place.folder, 'plain')
  await mkdir(plainFolder)
  const started = await startChild<number>(join(peersFolder, 'plain-server.mjs'), [plainFolder])
  await using plain = started.child
  const { child } = await startChild(join(import.meta.dirname, 'client.ts'), [])
  await using client = child

  const ingestPort = Number(new URL(place.urls.ingest).port)
  const doors = {
    standard: { port: ingestPort, path: `/v1/ingest/${clinic.standard.id}`, secret: clinic.standard.secret },
    upload: { port: ingestPort, path: `/v1/ingest/${clinic.upload.id}`, secret: clinic.upload.secret },
    plain: { port: started.hello, path: '/deliver', secret: '' },
  }
  const sent = { standard: 0, upload: 0, plain: 0 }
  const spentMs = new Map<string, number[]>()
  const rows: Row[] = []
  for (const { title, audioBytes, count } of sizes) {
    const contender = (way: Load['way'], pid: number): Contender => ({
      name: way,
      async run() {
        const load: Load = { way, ...doors[way], audioBytes, count, connections }
        const before = processorMs(pid)
        const { tookMs } = await deliver(client, load)
        sent[way] += count
        const key = `${way} ${title}`
        spentMs.set(key, [...(spentMs.get(key) ?? []), (processorMs(pid) - before) / count])
        return { units: count, tookMs }
      },
    })
    const samples = await takeTurns(
      [contender('standard', ingest.pid), contender('plain', plain.pid), contender('upload', ingest.pid)],
      rounds,
    )
    const rate = (name: string) => `${Math.round(msPerSecond / median(samplesOf(samples, name)))}/s`
    const spent = (way: string) => `${median(spentMs.get(`${way} ${title}`) ?? []).toFixed(2)} ms`
    for (const { way, title: wayTitle } of ways) {
      rows.push({
        name: `deliveries of ${title}, ${wayTitle}, against Express + multer`,
        measured: speedRatio(samples, way, 'plain'),
        unit: 'x',
        target: { atLeast },
        detail: `${rate(way)} against ${rate('plain')}; processor in the server ${spent(way)} against ${spent('plain')}`,
      })
    }
  }
  const { rows: counted } = await place.superuser.query('select count(*)::int as intakes from auricle.intake')
  const missing =
    sent.standard +
    sent.upload -
    Number(counted[0]?.intakes) +
    sent.plain -
    (await readdir(plainFolder)).length
  rows.push({
    name: 'deliveries answered and not there',
    measured: Math.abs(missing),
    unit: 'count',
    target: { atMost: 0 },
    detail: `${sent.standard + sent.upload} intakes, ${sent.plain} plain files`,
  })
  return rows
}

function deliver(client: Child, load: Load): Promise<LoadAnswer> {
  return client.ask<LoadAnswer>(load)
}
