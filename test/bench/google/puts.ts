// Putting objects of several sizes: our adapter, and the client by each way that its documentation has for that size.
import { randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGoogleStore } from '@auricle/objects/google'
import type { Bucket, Storage } from '@google-cloud/storage'
import { crc32c } from '@node-rs/crc32'
import type { Samples } from '../rounds.ts'
import { type Clock, timeOnAllClocks, type Work } from './clocks.ts'
import { bucketName, checksumText, type GooglePlace, openPeers } from './place.ts'

interface Size {
  readonly title: string
  readonly bytes: number
  /** Objects a turn, one after the other. */
  readonly count: number
  /** How the bytes come to everybody: at once, or in pieces as sealing gives them. */
  readonly input: 'whole' | 'pieces'
  /** The ways that the client has for such bytes. */
  readonly ways: readonly Way[]
}

type Way = 'save' | 'resumable' | 'one request'

const pieceBytes = 262_144
const mebibyte = 1024 ** 2

export const putSizes: readonly Size[] = [
  { title: '40 KB', bytes: 40_000, count: 20, input: 'whole', ways: ['save'] },
  { title: '500 KB', bytes: 500_000, count: 10, input: 'whole', ways: ['save'] },
  { title: '8 MiB at once', bytes: 8 * mebibyte, count: 2, input: 'whole', ways: ['save'] },
  {
    title: '8 MiB in pieces',
    bytes: 8 * mebibyte,
    count: 2,
    input: 'pieces',
    ways: ['resumable', 'one request'],
  },
  {
    title: '64 MiB in pieces',
    bytes: 64 * mebibyte,
    count: 1,
    input: 'pieces',
    ways: ['resumable', 'one request'],
  },
]

const rounds = { rounds: 15, warmUps: 2, budgetMs: 20_000 }
const contentType = 'application/octet-stream'
const metadata = { 'sealed-format': '1', recording: 'rec_00000000000000000000000002' }
const retainedMs = 24 * 60 * 60_000

export async function timePuts(
  place: GooglePlace,
  { bytes: sizeBytes, count, input, ways }: Size,
): Promise<Readonly<Record<Clock, Samples>>> {
  const bytes = randomBytes(sizeBytes)
  const store = createGoogleStore({
    bucket: bucketName,
    retentionMode: 'Unlocked',
    endpoint: place.storageUrl,
  })
  const peers = openPeers(place)
  const retainUntil = new Date(Date.now() + retainedMs)
  const keep = { mode: 'Unlocked', retainUntilTime: retainUntil.toISOString() }
  const puts: readonly (readonly [string, (name: string) => Promise<unknown>])[] = [
    [
      'we',
      name =>
        store.put(name, Readable.from(input === 'whole' ? [bytes] : piecesOf(bytes)), {
          retainUntil,
          metadata,
        }),
    ],
    ...ways.flatMap(way =>
      Object.entries(peers).map(([checksum, peer]) => {
        const put = byClient(way, peer, bytes, keep)
        return [`${way}, ${checksum} checksum`, put] as const
      }),
    ),
  ]
  const expected = { bytes, retainUntil, checksum: checksumText(crc32c(bytes)) }
  return timeOnAllClocks(
    puts.map(([name, put]): Work => {
      let names: string[] = []
      let isFirstTurn = true
      return {
        name,
        units: count,
        async run() {
          names = Array.from({ length: count }, () => `recordings/${sizeBytes}/${randomUUID()}`)
          for (const object of names) await put(object)
          return null
        },
        async after() {
          await checkPuts(place, isFirstTurn ? 'recompute' : 'objects', names, expected)
          isFirstTurn = false
          await remove(peers.plain.bucket(bucketName), names)
        },
      }
    }),
    rounds,
  )
}

/** `keep`: its retention, or none. */
export function byClient(
  way: Way,
  peer: Storage,
  bytes: Buffer,
  keep: { readonly mode: string; readonly retainUntilTime: string } | null,
): (name: string) => Promise<void> {
  const bucket = peer.bucket(bucketName)
  const options = (resumable: boolean) => ({
    resumable,
    preconditionOpts: { ifGenerationMatch: 0 },
    metadata: {
      contentType,
      metadata: { ...metadata },
      ...(keep === null ? {} : { retention: { ...keep } }),
    },
  })
  switch (way) {
    case 'save':
      return name => bucket.file(name).save(bytes, options(false))
    case 'resumable':
    case 'one request':
      return name =>
        pipeline(
          Readable.from(piecesOf(bytes)),
          bucket.file(name).createWriteStream(options(way === 'resumable')),
        )
    default:
      return way satisfies never
  }
}

/** As sealed bytes come. */
export function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

interface StoredView {
  readonly name: string
  readonly sizeBytes: number
  readonly crc32c: string
  /** Only where it was asked for. */
  readonly recomputedCrc32c?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly retention: { readonly retainUntil: number } | null
}

/** Looks at what the service holds; `recompute` goes through the bytes, which takes it a while. */
async function checkPuts(
  { storage }: GooglePlace,
  command: 'recompute' | 'objects',
  names: readonly string[],
  { bytes, retainUntil, checksum }: { bytes: Buffer; retainUntil: Date; checksum: string },
): Promise<void> {
  const stored = await storage.command<readonly StoredView[]>(command, { bucket: bucketName })
  const right = stored.filter(
    object =>
      names.includes(object.name) &&
      object.sizeBytes === bytes.length &&
      (object.recomputedCrc32c ?? object.crc32c) === checksum &&
      object.metadata['recording'] === metadata.recording &&
      object.retention?.retainUntil === retainUntil.getTime(),
  )
  if (right.length !== names.length) throw new Error(`${right.length} of ${names.length} objects are as put`)
}

async function remove(bucket: Bucket, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async name => {
      const file = bucket.file(name)
      await file.setMetadata({ retention: null }, { overrideUnlockedRetention: true })
      await file.delete()
    }),
  )
}
