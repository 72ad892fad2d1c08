// Which public keys a passkey may have: ES256 on P-256, Ed25519, or RS256 from 2048 to 4096 bits (RFC 9053, RFC 8230).
import { createPublicKey, type JsonWebKeyInput } from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'
import { z } from 'zod'

/** COSE's numbers for them, the one that we like best first. */
export const passkeyAlgorithms: readonly number[] = [-7, -8, -257]

const bytes = (least: number, most = least) =>
  z.instanceof(Uint8Array).refine(value => value.byteLength >= least && value.byteLength <= most)

/** Labels: 1 the kind, 3 the algorithm, then those of the kind. */
const ellipticKey = z.object({
  '1': z.literal(2),
  '3': z.literal(-7),
  '-1': z.literal(1),
  '-2': bytes(32),
  '-3': bytes(32),
})
const edwardsKey = z.object({ '1': z.literal(1), '3': z.literal(-8), '-1': z.literal(6), '-2': bytes(32) })
const rsaBits = { least: 2048, most: 4096 } as const
/** A longer modulus or exponent would make each sign-in costly for us. */
const rsaKey = z.object({
  '1': z.literal(3),
  '3': z.literal(-257),
  '-1': bytes(1, rsaBits.most / 8),
  '-2': bytes(1, 4),
})
const CoseKey = z.union([ellipticKey, edwardsKey, rsaKey])

/** Throws where a COSE key is not one of those, or no key of its kind (a point that is not on the curve). */
export function checkPasskeyKey(publicKey: Uint8Array): void {
  // A copy, since the library reads the memory behind a small Buffer from its start.
  const decoded = isoCBOR.decodeFirst<unknown>(Uint8Array.from(publicKey))
  if (!(decoded instanceof Map)) throw new Error('The key is not a map')
  const key = createPublicKey({ key: jwkOf(CoseKey.parse(Object.fromEntries(decoded))), format: 'jwk' })
  const { modulusLength } = key.asymmetricKeyDetails ?? {}
  if (modulusLength !== undefined && modulusLength < rsaBits.least) throw new Error('The key is too short')
}

function jwkOf(key: z.infer<typeof CoseKey>): JsonWebKeyInput['key'] {
  const text = (value: Uint8Array) => Buffer.from(value).toString('base64url')
  switch (key['1']) {
    case 1:
      return { kty: 'OKP', crv: 'Ed25519', x: text(key['-2']) }
    case 2:
      return { kty: 'EC', crv: 'P-256', x: text(key['-2']), y: text(key['-3']) }
    case 3:
      return { kty: 'RSA', n: text(key['-1']), e: text(key['-2']) }
  }
}
