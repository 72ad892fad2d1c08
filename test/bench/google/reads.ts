// Reading ranges of a long object: our adapter, and the client's read stream.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGoogleStore } from '@auricle/objects/google'
import type { Samples } from '../rounds.ts'
import { type Clock, timeOnAllClocks, type Work } from './clocks.ts'
import { bucketName, type GooglePlace, openPeers } from './place.ts'

interface RangeSize {
  readonly title: string
  readonly bytes: number
}

export const rangeSizes: readonly RangeSize[] = [
  { title: '64 KiB', bytes: 65_536 },
  { title: '256 KiB', bytes: 262_144 },
]

const objectBytes = 64 * 1024 ** 2
const objectName = 'recordings/long'
const readsATurn = 40
/** Not a divisor of the object's length, so that ranges begin anywhere. */
const stepBytes = 1_234_567
const rounds = { rounds: 21, warmUps: 3, budgetMs: 15_000 }

/** The object is put first. */
export async function openReads(
  place: GooglePlace,
): Promise<(size: RangeSize) => Promise<Readonly<Record<Clock, Samples>>>> {
  const bytes = randomBytes(objectBytes)
  const store = createGoogleStore({
    bucket: bucketName,
    retentionMode: 'Unlocked',
    endpoint: place.storageUrl,
  })
  await store.put(objectName, Readable.from([bytes]), { retainUntil: null })
  const bucket = openPeers(place).plain.bucket(bucketName)
  const readers: Readonly<Record<string, (start: number, end: number) => AsyncIterable<Uint8Array>>> = {
    we: (start, end) => store.read(objectName, { start, end }),
    createReadStream: (start, end) => bucket.file(objectName).createReadStream({ start, end: end - 1 }),
  }
  return ({ bytes: rangeBytes }) => {
    const starts = Array.from(
      { length: readsATurn },
      (_, turn) => (turn * stepBytes) % (objectBytes - rangeBytes),
    )
    const works = Object.entries(readers).map(([name, read]): Work => {
      let arrived: Uint8Array[][] = []
      return {
        name,
        units: readsATurn,
        async run() {
          arrived = []
          let firstByteMs = 0
          for (const start of starts) {
            const startedMs = performance.now()
            const pieces: Uint8Array[] = []
            for await (const piece of read(start, start + rangeBytes)) {
              if (pieces.length === 0) firstByteMs += performance.now() - startedMs
              pieces.push(piece)
            }
            arrived.push(pieces)
          }
          return firstByteMs
        },
        async after() {
          for (const [turn, start] of starts.entries()) {
            const wanted = bytes.subarray(start, start + rangeBytes)
            if (!Buffer.concat(arrived[turn] ?? []).equals(wanted))
              throw new Error(`${name} read other bytes than were put`)
          }
        },
      }
    })
    return timeOnAllClocks(works, rounds)
  }
}
