// The life of recordings on Google's services, service by service so that each stretch has an account of its own:
// delivered, archived, copied into the recovery bucket, heard.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clinic } from '../../harness/clinic.ts'
import type { Google } from '../../harness/google.ts'
import { makeWave, readSamples } from '../../harness/samples.ts'
import { openStack } from '../../harness/stack.ts'
import { waitUntilArchived } from '../system/archive.ts'
import { openBenchClinic } from '../system/clinic.ts'
import { type Place, startOne } from '../system/product.ts'
import { type Account, accountSince, lookAt } from './accounts.ts'
import { type Hearing, hear } from './hear.ts'

interface Kind {
  readonly title: string
  readonly audioBytes: number
  readonly count: number
}

/** PCM at 8 kHz and 16 bits: 16,000 bytes a second. */
const kinds: readonly Kind[] = [
  { title: 'voicemail of 30 s', audioBytes: 480_000, count: 8 },
  { title: 'call of 30 min', audioBytes: 28_800_000, count: 2 },
]

export interface Life {
  readonly kind: Kind
  readonly delivered: Account
  readonly archived: Account
  readonly copied: Account
  /** One a recording. */
  readonly heard: readonly Hearing[]
  /** The same by an API that keeps no unwrapped keys. */
  readonly heardUncached: readonly Hearing[]
}

interface Parts {
  readonly place: Place
  readonly google: Google
  readonly clinic: Clinic
}

interface Delivered {
  readonly id: string
  readonly audio: Buffer
}

const sampleName = 'voicemail-pcm16.wav'
const archiveMostMs = 180_000
const copyMostMs = 180_000
const pollMs = 200
const jsonOk = 200

export async function liveThrough(): Promise<readonly Life[]> {
  await using place = await openStack({
    name: 'bench',
    logLevel: 'info',
    workerConcurrency: 1,
    backend: 'google',
  })
  const { google } = place
  if (google === null) throw new TypeError('this place is not on Google')
  const parts = { place, google, clinic: await openBenchClinic(place) }
  const lives: Life[] = []
  for (const kind of kinds) {
    const recordings: Delivered[] = []
    const delivered = await during(google, async () => {
      recordings.push(...(await deliverAll(parts, kind)))
    })
    const archived = await during(google, () => archiveAll(parts, recordings))
    const copied = await during(google, () => copyAll(parts))
    const heard = await hearAll(parts, recordings, {})
    const heardUncached = await hearAll(parts, recordings, { AURICLE_KEY_CACHE_MS: '0' })
    lives.push({ kind, delivered, archived, copied, heard, heardUncached })
  }
  return lives
}

async function during(google: Google, work: () => Promise<void>): Promise<Account> {
  const before = await lookAt(google)
  await work()
  return await accountSince(google, before)
}

async function deliverAll(
  { place, clinic }: Parts,
  { title, audioBytes, count }: Kind,
): Promise<Delivered[]> {
  const wave = readSamples().find(({ file }) => file === sampleName)?.wave
  if (wave === undefined || wave === null) throw new Error(`test/samples has no ${sampleName}`)
  await using _ingest = await startOne(place, 'ingest')
  const delivered: Delivered[] = []
  for (let number = 0; number < count; number++) {
    const audio = makeWave(wave, audioBytes, `${title} ${number}`)
    const answer = await fetch(`${place.urls.ingest}/v1/ingest/${clinic.upload.id}/call.wav`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${clinic.upload.secret}`,
        'content-type': 'audio/wav',
        'x-auricle-source-id': randomUUID(),
      },
      body: new Uint8Array(audio),
    })
    const text = await answer.text()
    if (answer.status !== jsonOk) throw new Error(`The call was not received: ${text}`)
    delivered.push({ id: String(JSON.parse(text).recording), audio })
  }
  return delivered
}

/** By a worker without a recovery store, which leaves the copies to another. */
async function archiveAll({ place }: Parts, recordings: readonly Delivered[]): Promise<void> {
  const without = ['AURICLE_RECOVERY', 'AURICLE_RECOVERY_ENDPOINT']
  await using _worker = await startOne(place, 'worker', { without })
  for (const { id } of recordings) await waitUntilArchived(place, id, archiveMostMs)
}

async function copyAll({ place }: Parts): Promise<void> {
  // What is younger than a minute is left alone by the search for what owes a copy.
  const age = `update auricle.recording_object set replication_owed_at = now() - interval '1 hour' where replicated_at is null`
  await place.superuser.query(age)
  await using _worker = await startOne(place, 'worker')
  const untilMs = performance.now() + copyMostMs
  for (;;) {
    const query = 'select count(*)::int as owed from auricle.recording_object where replicated_at is null'
    const { rows } = await place.superuser.query<{ owed: number }>(query)
    if (rows[0]?.owed === 0) return
    if (performance.now() > untilMs) throw new Error(`${rows[0]?.owed} objects were not copied in time`)
    await delay(pollMs)
  }
}

async function hearAll(
  { place, google, clinic }: Parts,
  recordings: readonly Delivered[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Hearing[]> {
  await using _api = await startOne(place, 'api', { env })
  const hearings: Hearing[] = []
  for (const { id, audio } of recordings) {
    const url = `${place.urls.api}/v1/recordings/${id}`
    hearings.push(await hear({ url, token: clinic.clinician.token, audio }, work => during(google, work)))
  }
  return hearings
}
