// The key that signs checkpoints of tenants' logs: Ed25519, the sequencer's alone, another one each year.
//
// It is stored wrapped under the deployment's `identity` key. The roots of all logs stand in the log over them, which the
// KMS signs, so who has this key can sign a lie and cannot make it fit.
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { formatNote, noteSignature, type VerifierKey, verifierKey } from '@auricle/audit'
import type { Catalog, LogKeyRow } from '@auricle/catalog'
import { newLogKeyId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import type { VaultKeys } from '../vault-keys.ts'

/** What stands before the 32 bytes of an Ed25519 private key in PKCS #8, and before a public one (RFC 8410). */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefixBytes = 12
const seedBytes = 32

export interface LogKey {
  /** Of the log with that origin, whose name the key bears there. */
  verifierKey(origin: string): VerifierKey
  /** The signed note of a checkpoint's text. */
  signNote(origin: string, text: string): string
}

export interface LogKeyParts {
  readonly catalog: Pick<Catalog, 'listLogKeys' | 'changeLogKey'>
  readonly keys: Pick<VaultKeys, 'ensure' | 'key'>
  readonly now: () => Date
}

/**
 * The key of logs of that year: the newest that was made in it or before. Where that is the clock's own year and the key
 * in use is of an earlier one, a new key takes its place.
 */
export async function openLogKey(parts: LogKeyParts, year: number, options: CallOptions): Promise<LogKey> {
  await parts.keys.ensure({ purpose: 'identity' }, options)
  const now = parts.now()
  let rows = await parts.catalog.listLogKeys(options)
  const inUse = rows.find(({ retiredAt }) => retiredAt === null) ?? null
  if (inUse === null || (inUse.createdAt.getUTCFullYear() < year && now.getUTCFullYear() >= year)) {
    // Of two processes that come to it at once, one puts its key in; both then open that one.
    await parts.catalog.changeLogKey(await newRow(parts, now, options), inUse?.id ?? null, options)
    rows = await parts.catalog.listLogKeys(options)
  }
  const row = rows.findLast(({ createdAt }) => createdAt.getUTCFullYear() <= year) ?? rows.at(-1)
  if (row === undefined)
    throw new VaultError('damaged', 'The key of the log is not there although it was stored')
  return await open(parts, row, options)
}

const aadOf = (id: string): Uint8Array => Buffer.from(`auricle-log-key/1\n${id}`)

async function newRow({ keys }: LogKeyParts, createdAt: Date, options: CallOptions): Promise<LogKeyRow> {
  const id = newLogKeyId()
  const seed = randomBytes(seedBytes)
  const publicKey = publicBytes(privateKeyOf(seed))
  const wrapped = await keys.key({ purpose: 'identity' }).wrap(seed, aadOf(id), options)
  seed.fill(0)
  return { id, publicKey, wrapped, createdAt, retiredAt: null }
}

async function open({ keys }: LogKeyParts, row: LogKeyRow, options: CallOptions): Promise<LogKey> {
  const seed = await keys.key({ purpose: 'identity' }).unwrap(row.wrapped, aadOf(row.id), options)
  const privateKey = privateKeyOf(seed)
  seed.fill(0)
  const publicKey = publicBytes(privateKey)
  if (!publicKey.equals(row.publicKey))
    throw new VaultError('damaged', 'The key of the log is another than the one its public key is of')
  return {
    verifierKey: origin => verifierKey(origin, 'ed25519', publicKey),
    signNote: (origin, text) => {
      const signature = sign(null, Buffer.from(text), privateKey)
      return formatNote({
        text,
        signatures: [noteSignature(verifierKey(origin, 'ed25519', publicKey), signature)],
      })
    },
  }
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([privatePrefix, seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  return key
}

const publicBytes = (privateKey: KeyObject): Buffer =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(publicPrefixBytes)
