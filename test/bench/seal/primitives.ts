// The two things that sealing with a hash cannot do without, at their best in Node: AES-256-GCM and SHA-256.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hash,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
/** Large enough to hide the cost of a call, small enough for the result to come from memory that was used before. */
const updateBytes = 256 * 1024

const key = createSecretKey(randomBytes(keyBytes))

export interface Encrypted {
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
  readonly sha256: Uint8Array
}

/** One cipher over everything and one hash over everything; the results are dropped as they come. */
export function sealLarge(plaintext: Uint8Array): void {
  const cipher = createCipheriv(algorithm, key, randomBytes(nonceBytes))
  const sha256 = createHash('sha256')
  for (const piece of updatesOf(plaintext)) {
    sha256.update(piece)
    cipher.update(piece)
  }
  cipher.final()
  cipher.getAuthTag()
  sha256.digest()
}

export function openLarge({ nonce, ciphertext, tag, sha256 }: Encrypted): void {
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
  const opened = createHash('sha256')
  decipher.setAuthTag(tag)
  for (const piece of updatesOf(ciphertext)) opened.update(decipher.update(piece))
  decipher.final()
  if (!timingSafeEqual(opened.digest(), sha256)) throw new Error('opened to other bytes')
}

/** One-shot calls: what an object that fits into one update costs at least. */
export function sealSmall(plaintext: Uint8Array): Encrypted {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce)
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return { nonce, ciphertext, tag: cipher.getAuthTag(), sha256: hash('sha256', plaintext, 'buffer') }
}

export function openSmall({ nonce, ciphertext, tag, sha256 }: Encrypted): Uint8Array {
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(tag)
  const plaintext = decipher.update(ciphertext)
  decipher.final()
  if (!timingSafeEqual(hash('sha256', plaintext, 'buffer'), sha256)) throw new Error('opened to other bytes')
  return plaintext
}

export function* updatesOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += updateBytes) yield bytes.subarray(at, at + updateBytes)
}
