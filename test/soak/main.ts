// Soak: ten thousand small deliveries through ingest and worker; afterwards memory, handles, children, connections,
// queue and intake are back at the level they had after the first few hundred.
//
//   npm run soak -- --deliveries 10000
//
// Both levels are measured at rest: after the first 500 deliveries, and after all, when everything is archived and
// idle connections have been closed. Memory is what is used after a full collection, judged by its level at rest and by
// its slope over the run; what the process holds of the machine (RSS) swings with the collector and has a wider bound.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openClinic } from '../harness/clinic.ts'
import { deliver } from '../harness/delivery.ts'
import { findFreePort } from '../harness/free-port.ts'
import { makeWave, readSamples } from '../harness/samples.ts'
import { openStack, type Stack } from '../harness/stack.ts'
import { createVerdict, mebibytes, printTable, say, seconds } from '../harness/verdict.ts'
import { type Leftovers, leftoversOf, slopeOf, type Vitals, vitalsOf } from './vitals.ts'

const warmUpDeliveries = 500
const lanes = 8
const sampleEveryMs = 2_000
/** Fewer prove no slope. */
const samplesLeast = 5
const progressEveryMs = 10_000
const archiveMostMs = 10 * 60_000
const deliveryTimeoutMs = 60_000
/** Longer than the pools keep an idle connection (30 s), and time for the collector. */
const restMs = 40_000
const pollMs = 250
const waveBytes = 3_000
const gsmFrameBytes = 33
const gsmFrames = 60
/** What the levels at rest may rise by, and how much a delivery may add over the run. */
const usedRiseMostBytes = 8 * 2 ** 20
const rssRiseMostBytes = 64 * 2 ** 20
const slopeMostBytes = 1_024
const handlesMost = 4
/** BullMQ trims its events to about this many. */
const eventRowsMost = 2_500

const { values } = parseArgs({
  options: {
    deliveries: { type: 'string', default: '10000' },
    ffmpeg: { type: 'boolean', default: false },
  },
})
const deliveries = Number(values.deliveries)
if (!Number.isSafeInteger(deliveries) || deliveries <= warmUpDeliveries)
  throw new RangeError(`Give a whole number above ${warmUpDeliveries}`)

type Measured = Readonly<Record<'ingest' | 'worker', Vitals>> & { readonly leftovers: Leftovers }
interface Point {
  readonly x: number
  readonly y: number
}

const startedMs = performance.now()
const verdict = createVerdict()
await run()
say(`took ${seconds(performance.now() - startedMs)}`)
verdict.finish('soak')

