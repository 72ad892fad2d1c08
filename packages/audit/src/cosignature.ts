// What a witness signs (C2SP tlog-cosignature, Ed25519): that at a time it knew a checkpoint and nothing larger.
import { type Bytes, concat, utf8 } from './bytes.ts'
import { AuditError } from './error.ts'

const timeBytes = 8
const signatureBytes = 64

/** What is signed. `text` is the text of the checkpoint's note. Throws `AuditError('bad_note')` for no time. */
export function cosignedMessage(timeSeconds: number, text: string): Bytes {
  checkTime(timeSeconds)
  return utf8(`cosignature/v1\ntime ${timeSeconds}\n${text}`)
}

/** What stands in the note after the key's id: the time in eight bytes, the highest first, and the signature. */
export function cosignaturePayload(timeSeconds: number, signature: Uint8Array): Bytes {
  checkTime(timeSeconds)
  if (signature.length !== signatureBytes) throw new AuditError('bad_note', 'a signature has another length')
  const time = new Uint8Array(timeBytes)
  new DataView(time.buffer).setBigUint64(0, BigInt(timeSeconds))
  return concat(time, signature)
}

/** The inverse of `cosignaturePayload`; null for bytes that it does not write. */
export function splitCosignature(
  payload: Uint8Array,
): { readonly timeSeconds: number; readonly signature: Bytes } | null {
  if (payload.length !== timeBytes + signatureBytes) return null
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const timeSeconds = Number(view.getBigUint64(0))
  return Number.isSafeInteger(timeSeconds)
    ? { timeSeconds, signature: concat(payload.subarray(timeBytes)) }
    : null
}

function checkTime(timeSeconds: number): void {
  if (!Number.isSafeInteger(timeSeconds) || timeSeconds < 0) {
    throw new AuditError('bad_note', 'a cosignature has no such time')
  }
}
