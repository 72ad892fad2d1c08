// For tests only: a keyring that really wraps, sources that count what is asked of them, bytes cut anyhow.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { ByteRange, Wrap } from '@auricle/contract'
import type { SealContext } from './context.ts'
import type { KeyUnwrapper, KeyWrapper, SealedSource } from './port.ts'

export const testContext: SealContext = {
  tenant: 'ten_00000000000000000000000001',
  recording: 'rec_00000000000000000000000002',
  role: 'original',
  contentType: 'audio/wav',
  createdAt: '2026-01-02T03:04:05Z',
}

export class KeyringError extends Error {
  override readonly name = 'KeyringError'
  readonly transient: boolean
  constructor(message: string, transient: boolean, cause?: unknown) {
    super(message, { cause })
    this.transient = transient
  }
}

const nonceBytes = 12
const tagBytes = 16

export interface TestKeyring extends KeyWrapper, KeyUnwrapper {
  readonly unwrapped: Wrap[]
}

/** AES-256-GCM under `key`. The nonce is derived from what is wrapped, so that vectors come out the same. */
export function createTestKeyring(key: Uint8Array = randomBytes(32), version = '1'): TestKeyring {
  const unwrapped: Wrap[] = []
  return {
    unwrapped,
    async wrap(dataKey, aad, { signal } = {}) {
      signal?.throwIfAborted()
      const nonce = createHash('sha256')
        .update(key)
        .update(dataKey)
        .update(aad)
        .digest()
        .subarray(0, nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
      const wrapped = Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
      return {
        kms: 'local',
        key: 'test/recordings',
        keyVersion: `test/recordings/${version}`,
        protection: 'SOFTWARE',
        aad: 1,
        wrapped: wrapped.toString('base64url'),
        createdAt: '2026-01-02T03:04:05Z',
      }
    },
    async unwrap(wrap, aad, { signal } = {}) {
      signal?.throwIfAborted()
      unwrapped.push(wrap)
      const bytes = Buffer.from(wrap.wrapped, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        })
        decipher.setAAD(aad).setAuthTag(bytes.subarray(-tagBytes))
        const dataKey = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
        decipher.final()
        return dataKey
      } catch (cause) {
        throw new KeyringError('The wrap was refused', false, cause)
      }
    },
  }
}

/** Byte i is i mod 251: no two neighbouring segments are alike. */
export function patternBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = i % 251
  return bytes
}

/** The bytes in pieces of the given sizes, again and again. */
export async function* cut(
  bytes: Uint8Array,
  ...sizes: number[]
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length
    yield bytes.subarray(at, at + size)
    at += size
  }
}

export async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

export interface WatchedSource extends SealedSource {
  readonly ranges: ByteRange[]
}

/** A source that notes which ranges were read and hands them out in pieces of the given sizes. */
export function watchedSource(bytes: Uint8Array, ...sizes: number[]): WatchedSource {
  const ranges: ByteRange[] = []
  return {
    ranges,
    sizeBytes: bytes.length,
    read(range) {
      ranges.push(range)
      if (range.start < 0 || range.end > bytes.length || range.start >= range.end) {
        throw new RangeError(`asked for ${range.start} to ${range.end} of ${bytes.length}`)
      }
      return cut(bytes.subarray(range.start, range.end), ...(sizes.length > 0 ? sizes : [bytes.length]))
    },
  }
}