async function run(): Promise<void> {
  await using opening = new AsyncDisposableStack()
  const inspectors = { ingest: await findFreePort(), worker: await findFreePort() }
  const inspect = (port: number) => [`--inspect=127.0.0.1:${port}`]
  const prepared = opening.use(
    await openStack({
      name: 'soak',
      logLevel: 'info',
      workerConcurrency: 4,
      // Two ffmpeg processes a recording would be most of the time and nothing of what is measured here.
      nodeOptions: { ingest: inspect(inspectors.ingest), worker: inspect(inspectors.worker) },
      env: values.ffmpeg ? {} : { worker: { AURICLE_FFMPEG: 'none' } },
    }),
  )
  const clinic = await openClinic(prepared, {
    slug: 'soak',
    name: 'Soak Clinic',
    mailboxAddress: '2001',
    mailboxName: 'Front desk',
    clinicianName: 'Clinician',
    password: 'a password for a test only',
    allowedHosts: [],
  })
  const stack = await prepared.startServices()
  const samples = readSamples()
  const wave = samples.find(({ file }) => file === 'voicemail-mulaw.wav')?.wave
  const gsm = samples.find(({ file }) => file === 'voicemail.gsm')
  if (wave === undefined || wave === null || gsm === undefined) throw new TypeError('A sample is missing')

  let taken = 0
  let refused = 0
  let sentBytes = 0
  const deliverOne = async (index: number) => {
    const isUpload = index % 2 === 0
    const start = (index % 500) * gsmFrameBytes
    const audio = isUpload
      ? gsm.bytes.subarray(start, start + gsmFrames * gsmFrameBytes)
      : makeWave(wave, waveBytes, `soak ${index}`)
    const answer = await deliver(isUpload ? 'upload' : 'multipart', {
      ingestUrl: stack.urls.ingest,
      point: isUpload ? clinic.upload : clinic.standard,
      sourceId: `soak-${randomUUID()}`,
      facts: { kind: 'voicemail', mailbox: clinic.mailbox, from: '+15550100', from_name: `Caller ${index}` },
      audio,
      contentType: isUpload ? gsm.contentType : 'audio/wav',
      fileName: isUpload ? `soak-${index}.gsm` : `soak-${index}.wav`,
      timeoutMs: deliveryTimeoutMs,
    }).catch(() => null)
    sentBytes += audio.length
    if (answer?.status === 200) taken++
    else refused++
  }
  const points: Record<'ingest' | 'worker', Point[]> = { ingest: [], worker: [] }
  const deliverTo = async (most: number) => {
    let next = taken + refused
    const lane = async () => {
      while (next < most) {
        const index = next++
        await deliverOne(index)
      }
    }
    const sampling = setInterval(() => {
      for (const name of ['ingest', 'worker'] as const) {
        vitalsOf(stack.services[name], inspectors[name])
          .then(({ usedBytes }) => points[name].push({ x: taken, y: usedBytes }))
          .catch(() => undefined)
      }
    }, sampleEveryMs)
    const report = setInterval(() => say(`  ${taken} delivered`), progressEveryMs)
    await Promise.all(Array.from({ length: lanes }, lane))
    clearInterval(sampling)
    clearInterval(report)
  }

  say(`soak: ${deliveries} deliveries, ${values.ffmpeg ? 'with' : 'without'} ffmpeg`)
  await deliverTo(warmUpDeliveries)
  await archiveAll(stack, taken)
  const before = await atRest(stack, inspectors)
  points.ingest.length = 0
  points.worker.length = 0
  const sinceMs = performance.now()
  await deliverTo(deliveries)
  const deliveredMs = performance.now() - sinceMs
  say(
    `  all delivered, ${((deliveries - warmUpDeliveries) / (deliveredMs / 1_000)).toFixed(0)} a second beside the worker`,
  )
  const archived = await archiveAll(stack, taken)
  say(`  all archived ${seconds(performance.now() - sinceMs - deliveredMs)} later`)
  const after = await atRest(stack, inspectors)
  verdict.check(
    refused === 0,
    'every delivery was taken',
    `${taken} taken, ${refused} not, ${mebibytes(sentBytes)}`,
  )
  verdict.check(archived === taken, 'every one of them is archived', `${archived}`)
  judge(stack, before, after, points)
}

async function archiveAll({ superuser }: Stack, wanted: number): Promise<number> {
  const until = performance.now() + archiveMostMs
  let saidMs = performance.now()
  for (;;) {
    const { rows } = await superuser.query<{ n: number }>('select count(*)::int as n from auricle.recording')
    const archived = rows[0]?.n ?? 0
    if (archived >= wanted || performance.now() > until) return archived
    if (performance.now() - saidMs > progressEveryMs) {
      say(`  ${archived} of ${wanted} archived`)
      saidMs = performance.now()
    }
    await delay(pollMs)
  }
}

async function atRest(
  stack: Stack,
  inspectors: Readonly<Record<'ingest' | 'worker', number>>,
): Promise<Measured> {
  await delay(restMs)
  const { services } = stack
  const ingest = await vitalsOf(services.ingest, inspectors.ingest)
  const worker = await vitalsOf(services.worker, inspectors.worker)
  return { ingest, worker, leftovers: await leftoversOf(stack) }
}

