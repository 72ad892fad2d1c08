// The Ed25519 keys that sign tokens (RFC 8037): made, and imported once for all the tokens to come.
import { createPrivateKey, randomBytes } from 'node:crypto'
import { calculateJwkThumbprint, importJWK } from 'jose'
import { z } from 'zod'
import { IdentityError } from './error.ts'

/** The fully specified name (RFC 9864); `EdDSA` leaves the curve open, and is not accepted. */
export const tokenAlgorithm = 'Ed25519'

type Jwk = Readonly<Record<string, unknown>>
export type TokenCryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

export interface TokenKeyPair {
  /** The public key's RFC 7638 thumbprint. */
  readonly kid: string
  readonly publicJwk: Jwk
  /** To be kept sealed. */
  readonly privateJwk: Jwk
}

/** The key that signs. */
export interface TokenSigningKey {
  readonly kid: string
  readonly key: TokenCryptoKey
}

export interface TokenKeys {
  readonly signing: TokenSigningKey
  /** Public keys by `kid`. */
  readonly verifying: ReadonlyMap<string, TokenCryptoKey>
}

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const PublicJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate })
const PrivateJwk = PublicJwk.extend({ d: coordinate })

const seedBytes = 32
/** PKCS #8 of an Ed25519 key up to its 32-byte seed (RFC 8410 section 7). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A fresh key pair. `random` gives the seed (RFC 8032 section 5.1.5). */
export async function newTokenKey(
  random: (byteLength: number) => Uint8Array = randomBytes,
): Promise<TokenKeyPair> {
  const pkcs8 = Buffer.concat([pkcs8Head, random(seedBytes)])
  const exported = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
  pkcs8.fill(0)
  const { kty, crv, x, d } = PrivateJwk.parse(exported)
  const kid = await calculateJwkThumbprint({ kty, crv, x })
  const publicJwk = { kty, crv, x, kid, use: 'sig' }
  return { kid, publicJwk, privateJwk: { ...publicJwk, d } }
}

/**
 * Imports the deployment's keys: the pair that signs, and every public key that may verify, the pair's among them.
 * Throws `IdentityError('bad_key')` for a key that is not Ed25519, or whose `kid` is not its thumbprint.
 */
export async function createTokenKeys(keys: {
  readonly current: TokenKeyPair
  readonly all: readonly Pick<TokenKeyPair, 'kid' | 'publicJwk'>[]
}): Promise<TokenKeys> {
  const { current, all } = keys
  const verifying = new Map<string, TokenCryptoKey>()
  for (const row of [current, ...all]) {
    const jwk = parse(PublicJwk, row.publicJwk)
    if ((await calculateJwkThumbprint(jwk)) !== row.kid)
      throw badKey('A token key is not the one it is named for')
    verifying.set(row.kid, await imported(jwk))
  }
  const pair = parse(PrivateJwk, current.privateJwk)
  if (pair.x !== parse(PublicJwk, current.publicJwk).x)
    throw badKey('The signing key is not of its public key')
  return { signing: { kid: current.kid, key: await imported(pair) }, verifying }
}

function parse<Schema extends z.ZodType>(schema: Schema, jwk: unknown): z.output<Schema> {
  const parsed = schema.safeParse(jwk)
  // Not with the error as cause where it could hold the key: zod's issues name fields, never values.
  if (!parsed.success) throw badKey('A token key is not an Ed25519 key', parsed.error)
  return parsed.data
}

async function imported(jwk: z.infer<typeof PublicJwk>): Promise<TokenCryptoKey> {
  let key: Awaited<ReturnType<typeof importJWK>>
  try {
    key = await importJWK(jwk, tokenAlgorithm)
  } catch (cause) {
    throw badKey('A token key cannot be imported', cause)
  }
  if (key instanceof Uint8Array) throw badKey('A token key is not an Ed25519 key')
  return key
}

function badKey(message: string, cause?: unknown): IdentityError {
  return new IdentityError('bad_key', message, { cause })
}
