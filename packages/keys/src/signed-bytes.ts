// MACs and signatures of local keys: HMAC-SHA-256, and Ed25519 whose private key is made from the keyring's 32 bytes.
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  sign,
  timingSafeEqual,
} from 'node:crypto'
import { maxCertificateBytes, maxSignedBytes, type SignerName } from './key-service.ts'
import { isSignerText } from './key-text.ts'

/** What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410, section 7). */
const ed25519Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key of that name from its material, which stays the caller's to wipe. */
export function keyObjectOf(name: string, material: Uint8Array): KeyObject {
  if (!isSignerText(name)) return createSecretKey(material)
  const key = Buffer.concat([ed25519Prefix, material])
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  key.fill(0)
  return privateKey
}

export function macOf(key: KeyObject, data: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(data).digest()
}

export function isMacOf(key: KeyObject, data: Uint8Array, mac: Uint8Array): boolean {
  const own = macOf(key, data)
  return own.length === mac.length && timingSafeEqual(own, mac)
}

export const signatureOf = (key: KeyObject, data: Uint8Array): Uint8Array => sign(null, data, key)

export const spkiOf = (key: KeyObject): Uint8Array =>
  createPublicKey(key).export({ type: 'spki', format: 'der' })

/** Throws a RangeError, as every kind of service does at the same size. */
export function mustBeSignable(data: Uint8Array, purpose: 'search' | SignerName['purpose']): void {
  const most = purpose === 'certificates' ? maxCertificateBytes : maxSignedBytes
  if (data.length >= 1 && data.length <= most) return
  throw new RangeError(`From 1 to ${most} bytes are signed at once`)
}
