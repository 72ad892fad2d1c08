// CRC32C of what goes to Cloud KMS and of what comes back; and what happens when an answer is not what was sent.
import { crc32c } from '@node-rs/crc32'

/** As the client takes it and gives it: a number on the way out, text on the way back. */
type Stated = { readonly value?: number | string | { toString(): string } | null } | null | undefined

export const checksum = (bytes: Uint8Array): { value: number } => ({ value: crc32c(bytes) })

/** An answer that cannot be believed: it was not made of what was asked, or changed on its way. Never data. */
export class Mismatch extends Error {
  override readonly name = 'MismatchError'
}

/** Throws `Mismatch`. */
export function mustHold(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Mismatch(what)
}

/** The bytes of an answer whose checksum is right, as a copy of our own. Throws `Mismatch`. */
export function checkedBytes(
  bytes: Uint8Array | string | null | undefined,
  stated: Stated,
  what: string,
): Uint8Array<ArrayBuffer> {
  const received = typeof bytes === 'string' ? Buffer.from(bytes) : (bytes ?? new Uint8Array())
  mustHold(stated?.value != null && String(stated.value) === String(crc32c(received)), what)
  return Uint8Array.from(received)
}
