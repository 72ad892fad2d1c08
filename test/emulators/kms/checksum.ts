// CRC32C as the service checks it on what it gets and states it of what it gives.
import { crc32c } from '@node-rs/crc32'
import type { Int64Value } from './protocol.ts'
import { invalid } from './status.ts'

export const checksumOf = (bytes: Uint8Array): { value: string } => ({ value: String(crc32c(bytes)) })

/** Whether a checksum was given and is right. A wrong one is refused. */
export function verified(field: string, bytes: Uint8Array, given: Int64Value): boolean {
  if (given === null) return false
  if (Number(given.value) === crc32c(bytes)) return true
  throw invalid(`The checksum in field ${field}_crc32c did not match the data in field ${field}.`)
}
