// Calls of half a minute, delivered and archived for real.
import { randomUUID } from 'node:crypto'
import { makeWave, readSamples } from '../../harness/samples.ts'
import { waitUntilArchived } from '../system/archive.ts'
import { type Place, startOne } from '../system/product.ts'

const secondsLong = 30
const bytesASecond = 16_000
const sampleName = 'voicemail-pcm16.wav'
const archiveMostMs = 120_000

/** Delivers and archives; both services have ended when it resolves. */
export async function bringInCalls(
  place: Place,
  path: string,
  secret: string,
  count: number,
): Promise<readonly string[]> {
  const wave = readSamples().find(({ file }) => file === sampleName)?.wave
  if (wave === undefined || wave === null) throw new Error(`test/samples has no ${sampleName}`)
  await using _ingest = await startOne(place, 'ingest')
  await using _worker = await startOne(place, 'worker')
  const ids: string[] = []
  for (let turn = 0; turn < count; turn++) {
    const answer = await fetch(`${place.urls.ingest}/v1/ingest/${path}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'audio/wav',
        'x-auricle-source-id': randomUUID(),
      },
      body: new Uint8Array(makeWave(wave, secondsLong * bytesASecond, `bench ${turn}`)),
    })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`A call was not received: ${text}`)
    ids.push(String(JSON.parse(text).recording))
  }
  for (const id of ids) await waitUntilArchived(place, id, archiveMostMs)
  return ids
}
