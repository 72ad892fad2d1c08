// Keys that sign notes and cosign checkpoints, made anew for each test.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  cosignaturePayload,
  cosignedMessage,
  formatNote,
  type NoteSignature,
  noteSignature,
  type VerifierKey,
  verifierKey,
} from '@auricle/audit'

export interface NoteSigner {
  readonly key: VerifierKey
  /** What stands in a note after the key's id. */
  readonly payload: (text: string) => Uint8Array
  readonly sign: (text: string) => NoteSignature
}

/** A log's key. */
export function newNoteSigner(name: string, algorithm: 'ed25519' | 'ecdsa-p256' = 'ed25519'): NoteSigner {
  if (algorithm === 'ecdsa-p256') {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = verifierKey(name, algorithm, publicKey.export({ type: 'spki', format: 'der' }))
    return signer(key, text => sign('sha256', Buffer.from(text), privateKey))
  }
  const { raw, privateKey } = newEd25519()
  return signer(verifierKey(name, algorithm, raw), text => sign(null, Buffer.from(text), privateKey))
}

/** A witness's key, which says that it is `timeSeconds`. */
export function newWitness(name: string, timeSeconds = 1_800_000_000): NoteSigner {
  const { raw, privateKey } = newEd25519()
  return signer(verifierKey(name, 'cosignature-ed25519', raw), text =>
    cosignaturePayload(timeSeconds, sign(null, cosignedMessage(timeSeconds, text), privateKey)),
  )
}

export const signedNote = (text: string, ...signers: readonly NoteSigner[]): string =>
  formatNote({ text, signatures: signers.map(({ sign }) => sign(text)) })

function signer(key: VerifierKey, payload: NoteSigner['payload']): NoteSigner {
  return { key, payload, sign: text => noteSignature(key, payload(text)) }
}

function newEd25519(): { readonly raw: Uint8Array; readonly privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { raw: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32), privateKey }
}
