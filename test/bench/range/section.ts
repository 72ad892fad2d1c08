// Seeking in a long call: when the first byte comes, and how much of the object is read for it.
import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeWave, readSamples } from '../../harness/samples.ts'
import { openStack } from '../../harness/stack.ts'
import { peersFolder } from '../peers.ts'
import type { Row } from '../report.ts'
import { median } from '../rounds.ts'
import { waitUntilArchived } from '../system/archive.ts'
import { startChild } from '../system/child.ts'
import { openBenchClinic } from '../system/clinic.ts'
import { type Place, serviceEnvironment, startOne } from '../system/product.ts'
import type { ReadCounts } from './api-server.ts'
import { openRangeClient, type RangeClient } from './range-client.ts'

export const method =
  'A call of 60 minutes (PCM at 8 kHz and 16 bits, 57.6 MB) is delivered and archived for real. Then 64 KiB ranges at ' +
  '90 % of it are asked for, one after the other over a connection that stays open, from the API (role original, ' +
  'a bearer token; the store is wrapped to count the bytes that are read) and from express.static on the plain file, ' +
  'in turn. A seek belongs to a playback that has begun, whose access event is durable; the first range of a ' +
  'playback writes that event and opens the object. The bytes that come are compared with those delivered.'

const secondsLong = 60 * 60
const bytesASecond = 16_000
const rangeBytes = 64 * 1024
const segmentBytes = 256 * 1024
/** Prefix, Tink header and trailer, which are read once a playback to prove what the object claims. */
const endsBytes = 2048 + 40 + 72
const share = 0.9
const seeks = 200
const firsts = 60
const warmUps = 20
const differentRanges = 16
const archiveMostMs = 120_000
const sampleName = 'voicemail-pcm16.wav'

export async function runRange(): Promise<readonly Row[]> {
  await using place = await openStack({ name: 'bench', logLevel: 'info', workerConcurrency: 1 })
  const clinic = await openBenchClinic(place)
  const wave = readSamples().find(({ file }) => file === sampleName)?.wave
  if (wave === undefined || wave === null) throw new Error(`test/samples has no ${sampleName}`)
  const call = makeWave(wave, secondsLong * bytesASecond, 'bench')
  const recordingId = await bringIn(place, `${clinic.upload.id}/call.wav`, clinic.upload.secret, call)

  const plainFolder = join(place.folder, 'plain')
  await mkdir(plainFolder)
  await writeFile(join(plainFolder, 'call.wav'), call)
  const startedPlain = await startChild<number>(join(peersFolder, 'plain-server.mjs'), [plainFolder])
  await using _plain = startedPlain.child
  const startedApi = await startChild<number>(
    join(import.meta.dirname, 'api-server.ts'),
    [],
    serviceEnvironment(place, 'api'),
  )
  await using api = startedApi.child
  using ours = await openRangeClient(startedApi.hello)
  using theirs = await openRangeClient(startedPlain.hello)

  const start = Math.floor(call.length * share)
  const wanted = (turn: number) => {
    const from = start + (turn % differentRanges) * rangeBytes
    return { start: from, end: from + rangeBytes }
  }
  const measure = async (client: RangeClient, path: string, turn: number, headers: readonly string[]) => {
    const range = wanted(turn)
    const { firstByteMs, body } = await client.get(path, range, headers)
    if (!body.equals(call.subarray(range.start, range.end)))
      throw new Error('other bytes came than were delivered')
    return firstByteMs
  }
  const path = `/v1/recordings/${recordingId}/audio?role=original`
  const authorization = `authorization: Bearer ${clinic.clinician.token}`
  // A playback is told by who listens from where: another address begins another one.
  const listener = (turn: number) => [authorization, `x-forwarded-for: 10.1.${turn >> 8}.${turn & 0xff}`]

  const seekMs: number[] = []
  const firstMs: number[] = []
  const plainMs: number[] = []
  const seekBytes: number[] = []
  const firstBytes: number[] = []
  for (let turn = -warmUps; turn < seeks; turn++) {
    const counted = turn >= 0
    await api.ask<ReadCounts>({})
    const ms = await measure(ours, path, turn + warmUps, [authorization])
    const { bytes } = await api.ask<ReadCounts>({})
    const plain = await measure(theirs, '/files/call.wav', turn + warmUps, [])
    if (counted) {
      seekMs.push(ms)
      seekBytes.push(bytes)
      plainMs.push(plain)
    }
    if (turn >= firsts) continue
    const first = await measure(ours, path, turn + warmUps, listener(turn + warmUps))
    const { bytes: bytesOfFirst } = await api.ask<ReadCounts>({})
    if (counted) {
      firstMs.push(first)
      firstBytes.push(bytesOfFirst)
    }
  }
  const ratioOf = (values: readonly number[]) => median(values) / median(plainMs)
  const against = (values: readonly number[]) => `${show(median(values))} against ${show(median(plainMs))}`
  return [
    {
      name: 'first byte of a seek, against express.static',
      measured: ratioOf(seekMs),
      unit: 'x',
      target: { atMost: 2 },
      detail: against(seekMs),
    },
    {
      name: 'bytes read for a seek, most',
      measured: Math.max(...seekBytes),
      unit: 'bytes',
      target: { atMost: 2 * segmentBytes },
      detail: `median ${median(seekBytes).toLocaleString('en-US')}`,
    },
    {
      name: 'first byte of a playback (durable event, key, header)',
      measured: ratioOf(firstMs),
      unit: 'x',
      target: null,
      detail: against(firstMs),
    },
    {
      name: 'bytes read for the first range, with both ends of the object, most',
      measured: Math.max(...firstBytes),
      unit: 'bytes',
      target: { atMost: 2 * segmentBytes + endsBytes },
      detail: `median ${median(firstBytes).toLocaleString('en-US')}`,
    },
  ]
}

/** Delivers and archives; both services have ended when it resolves. */
async function bringIn(place: Place, path: string, token: string, audio: Buffer): Promise<string> {
  await using _ingest = await startOne(place, 'ingest')
  await using _worker = await startOne(place, 'worker')
  const answer = await fetch(`${place.urls.ingest}/v1/ingest/${path}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'audio/wav',
      'x-auricle-source-id': randomUUID(),
    },
    body: new Uint8Array(audio),
  })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`The call was not received: ${text}`)
  const recordingId = String(JSON.parse(text).recording)
  await waitUntilArchived(place, recordingId, archiveMostMs)
  return recordingId
}

const show = (ms: number) => `${ms.toFixed(2)} ms`
