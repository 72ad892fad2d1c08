// Whether a signature is a key's, by Web Crypto.
import { type Bytes, concat, utf8 } from './bytes.ts'
import { cosignedMessage, splitCosignature } from './cosignature.ts'
import { AuditError } from './error.ts'
import type { VerifierKey } from './verifier-key.ts'

const ed25519 = { name: 'Ed25519' } as const
const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const p256NumberBytes = 32

/**
 * Whether `payload`, what stands in a note after the key's id, is the key's signature of the note's text. Rejects with
 * `AuditError('bad_key')` where the key's bytes are no point of its curve.
 */
export async function isSignedBy(key: VerifierKey, text: string, payload: Uint8Array): Promise<boolean> {
  switch (key.algorithm) {
    case 'ed25519':
      return isEd25519(key, utf8(text), concat(payload))
    case 'cosignature-ed25519': {
      const cosignature = splitCosignature(payload)
      if (cosignature === null) return false
      return isEd25519(key, cosignedMessage(cosignature.timeSeconds, text), cosignature.signature)
    }
    case 'ecdsa-p256': {
      const raw = ecdsaFromDer(payload)
      if (raw === null) return false
      const imported = await usable(crypto.subtle.importKey('spki', key.publicKey, p256, false, ['verify']))
      return crypto.subtle.verify(p256, imported, raw, utf8(text))
    }
  }
}

/**
 * When the witness signed the text. Rejects with `AuditError('bad_signature')` where it did not, or the key is no
 * witness's.
 */
export async function verifyCosignature(
  key: VerifierKey,
  text: string,
  payload: Uint8Array,
): Promise<{ readonly timeSeconds: number }> {
  const cosignature = key.algorithm === 'cosignature-ed25519' ? splitCosignature(payload) : null
  if (cosignature === null || !(await isSignedBy(key, text, payload))) {
    throw new AuditError('bad_signature', 'the witness did not make this cosignature')
  }
  return { timeSeconds: cosignature.timeSeconds }
}

async function isEd25519(key: VerifierKey, message: Bytes, signature: Bytes): Promise<boolean> {
  const imported = await usable(crypto.subtle.importKey('raw', key.publicKey, ed25519, false, ['verify']))
  return crypto.subtle.verify(ed25519, imported, signature, message)
}

async function usable<Key>(importing: Promise<Key>): Promise<Key> {
  try {
    return await importing
  } catch (cause) {
    throw new AuditError('bad_key', 'a verifier key is no key of its algorithm', { cause })
  }
}

/** r and s in 32 bytes each, as Web Crypto takes them, from the DER that notes hold; null where it is not DER. */
export function ecdsaFromDer(der: Uint8Array): Bytes | null {
  const [sequence, length] = der
  if (sequence !== 0x30 || length !== der.length - 2) return null
  const r = derNumber(der.subarray(2))
  const s = r === null ? null : derNumber(der.subarray(2 + r.encodedBytes))
  if (r === null || s === null || 2 + r.encodedBytes + s.encodedBytes !== der.length) return null
  return concat(r.raw, s.raw)
}

/** A positive INTEGER at the beginning of `der`, in its shortest form. */
function derNumber(der: Uint8Array): { readonly raw: Bytes; readonly encodedBytes: number } | null {
  const [tag, length, first = 0, second = 0] = der
  if (tag !== 0x02 || length === undefined || length === 0 || length > p256NumberBytes + 1) return null
  if (der.length < 2 + length || first >= 0x80) return null
  if (first === 0 && length > 1 && second < 0x80) return null
  const magnitude = der.subarray(first === 0 ? 3 : 2, 2 + length)
  if (magnitude.length > p256NumberBytes) return null
  const raw = new Uint8Array(p256NumberBytes)
  raw.set(magnitude, p256NumberBytes - magnitude.length)
  return { raw, encodedBytes: 2 + length }
}
