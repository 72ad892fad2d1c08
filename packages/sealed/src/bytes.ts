// Sealing and opening what is small enough to be held whole: a notice, a secret, a set of peaks.
import { type OpenOptions, openSealed } from './open.ts'
import { type SealFacts, type SealOptions, startSeal } from './seal.ts'
import { bytesSource } from './source.ts'

export interface SealedBytes {
  readonly bytes: Uint8Array
  readonly facts: SealFacts
}

/** Seals bytes in memory. Throws as `startSeal`. */
export async function sealBytes(plaintext: Uint8Array, options: SealOptions): Promise<SealedBytes> {
  const sealing = await startSeal(options)
  const pieces: Uint8Array[] = []
  for await (const piece of sealing.seal(onePiece(plaintext), { signal: options.signal })) pieces.push(piece)
  return { bytes: Buffer.concat(pieces), facts: sealing.facts() }
}

/** Opens bytes in memory, whole and with every check. Throws as `openSealed` and `OpenedObject.read`. */
export async function openBytes(sealed: Uint8Array, options: OpenOptions): Promise<Uint8Array> {
  using opened = await openSealed(bytesSource(sealed), options)
  const pieces: Uint8Array[] = []
  for await (const piece of opened.read(null, { signal: options.signal })) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}
