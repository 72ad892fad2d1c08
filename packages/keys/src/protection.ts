// How key material lies in the keyring: readable, or encrypted under a key made from a passphrase.
//
// Both kinds also give the file an integrity value. Without a passphrase it is a checksum against damage only;
// with one nobody can change the file without knowing it, though an older copy of it can be put back.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, scrypt, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { KeyError } from './error.ts'
import type { RandomBytes } from './wrapped-bytes.ts'

const keyBytes = 32
const ivBytes = 12
const tagBytes = 16
const saltBytes = 16
/** 128 MiB and about half a second a guess (RFC 7914, section 2: 128 * N * r bytes). */
const scryptCost = { n: 131_072, r: 8, p: 1 }
/** What a file may ask for: not so little that guessing is cheap, not so much that opening it fails. */
const [minN, maxN, maxR, maxP] = [16_384, 1_048_576, 16, 4]

const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n))
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)

export const Protection = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('scrypt'),
    n: z.int().min(minN).max(maxN).refine(isPowerOfTwo),
    r: z.int().min(1).max(maxR),
    p: z.int().min(1).max(maxP),
    salt: base64url,
    /** Tells a wrong passphrase from a damaged file. */
    verifier: base64url,
  }),
])
export type Protection = z.infer<typeof Protection>

/** Encodes and decodes the material of keys. `context` is authenticated with it where there is a passphrase. */
export interface MaterialGuard {
  readonly protection: Protection
  protect(material: Uint8Array, context: string): string
  /** Throws `damaged`. The caller wipes the result. */
  reveal(text: string, context: string): Uint8Array
  /** base64url of 32 bytes over the whole content of the file. */
  integrity(content: string): string
}

/** The guard of a new keyring. */
export async function newGuard(passphrase: string | null, random: RandomBytes): Promise<MaterialGuard> {
  if (passphrase === null) return plainGuard
  const cost = { ...scryptCost, salt: Buffer.from(random(saltBytes)).toString('base64url') }
  const keys = await deriveKeys(passphrase, cost)
  return passphraseGuard({ kind: 'scrypt', ...cost, verifier: keys.verifier }, keys, random)
}

/** The guard of an existing one. Throws `bad_passphrase`. */
export async function guardOf(
  protection: Protection,
  passphrase: string | null,
  random: RandomBytes,
): Promise<MaterialGuard> {
  if (protection.kind === 'none') {
    if (passphrase === null) return plainGuard
    throw new KeyError('bad_passphrase', 'A passphrase was given, but this keyring is not protected by one')
  }
  if (passphrase === null) throw new KeyError('bad_passphrase', 'This keyring needs its passphrase')
  const keys = await deriveKeys(passphrase, protection)
  if (!isSame(keys.verifier, protection.verifier)) {
    throw new KeyError('bad_passphrase', 'The passphrase does not open this keyring')
  }
  return passphraseGuard(protection, keys, random)
}

export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const hmac = (key: string | Buffer, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url')

const plainGuard: MaterialGuard = {
  protection: { kind: 'none' },
  protect: material => Buffer.from(material).toString('base64url'),
  reveal(text) {
    const material = Buffer.from(text, 'base64url')
    if (material.length !== keyBytes) throw damaged()
    return material
  },
  integrity: content => hmac('auricle-keyring checksum', content),
}

interface DerivedKeys {
  readonly material: Buffer
  readonly integrity: Buffer
  readonly verifier: string
}

async function deriveKeys(
  passphrase: string,
  cost: { readonly n: number; readonly r: number; readonly p: number; readonly salt: string },
): Promise<DerivedKeys> {
  const { n: N, r, p, salt } = cost
  // Twice what the function itself needs, as Node counts its own buffers too.
  const maxmem = 2 * 128 * N * r
  const secret = await new Promise<Buffer>((resolve, reject) => {
    // One passphrase may be typed as several byte sequences; NFC makes them one.
    const password = passphrase.normalize('NFC')
    scrypt(password, Buffer.from(salt, 'base64url'), keyBytes, { N, r, p, maxmem }, (error, key) => {
      if (error === null) resolve(key)
      else reject(new KeyError('unavailable', 'The passphrase cannot be tried now', { cause: error }))
    })
  })
  const derive = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, new Uint8Array(), `auricle-keyring/1 ${use}`, keyBytes))
  const keys = {
    material: derive('material'),
    integrity: derive('integrity'),
    verifier: derive('verifier').toString('base64url'),
  }
  secret.fill(0)
  return keys
}

function passphraseGuard(protection: Protection, keys: DerivedKeys, random: RandomBytes): MaterialGuard {
  const aad = (context: string): Buffer => Buffer.from(`auricle-keyring/1 ${context}`)
  return {
    protection,
    protect(material, context) {
      const iv = random(ivBytes)
      const encryption = createCipheriv('aes-256-gcm', keys.material, iv).setAAD(aad(context))
      const ciphertext = encryption.update(material)
      encryption.final()
      return Buffer.concat([iv, ciphertext, encryption.getAuthTag()]).toString('base64url')
    },
    reveal(text, context) {
      const bytes = Buffer.from(text, 'base64url')
      if (bytes.length !== ivBytes + keyBytes + tagBytes) throw damaged()
      const options = { authTagLength: tagBytes }
      const decryption = createDecipheriv('aes-256-gcm', keys.material, bytes.subarray(0, ivBytes), options)
      decryption.setAAD(aad(context)).setAuthTag(bytes.subarray(ivBytes + keyBytes))
      const material = decryption.update(bytes.subarray(ivBytes, ivBytes + keyBytes))
      try {
        decryption.final()
      } catch (cause) {
        material.fill(0)
        throw damaged(cause)
      }
      return material
    },
    integrity: content => hmac(keys.integrity, content),
  }
}

const damaged = (cause?: unknown): KeyError =>
  new KeyError('damaged', 'A key of the keyring is damaged: restore the file, and do not replace it', {
    cause,
  })
