// CRC32C as Cloud Storage writes it: four bytes, the highest first, in Base64. Native, some 4 GB/s.
import { crc32c } from '@node-rs/crc32'

const checksumBytes = 4

export interface Checksum {
  update(piece: Uint8Array): void
  /** Of all that came so far. */
  text(): string
}

export function createChecksum(): Checksum {
  let sum = 0
  return {
    update(piece) {
      sum = crc32c(piece, sum)
    },
    text() {
      const bytes = Buffer.alloc(checksumBytes)
      bytes.writeUInt32BE(sum)
      return bytes.toString('base64')
    },
  }
}

/** The CRC32C in an `x-goog-hash` header (`crc32c=AAAAAA==,md5=...`); null where it has none. */
export function checksumIn(header: string | null): string | null {
  for (const part of (header ?? '').split(',')) {
    const [name, ...value] = part.trim().split('=')
    if (name === 'crc32c') return value.join('=')
  }
  return null
}
