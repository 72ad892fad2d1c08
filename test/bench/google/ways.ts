// Where an upload in one request should end and one in a session begin: both ways over sizes, near the service and far.
import { randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGoogleStore } from '@auricle/objects/google'
import type { Row } from '../report.ts'
import { median, samplesOf } from '../rounds.ts'
import { timeOnAllClocks, type Work } from './clocks.ts'
import { bucketName, type GooglePlace, openPeers } from './place.ts'
import { byClient, piecesOf } from './puts.ts'

const mebibyte = 1024 ** 2
const sizes: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16, 32].map(size => size * mebibyte)
const chunkSizes: readonly number[] = [0.25, 1, 4, 8].map(size => size * mebibyte)
const mostBytes = 32 * mebibyte
/** Every request waits as long before it is looked at: a stand-in for the way there and back, not for the line's speed. */
const roundTripsMs = [0, 20]
const rounds = { rounds: 3, warmUps: 1, budgetMs: 4000 }

export async function compareWays(place: GooglePlace): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const roundTripMs of roundTripsMs) {
    if (roundTripMs > 0)
      await place.storage.addFault({ operation: '/.*/', fault: { type: 'slow', ms: roundTripMs } })
    for (const size of sizes) rows.push(await compareAt(place, size, roundTripMs))
    await place.storage.clearFaults()
  }
  return rows
}

async function compareAt(place: GooglePlace, sizeBytes: number, roundTripMs: number): Promise<Row> {
  const bytes = randomBytes(sizeBytes)
  const by = (chunkBytes: number) => {
    const { storageUrl: endpoint } = place
    const store = createGoogleStore({
      bucket: bucketName,
      retentionMode: 'Unlocked',
      endpoint,
      chunkBytes,
    })
    return (name: string) => store.put(name, Readable.from(piecesOf(bytes)), { retainUntil: null })
  }
  const { native, plain } = openPeers(place)
  const whole = 'one request'
  const ways: readonly (readonly [string, (name: string) => Promise<unknown>])[] = [
    [whole, by(mostBytes)],
    ...chunkSizes
      .filter(chunkBytes => chunkBytes < sizeBytes)
      .map(chunkBytes => [`in ${title(chunkBytes)}`, by(chunkBytes)] as const),
    ['client, session in one piece', byClient('resumable', native, bytes, null)],
  ]
  const { wall } = await timeOnAllClocks(
    ways.map(([name, put]): Work => {
      let object = ''
      return {
        name,
        units: 1,
        async run() {
          object = `ways/${randomUUID()}`
          await put(object)
          return null
        },
        async after() {
          const file = plain.bucket(bucketName).file(object)
          const [{ size }] = await file.getMetadata()
          if (Number(size) !== sizeBytes) throw new Error(`${name} stored ${size} bytes`)
          await file.delete()
        },
      }
    }),
    rounds,
  )
  const typical = (name: string) => median(samplesOf(wall, name))
  return {
    name: `put ${title(sizeBytes)} in one request, round trip ${roundTripMs} ms`,
    measured: typical(whole),
    unit: 'ms',
    target: null,
    detail: ways
      .filter(([name]) => name !== whole)
      .map(([name]) => `${name}: ${typical(name).toFixed(1)}`)
      .join('; '),
  }
}

const title = (bytes: number) => (bytes < mebibyte ? `${bytes / 1024} KiB` : `${bytes / mebibyte} MiB`)
