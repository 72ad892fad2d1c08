// The system's random bytes, drawn in blocks: one draw costs more than the bytes of many objects.
import { randomFillSync } from 'node:crypto'

const blockBytes = 4096
const block = new Uint8Array(blockBytes)
let usedBytes = blockBytes

/** At most 4,096 unpredictable bytes, each given once and wiped from the block as it is given. */
export function randomFromBlock(byteLength: number): Uint8Array {
  if (usedBytes + byteLength > blockBytes) {
    randomFillSync(block)
    usedBytes = 0
  }
  const given = block.slice(usedBytes, usedBytes + byteLength)
  block.fill(0, usedBytes, usedBytes + byteLength)
  usedBytes += byteLength
  return given
}
