// The public keys that sign notes, and their one-line text (C2SP signed-note, verifier keys).
import {
  type Bytes,
  concat,
  equalBytes,
  fromBase64,
  hex,
  isPlainText,
  sha256,
  toBase64,
  utf8,
} from './bytes.ts'
import { AuditError } from './error.ts'

export type NoteAlgorithm = 'ed25519' | 'ecdsa-p256' | 'cosignature-ed25519'

/** The byte that tells algorithms apart in key ids and key texts. */
const typeBytes: Readonly<Record<NoteAlgorithm, number>> = {
  ed25519: 0x01,
  'ecdsa-p256': 0x02,
  'cosignature-ed25519': 0x04,
}
const ed25519KeyBytes = 32
/** What a SubjectPublicKeyInfo of P-256 begins with, up to and with the mark of an uncompressed point (RFC 5480). */
const p256Prefix = Uint8Array.of(
  ...[0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86],
  ...[0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04],
)
const p256SpkiBytes = 91
export const keyIdBytes = 4

export interface VerifierKey {
  /** Of the log or witness: without spaces and plus signs. */
  readonly name: string
  /** Eight lower-case hexadecimal digits. */
  readonly keyId: string
  readonly algorithm: NoteAlgorithm
  /** 32 raw bytes of Ed25519; the SubjectPublicKeyInfo in DER of P-256. */
  readonly publicKey: Bytes
}

/** Throws `AuditError('bad_key')` where the name or the key's bytes cannot be. */
export function verifierKey(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) refuse('its name is empty or has a space or a plus sign')
  if (!isPublicKey(algorithm, publicKey)) refuse('its public key has another form')
  return { name, keyId: keyIdOf(name, algorithm, publicKey), algorithm, publicKey: concat(publicKey) }
}

/** `name+keyId+base64(type || publicKey)`. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${key.keyId}+${toBase64(concat(Uint8Array.of(typeBytes[key.algorithm]), key.publicKey))}`
}

/** The inverse of `formatVerifierKey`. Throws `AuditError('bad_key')` for any other text and for other algorithms. */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name, keyId, encoded] =
    /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? refuse('it is no verifier key')
  const bytes = fromBase64(encoded ?? '') ?? refuse('it is not in base64')
  const algorithm = algorithms.find(candidate => typeBytes[candidate] === bytes[0])
  if (algorithm === undefined) refuse('its algorithm is not supported')
  const key = verifierKey(name ?? '', algorithm, bytes.subarray(1))
  if (key.keyId !== keyId) refuse('its id is of another key')
  return key
}

export const sameKey = (a: VerifierKey, b: VerifierKey): boolean =>
  a.name === b.name && a.algorithm === b.algorithm && equalBytes(a.publicKey, b.publicKey)

/** Not empty, without Unicode spaces, plus signs and control characters. */
export const isKeyName = (name: string): boolean => isPlainText(name) && /^[^\p{White_Space}+]+$/u.test(name)

const algorithms: readonly NoteAlgorithm[] = ['ed25519', 'ecdsa-p256', 'cosignature-ed25519']

function isPublicKey(algorithm: NoteAlgorithm, bytes: Uint8Array): boolean {
  if (algorithm !== 'ecdsa-p256') return bytes.length === ed25519KeyBytes
  return bytes.length === p256SpkiBytes && equalBytes(bytes.subarray(0, p256Prefix.length), p256Prefix)
}

function keyIdOf(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): string {
  const named =
    algorithm === 'ecdsa-p256'
      ? publicKey
      : concat(utf8(`${name}\n`), Uint8Array.of(typeBytes[algorithm]), publicKey)
  return hex(sha256(named).subarray(0, keyIdBytes))
}

function refuse(why: string): never {
  throw new AuditError('bad_key', `this cannot be a verifier key: ${why}`)
}
