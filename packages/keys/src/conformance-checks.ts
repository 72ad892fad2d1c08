// Checks that the cases of every kind of key share.
import assert from 'node:assert/strict'
import { KeyError } from './error.ts'

export async function refuses(call: Promise<unknown>, code: KeyError['code']): Promise<void> {
  await assert.rejects(call, error => error instanceof KeyError && error.code === code)
}

/** Copies of the bytes with one bit of each changed: every bit, or every `step`th. */
export function* flippedBits(bytes: Uint8Array, step = 1): Generator<Buffer> {
  for (let bit = 0; bit < bytes.length * 8; bit += step) {
    const altered = Buffer.from(bytes)
    altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    yield altered
  }
}
