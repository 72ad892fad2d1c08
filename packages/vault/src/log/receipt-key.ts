// Receipts: what a process signs for an event that is durable, so that taking it out again can be proven by whoever was
// given one.
//
// The key lives as long as the process and is kept nowhere. `writer.started` names it in the log; besides, the key
// service signs for it, in a note that is put into write-once storage.
import { generateKeyPairSync, sign } from 'node:crypto'
import {
  type EventReceipt,
  formatNote,
  formatReceipt,
  formatVerifierKey,
  noteSignature,
  parseNote,
  receiptKeyName,
  type VerifierKey,
  verifierKey,
} from '@auricle/audit'
import { WriterId } from '@auricle/contract'
import type { KeyService, PublicKey } from '@auricle/keys'
import type { CallOptions } from '@auricle/sealed'
import type { LateStore } from './late-events.ts'

export interface ReceiptKey {
  /** As one line of text (C2SP signed-note). */
  readonly verifierKey: string
  /** The signed note. */
  sign(receipt: EventReceipt): string
}

/** What stands before the 32 bytes of an Ed25519 public key (RFC 8410). */
const spkiPrefixBytes = 12

export function newReceiptKey(logName: string, writerId: WriterId): ReceiptKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(spkiPrefixBytes)
  const key = verifierKey(receiptKeyName(logName, writerId), 'ed25519', raw)
  return {
    verifierKey: formatVerifierKey(key),
    sign(receipt) {
      const text = formatReceipt(receipt)
      return formatNote({ text, signatures: [noteSignature(key, sign(null, Buffer.from(text), privateKey))] })
    },
  }
}

const endorsementVersion = 'auricle-receipt-key/1'
const folder = 'receipt-keys/'
const noteBytesMost = 8 * 1024
const keptYears = 7

export interface EndorseParts {
  readonly keys: Pick<KeyService, 'ensure' | 'signer'>
  readonly store: Pick<LateStore, 'put'>
  readonly logName: string
  /** Default: the system's clock. */
  readonly now?: () => Date
}

/** Under which name the key service signs for receipt keys. */
export const endorserName = (logName: string): string => `${logName}/receipts`

/** The key service's signature over a process's key, durable in write-once storage when it resolves. */
export async function endorseReceiptKey(
  { keys, store, logName, now = () => new Date() }: EndorseParts,
  writer: { readonly id: WriterId; readonly verifierKey: string },
  options: CallOptions,
): Promise<string> {
  await keys.ensure({ purpose: 'receipts' }, options)
  const signer = keys.signer({ purpose: 'receipts' })
  const at = now()
  const text = `${endorsementVersion}\n${writer.verifierKey}\n${at.toISOString()}\n`
  const { signature, keyVersion } = await signer.sign(Buffer.from(text), options)
  const key = endorserKey(logName, await signer.publicKey({ ...options, keyVersion }))
  const note = formatNote({ text, signatures: [noteSignature(key, signature)] })
  const retainUntil = new Date(at)
  retainUntil.setUTCFullYear(retainUntil.getUTCFullYear() + keptYears)
  const source = async function* () {
    yield Buffer.from(note)
  }
  await store.put(`${folder}${writer.id}`, source(), { ...options, retainUntil })
  return note
}

/** The key that signs for receipt keys, as it stands in notes. */
export function endorserKey(logName: string, { algorithm, spki }: PublicKey): VerifierKey {
  const name = endorserName(logName)
  return algorithm === 'ed25519'
    ? verifierKey(name, 'ed25519', spki.subarray(spkiPrefixBytes))
    : verifierKey(name, 'ecdsa-p256', spki)
}

/** The notes of all keys that were ever signed for, in no order; what is none is left out. */
export async function* listReceiptKeys(
  store: Pick<LateStore, 'list' | 'read'>,
  options: CallOptions,
): AsyncGenerator<string> {
  for await (const { key, sizeBytes } of store.list(folder, options)) {
    if (!WriterId.safeParse(key.slice(folder.length)).success || sizeBytes > noteBytesMost) continue
    const pieces: Uint8Array[] = []
    for await (const piece of store.read(key, null, options)) pieces.push(piece)
    const note = Buffer.concat(pieces).toString()
    if (isEndorsement(note)) yield note
  }
}

function isEndorsement(note: string): boolean {
  try {
    return parseNote(note).text.startsWith(`${endorsementVersion}\n`)
  } catch {
    // Whoever may write to the store may put anything there; readers verify what they are given.
    return false
  }
}
