// Resident memory of each service while a recording of 2 GB passes through it, over that of a small one.
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clinic } from '../../harness/clinic.ts'
import { openStack } from '../../harness/stack.ts'
import type { Row } from '../report.ts'
import { waitUntilArchived } from '../system/archive.ts'
import { openBenchClinic } from '../system/clinic.ts'
import { watchMemory } from '../system/proc.ts'
import { type Place, startOne } from '../system/product.ts'
import { longWave } from './long-wave.ts'

export const method =
  'Resident memory (VmRSS, ten times a second) of the real services, each a process of its own, while a WAV of ' +
  '2 GB passes: into ingest by PUT, through the worker (resealed, read back, decoded, rendered), out of the API. ' +
  'Growth is the peak then, over the peak while a WAV of 64 MB passed, which came first, three times. Bodies are made ' +
  'as they are sent; SHA-256 of what comes out is compared with what went in. ffmpeg runs beside the worker in ' +
  'processes of its own, which are not counted.'

const smallBytes = 64 * 1000 ** 2
const largeBytes = 2 * 1000 ** 3
const smallTimes = 3
const bytesPerMegabyte = 1000 ** 2
const msPerSecond = 1000
const growthMostMegabytes = 64
const archiveMostMs = 600_000

interface Passage {
  readonly peakBytes: number
  readonly tookMs: number
}

interface Delivered {
  readonly recordingId: string
  readonly bytes: number
  readonly sha256: string
}

export async function runMemory(): Promise<readonly Row[]> {
  await using place = await openStack({ name: 'bench', logLevel: 'info', workerConcurrency: 1 })
  const clinic = await openBenchClinic(place)
  const delivered: Delivered[] = []
  const rows: Row[] = []
  const sizes = [...Array.from({ length: smallTimes }, () => smallBytes), largeBytes]
  {
    await using ingest = await startOne(place, 'ingest')
    const passages: Passage[] = []
    for (const size of sizes) {
      passages.push(
        await watched(ingest.pid, async () => {
          delivered.push(await deliver(place, clinic, size))
        }),
      )
    }
    rows.push(rowOf('ingest, streaming in', passages))
  }
  {
    // One job after the other, in the order of delivery, so that each passage is one archive.
    await using worker = await startOne(place, 'worker')
    const passages: Passage[] = []
    for (const { recordingId } of delivered) {
      passages.push(
        await watched(worker.pid, async () => {
          await waitUntilArchived(place, recordingId, archiveMostMs)
        }),
      )
    }
    rows.push(rowOf('worker, archiving', passages))
  }
  {
    await using api = await startOne(place, 'api')
    const passages: Passage[] = []
    for (const original of delivered) {
      passages.push(await watched(api.pid, () => compare(place, clinic, original)))
    }
    rows.push(rowOf('api, streaming out', passages))
  }
  return rows
}

async function watched(pid: number, work: () => Promise<void>): Promise<Passage> {
  using memory = watchMemory(pid)
  const startedMs = performance.now()
  await work()
  return { peakBytes: memory.peakBytes, tookMs: performance.now() - startedMs }
}

function rowOf(title: string, passages: readonly Passage[]): Row {
  const large = passages.at(-1)
  if (large === undefined) throw new RangeError('nothing passed')
  const levelBytes = Math.max(...passages.slice(0, -1).map(({ peakBytes }) => peakBytes))
  const show = (bytes: number) => `${Math.round(bytes / bytesPerMegabyte)} MB`
  return {
    name: `growth of ${title} 2 GB`,
    measured: Math.max(0, large.peakBytes - levelBytes) / bytesPerMegabyte,
    unit: 'MB',
    target: { atMost: growthMostMegabytes },
    detail: `${show(large.peakBytes)} over ${show(levelBytes)} with 64 MB; it took ${Math.round(large.tookMs / msPerSecond)} s`,
  }
}

async function deliver(place: Place, { upload }: Clinic, sizeBytes: number): Promise<Delivered> {
  const wave = longWave(sizeBytes)
  const sha256 = createHash('sha256')
  const outgoing = request(`${place.urls.ingest}/v1/ingest/${upload.id}/${randomUUID()}.wav`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${upload.secret}`,
      'content-type': 'audio/wav',
      'content-length': String(wave.bytes),
    },
  })
  const answered = once(outgoing, 'response')
  await pipeline(Readable.from(hashed(wave.read(), sha256), { objectMode: false }), outgoing)
  const [answer]: IncomingMessage[] = await answered
  if (answer === undefined) throw new Error('no answer')
  const text = Buffer.concat(await answer.toArray()).toString()
  if (answer.statusCode !== 200) throw new Error(`A delivery was answered with ${answer.statusCode}: ${text}`)
  return { recordingId: String(JSON.parse(text).recording), bytes: wave.bytes, sha256: sha256.digest('hex') }
}

async function compare(place: Place, { clinician }: Clinic, original: Delivered): Promise<void> {
  const agent = new Agent()
  const asking = request(`${place.urls.api}/v1/recordings/${original.recordingId}/audio?role=original`, {
    agent,
    headers: { authorization: `Bearer ${clinician.token}` },
  })
  asking.end()
  const [answer]: IncomingMessage[] = await once(asking, 'response')
  if (answer?.statusCode !== 200) throw new Error(`The original was answered with ${answer?.statusCode}`)
  const sha256 = createHash('sha256')
  let bytes = 0
  for await (const piece of answer) {
    sha256.update(piece)
    bytes += piece.length
  }
  agent.destroy()
  if (bytes !== original.bytes || sha256.digest('hex') !== original.sha256) {
    throw new Error('What came out is not what went in')
  }
}

async function* hashed(pieces: AsyncIterable<Uint8Array>, sha256: ReturnType<typeof createHash>) {
  for await (const piece of pieces) {
    sha256.update(piece)
    yield piece
  }
}
