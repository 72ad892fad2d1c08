// Keys of logs, anchors and witnesses, and the lines they write below a note (C2SP signed-note, tlog-cosignature).
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Random } from './random.ts'

export interface Signer {
  readonly name: string
  /** The verifier key, as a policy has it. */
  readonly text: string
  /** The line below the note, with its line feed. */
  line(text: string): string
}

export type LogAlgorithm = 'ed25519' | 'ecdsa-p256'

const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefixBytes = 12

/** A key that signs a log under `origin`. */
export function logSigner(origin: string, key: KeyObject): Signer {
  const isEd25519 = key.asymmetricKeyType === 'ed25519'
  const spki = spkiOf(key)
  const publicKey = isEd25519
    ? Buffer.concat([Uint8Array.of(1), spki.subarray(spkiPrefixBytes)])
    : Buffer.concat([Uint8Array.of(2), spki])
  // The id of an ECDSA key is made of the key alone.
  const id = isEd25519 ? keyId(Buffer.from(`${origin}\n`), publicKey) : keyId(spki)
  return {
    name: origin,
    text: `${origin}+${id.toString('hex')}+${publicKey.toString('base64')}`,
    line: text => {
      const signature = sign(isEd25519 ? null : 'sha256', Buffer.from(text), key)
      return lineOf(origin, id, signature)
    },
  }
}

/** A witness, whose cosignatures all say the same time. */
export function witnessSigner(name: string, key: KeyObject, timeSeconds: number): Signer {
  const publicKey = Buffer.concat([Uint8Array.of(4), spkiOf(key).subarray(spkiPrefixBytes)])
  const id = keyId(Buffer.from(`${name}\n`), publicKey)
  return {
    name,
    text: `${name}+${id.toString('hex')}+${publicKey.toString('base64')}`,
    line: text => {
      const time = Buffer.alloc(8)
      time.writeBigUInt64BE(BigInt(timeSeconds))
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${timeSeconds}\n${text}`), key)
      return lineOf(name, id, Buffer.concat([time, signature]))
    },
  }
}

export const ed25519Key = (random: Random): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8Prefix, random.bytes(32)]), format: 'der', type: 'pkcs8' })

/** The only thing in a bundle that does not follow from the seed. */
export const p256Key = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

export const signedNote = (text: string, signers: readonly Signer[]): string =>
  `${text}\n${signers.map(signer => signer.line(text)).join('')}`

const lineOf = (name: string, id: Buffer, payload: Buffer): string =>
  `\u2014 ${name} ${Buffer.concat([id, payload]).toString('base64')}\n`

function keyId(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest().subarray(0, 4)
}

function spkiOf(key: KeyObject): Buffer {
  // A private key's public half, by way of its JWK: Node derives one from the other only with types of its own.
  const { x, y } = key.export({ format: 'jwk' })
  if (x === undefined) throw new TypeError('the key has no public half')
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  return y === undefined
    ? Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes(x)])
    : Buffer.concat([
        Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex'),
        bytes(x),
        bytes(y),
      ])
}
