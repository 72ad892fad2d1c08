// Test content that follows from a key: anybody can tell whether an object has all of it.
import { createHash } from 'node:crypto'

const hashBytes = 32
const piecesPerSize = [0, 1, 3, 60]

/** Up to 3.75 MiB in pieces of 64 KiB. */
export async function* contentOfKey(key: string): AsyncGenerator<Uint8Array> {
  const digest = createHash('sha256').update(key).digest()
  const pieceCount = piecesPerSize[digest.readUInt8(0) % piecesPerSize.length] ?? 0
  const piece = Buffer.alloc(65_536)
  for (let at = 0; at < piece.length; at += hashBytes) digest.copy(piece, at)
  for (let i = 0; i < pieceCount; i++) {
    const numbered = Buffer.from(piece)
    numbered.writeUInt32BE(i)
    yield numbered
  }
}
