// What the algorithms of the service do, done for real: AES-256-GCM, HMAC-SHA-256, Ed25519 and ECDSA on P-256.
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'

/** The algorithms that exist here, and what a key of each is for. */
export const purposeOf: Readonly<Record<string, string>> = {
  GOOGLE_SYMMETRIC_ENCRYPTION: 'ENCRYPT_DECRYPT',
  HMAC_SHA256: 'MAC',
  EC_SIGN_ED25519: 'ASYMMETRIC_SIGN',
  EC_SIGN_P256_SHA256: 'ASYMMETRIC_SIGN',
}

const symmetricBytes = 32
const ivBytes = 12
const tagBytes = 16

export function generate(algorithm: string): KeyObject {
  if (algorithm === 'EC_SIGN_ED25519') return generateKeyPairSync('ed25519').privateKey
  if (algorithm === 'EC_SIGN_P256_SHA256')
    return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return createSecretKey(randomBytes(symmetricBytes))
}

/** IV, ciphertext and tag. */
export function encrypt(key: KeyObject, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const iv = randomBytes(ivBytes)
  const encryption = createCipheriv('aes-256-gcm', key, iv).setAAD(aad)
  const ciphertext = Buffer.concat([encryption.update(plaintext), encryption.final()])
  return Buffer.concat([iv, ciphertext, encryption.getAuthTag()])
}

/** Null when the bytes, the key or the additional data are others. */
export function decrypt(key: KeyObject, bytes: Buffer, aad: Uint8Array): Buffer | null {
  if (bytes.length < ivBytes + tagBytes) return null
  const tagAt = bytes.length - tagBytes
  const decryption = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
  decryption.setAAD(aad).setAuthTag(bytes.subarray(tagAt))
  const plaintext = decryption.update(bytes.subarray(ivBytes, tagAt))
  try {
    decryption.final()
  } catch {
    return null
  }
  return plaintext
}

export const hmac = (key: KeyObject, data: Uint8Array): Buffer =>
  createHmac('sha256', key).update(data).digest()

export const sha256 = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest()

export const signEd25519 = (key: KeyObject, data: Uint8Array): Buffer => sign(null, data, key)

export const publicKeyPem = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

/** The order of the group of P-256 (SEC 2, section 2.4.2). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const scalarBytes = 32

/** ECDSA over a digest that is there already, which Node does not offer. DER (SEC 1, section 4.1.3). */
export function signDigestP256(key: KeyObject, digest: Uint8Array): Buffer {
  const secret = integerOf(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'))
  const ephemeral = createECDH('prime256v1')
  const point = ephemeral.generateKeys()
  const r = integerOf(point.subarray(1, 1 + scalarBytes)) % order
  const s = (inverse(integerOf(ephemeral.getPrivateKey())) * (integerOf(digest) + r * secret)) % order
  const sequence = Buffer.concat([derInteger(r), derInteger(s)])
  return Buffer.concat([Buffer.from([0x30, sequence.length]), sequence])
}

const integerOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

function inverse(value: bigint): bigint {
  let [a, b, x, y] = [value % order, order, 1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return ((x % order) + order) % order
}

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  const positive = (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.from([0]), bytes]) : bytes
  return Buffer.concat([Buffer.from([0x02, positive.length]), positive])
}
