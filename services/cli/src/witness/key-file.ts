// The key that a witness signs with: made at its first start, in a file that only its owner may read.
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { fromBase64, toBase64, type VerifierKey, verifierKey } from '@auricle/audit'
import { readIfPresent, writeDurably } from '@auricle/runtime'
import type { WitnessKey } from '@auricle/vault'
import { UsageError } from '../error.ts'

const ownerOnlyFile = 0o600
const othersMode = 0o077
const seedBytes = 32
/** Type of a timestamped Ed25519 cosignature (C2SP signed-note). */
const cosignatureType = 4
/** Everything of a PKCS #8 Ed25519 key before its seed (RFC 8410, section 7). */
const seedPrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
/** Everything of an Ed25519 SubjectPublicKeyInfo before the key itself (RFC 8410, section 4). */
const publicPrefixBytes = 12

/**
 * The text of a note's private key as Go's `note` package and the tools around it write it:
 * `PRIVATE+KEY+{name}+{key id}+{base64 of type and seed}`.
 */
const keyText = /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})\n?$/

export interface KeyFileOptions {
  readonly file: string
  /** What the witness is called; null takes the name in the file. */
  readonly name: string | null
  readonly random: (byteLength: number) => Uint8Array
}

/** Opens the key file, or makes it where a name is given. Throws `UsageError` with what is wrong with it. */
export async function openKeyFile({ file, name, random }: KeyFileOptions): Promise<WitnessKey> {
  const kept = await readIfPresent(file)
  if (kept === null) {
    if (name === null)
      throw new UsageError(`${file} is not there: give the witness a name with --name, and it is made`)
    const made = keyOf(name, random(seedBytes))
    await writeDurably(file, made.text, ownerOnlyFile)
    return made.key
  }
  // A key that others may read signs for others.
  if (((await stat(file)).mode & othersMode) !== 0)
    throw new UsageError(`${file} is readable by others: chmod 600 ${file}`)
  const [, ownName, keyId, encoded] = keyText.exec(kept) ?? []
  if (ownName === undefined || encoded === undefined)
    throw new UsageError(`${file} does not hold the key of a witness`)
  const bytes = fromBase64(encoded)
  if (bytes === null || bytes.length !== seedBytes + 1 || bytes[0] !== cosignatureType)
    throw new UsageError(`${file} does not hold an Ed25519 key for cosignatures`)
  const { key } = keyOf(ownName, bytes.subarray(1))
  if (key.key.keyId !== keyId) throw new UsageError(`${file} is damaged: its key id is not that of its key`)
  if (name !== null && name !== ownName)
    throw new UsageError(`The key in ${file} is of the witness "${ownName}": a key has one name for good`)
  return key
}

function keyOf(name: string, seed: Uint8Array): { readonly key: WitnessKey; readonly text: string } {
  const secret: KeyObject = createPrivateKey({
    key: Buffer.concat([seedPrefix, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
  const key: VerifierKey = verifierKey(
    name,
    'cosignature-ed25519',
    new Uint8Array(spki.subarray(publicPrefixBytes)),
  )
  const encoded = toBase64(new Uint8Array([cosignatureType, ...seed]))
  return {
    key: { key, sign: async message => new Uint8Array(sign(null, message, secret)) },
    text: `PRIVATE+KEY+${name}+${key.keyId}+${encoded}\n`,
  }
}