function judge(
  stack: Stack,
  before: Measured,
  after: Measured,
  points: Readonly<Record<'ingest' | 'worker', readonly Point[]>>,
): void {
  const row = (name: string, a: number, b: number, show: (value: number) => string = String) => [
    name,
    show(a),
    show(b),
    show(b - a),
  ]
  const slopes = { ingest: slopeOf(points.ingest), worker: slopeOf(points.worker) }
  printTable(
    ['at rest', `after ${warmUpDeliveries}`, `after ${deliveries}`, 'rise'],
    [
      ...(['ingest', 'worker'] as const).flatMap(name => [
        row(`${name}: memory used`, before[name].usedBytes, after[name].usedBytes, mebibytes),
        row(`${name}: RSS`, before[name].rssBytes, after[name].rssBytes, mebibytes),
        row(`${name}: handles`, before[name].handles, after[name].handles),
        row(`${name}: children`, before[name].children, after[name].children),
      ]),
      row('database connections', before.leftovers.connections, after.leftovers.connections),
      row('outbox rows', before.leftovers.outboxRows, after.leftovers.outboxRows),
      row('queue: jobs', before.leftovers.jobRows, after.leftovers.jobRows),
      row('queue: events', before.leftovers.eventRows, after.leftovers.eventRows),
      row('queue: other rows', before.leftovers.otherQueueRows, after.leftovers.otherQueueRows),
      row('intake objects', before.leftovers.intakeObjects, after.leftovers.intakeObjects),
      row('temporary files of the store', before.leftovers.temporaryFiles, after.leftovers.temporaryFiles),
      row('files in TMPDIR', before.leftovers.processTemporaryFiles, after.leftovers.processTemporaryFiles),
    ],
  )
  for (const name of ['ingest', 'worker'] as const) {
    const used = after[name].usedBytes - before[name].usedBytes
    const rss = after[name].rssBytes - before[name].rssBytes
    verdict.check(
      used <= usedRiseMostBytes,
      `memory that ${name} uses is back at its level, within ${mebibytes(usedRiseMostBytes)}`,
      mebibytes(used),
    )
    verdict.check(
      points[name].length >= samplesLeast && slopes[name] <= slopeMostBytes,
      `  and does not rise with the deliveries, within ${slopeMostBytes} bytes each`,
      `${slopes[name].toFixed(0)} bytes each, over ${points[name].length} samples`,
    )
    verdict.check(
      rss <= rssRiseMostBytes,
      `RSS of ${name} is back at its level, within ${mebibytes(rssRiseMostBytes)}`,
      mebibytes(rss),
    )
    verdict.check(
      after[name].handles - before[name].handles <= handlesMost,
      `handles of ${name} are back at their level`,
      `${before[name].handles} then, ${after[name].handles} now`,
    )
    verdict.check(after[name].children === 0, `${name} has no child left`, String(after[name].children))
    verdict.check(stack.services[name].falls === 0, `${name} never fell over`)
  }
  const { leftovers: now } = after
  verdict.check(
    now.connections <= before.leftovers.connections + handlesMost,
    'connections to the database are back at their level',
    `${before.leftovers.connections} then, ${now.connections} now`,
  )
  verdict.check(
    now.outboxRows === 0 && now.jobRows === 0,
    'outbox and queue are empty',
    `${now.outboxRows} and ${now.jobRows} rows`,
  )
  verdict.check(
    now.eventRows <= eventRowsMost && now.otherQueueRows <= before.leftovers.otherQueueRows + handlesMost,
    'the tables of the queue do not grow with the deliveries',
    `${now.eventRows} events, ${now.otherQueueRows} other rows`,
  )
  verdict.check(
    now.intakeObjects === 0 && now.temporaryFiles === 0 && now.processTemporaryFiles === 0,
    'intake and temporary folders are empty',
    `${now.intakeObjects}, ${now.temporaryFiles}, ${now.processTemporaryFiles}`,
  )
}
