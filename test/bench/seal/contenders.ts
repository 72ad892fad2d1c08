// Who is measured at sealing: we, the two primitives under us, and other libraries; each checked to be right first.
import { randomBytes } from 'node:crypto'
import type { ByteRange } from '@auricle/contract'
import { bytesSource, openBytes, openSealed, type SealedSource, sealBytes, startSeal } from '@auricle/sealed'
import type { Peer } from '../peers.ts'
import type { Contender } from '../rounds.ts'
import { createMemoryKeyring } from './keyring.ts'
import { openLarge, openSmall, sealLarge, sealSmall, updatesOf } from './primitives.ts'

export const largeBytes = 64 * 1024 ** 2
const smallBytes = 40 * 1000

const keyring = createMemoryKeyring()
const context = {
  tenant: 'ten_00000000000000000000000001',
  recording: 'rec_00000000000000000000000002',
  role: 'original',
  contentType: 'audio/wav',
  createdAt: '2026-01-02T03:04:05Z',
}
const sealing = { context, wrapper: keyring }
const opening = { expect: context, unwrapper: keyring }

/** 64 MiB that arrive in pieces of 256 KiB and leave in pieces, which are dropped. */
export async function largeContenders(): Promise<readonly Contender[]> {
  const plaintext = randomBytes(largeBytes)
  const { bytes: sealed } = await sealBytes(plaintext, sealing)
  const encrypted = sealSmall(plaintext)
  return [
    contender('primitives seal', largeBytes, async () => sealLarge(plaintext)),
    contender('we seal', largeBytes, async () => {
      const begun = await startSeal(sealing)
      await drain(begun.seal(inPieces(plaintext)), sealed.length)
    }),
    contender('primitives open', largeBytes, async () => openLarge(encrypted)),
    contender('we open', largeBytes, async () => {
      using opened = await openSealed(piecesSource(sealed), opening)
      await drain(opened.read(null), largeBytes)
    }),
  ]
}

/** Objects of 40 KB, each with a key of its own: whole bytes in, pieces out as a store or a socket takes them. */
export async function smallContenders(objects: number): Promise<readonly Contender[]> {
  const plaintext = randomBytes(smallBytes)
  const { bytes: sealed } = await sealBytes(plaintext, sealing)
  const encrypted = sealSmall(plaintext)
  return [
    contender('primitives seal', objects, async () => {
      for (let i = 0; i < objects; i++) sealSmall(plaintext)
    }),
    contender('we seal', objects, async () => {
      for (let i = 0; i < objects; i++) {
        const begun = await startSeal(sealing)
        await drain(begun.seal(onePiece(plaintext)), sealed.length)
      }
    }),
    contender('primitives open', objects, async () => {
      for (let i = 0; i < objects; i++) openSmall(encrypted)
    }),
    contender('we open', objects, async () => {
      for (let i = 0; i < objects; i++) {
        using opened = await openSealed(bytesSource(sealed), opening)
        await drain(opened.read(null), smallBytes)
      }
    }),
  ]
}

/** A peer does it both ways, whole bytes and as a stream: which is faster differs. */
export async function largePeerContenders(peers: readonly Peer[]): Promise<readonly Contender[]> {
  const plaintext = randomBytes(largeBytes)
  const us = (await largeContenders()).filter(({ name }) => name.startsWith('we '))
  const theirs = await Promise.all(
    peers.map(async peer => {
      const sealed = await peer.seal(plaintext)
      await checkPeer(peer, sealed, plaintext)
      return [
        contender(`${peer.name} seal, whole`, largeBytes, async () => {
          await peer.seal(plaintext)
        }),
        contender(`${peer.name} open, whole`, largeBytes, async () => {
          await peer.open(sealed)
        }),
        contender(`${peer.name} seal, stream`, largeBytes, async () => {
          await drain(await peer.sealPieces(updatesOf(plaintext), plaintext), null)
        }),
        contender(`${peer.name} open, stream`, largeBytes, async () => {
          await drain(await peer.openPieces(updatesOf(sealed), sealed), largeBytes)
        }),
      ]
    }),
  )
  return [...us, ...theirs.flat()]
}

/** Whole bytes in, whole bytes out, for everybody. */
export async function smallPeerContenders(
  peers: readonly Peer[],
  counts: { readonly ours: number; readonly theirs: number },
): Promise<readonly Contender[]> {
  const plaintext = randomBytes(smallBytes)
  const { bytes: ourSealed } = await sealBytes(plaintext, sealing)
  const us = [
    repeated('we seal', counts.ours, () => sealBytes(plaintext, sealing)),
    repeated('we open', counts.ours, () => openBytes(ourSealed, opening)),
  ]
  const theirs = await Promise.all(
    peers.map(async peer => {
      const sealed = await peer.seal(plaintext)
      await checkPeer(peer, sealed, plaintext)
      return [
        repeated(`${peer.name} seal`, counts.theirs, () => peer.seal(plaintext)),
        repeated(`${peer.name} open`, counts.theirs, () => peer.open(sealed)),
      ]
    }),
  )
  return [...us, ...theirs.flat()]
}

function contender(name: string, units: number, work: () => Promise<void>): Contender {
  return {
    name,
    async run() {
      await work()
      return units
    },
  }
}

function repeated(name: string, count: number, work: () => Promise<unknown>): Contender {
  return contender(name, count, async () => {
    for (let i = 0; i < count; i++) await work()
  })
}

async function checkPeer(peer: Peer, sealed: Uint8Array, plaintext: Uint8Array): Promise<void> {
  if (Buffer.compare(await peer.open(sealed), plaintext) !== 0)
    throw new Error(`${peer.name} opens to other bytes`)
}

async function drain(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expectedBytes: number | null,
): Promise<void> {
  let bytes = 0
  for await (const piece of pieces) bytes += piece.length
  if (expectedBytes !== null && bytes !== expectedBytes)
    throw new Error(`${bytes} bytes came, not ${expectedBytes}`)
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of updatesOf(bytes)) yield piece
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

function piecesSource(sealed: Uint8Array): SealedSource {
  return {
    sizeBytes: sealed.length,
    read: ({ start, end }: ByteRange) => inPieces(sealed.subarray(start, end)),
  }
}
