// The second sink: an event that the database could not take, as an object that is created once and kept.
//
// Its name is the event's id, its content one line of JSON: the leaf, byte for byte as it would have been stored, and the
// sealed private part. `reconcile-late.ts` brings it into the database; the object stays, as all of that store does.
import { randomBytes } from 'node:crypto'
import { decodeLeaf, type StoredRecord } from '@auricle/audit'
import { EventId, newEventId, type TenantId } from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { z } from 'zod'
import { VaultError } from '../error.ts'

export type LateStore = Pick<ObjectStore, 'put' | 'read' | 'list' | 'head'>

const keptYears = 7
/** More than a leaf and a private part can have, in base64. */
const lineBytesMost = 64 * 1024

const Line = z.strictObject({ leaf: z.base64(), private: z.base64().nullable() })

export const latePrefix = (tenantId: TenantId): string => `late/${tenantId}/`

/** Resolves once the object is durable. Throws where another object has its name. */
export async function putLate(
  store: Pick<LateStore, 'put' | 'read'>,
  record: StoredRecord,
  now: Date,
  options: CallOptions,
): Promise<void> {
  const { tenantId, id, leaf, sealedPrivate } = record
  const line = { leaf: toBase64(leaf), private: sealedPrivate === null ? null : toBase64(sealedPrivate) }
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  const retainUntil = new Date(now)
  retainUntil.setUTCFullYear(retainUntil.getUTCFullYear() + keptYears)
  const source = async function* () {
    yield bytes
  }
  const { status } = await store.put(`${latePrefix(tenantId)}${id}`, source(), { retainUntil, ...options })
  if (status === 'created') return
  const there = await readLate(store, tenantId, id, options)
  if (!toBuffer(there.leaf).equals(leaf)) throw new VaultError('damaged', 'Another late event has this name')
}

/** Characters of an id that say its time to 2^25 milliseconds, some nine hours. */
const windowCharacters = 'evt_'.length + 5
const windowMs = 2 ** 25

/**
 * The ids of the tenant's late events, in no order; names that are none are left out. `now`: only those of the last hours,
 * nine at least; null for all.
 */
export async function* listLate(
  store: Pick<LateStore, 'list'>,
  tenantId: TenantId,
  now: Date | null,
  options: CallOptions,
): AsyncGenerator<EventId> {
  const prefix = latePrefix(tenantId)
  const windows = now === null ? [''] : [-windowMs, 0, windowMs].map(ms => windowOf(now.getTime() + ms))
  for (const window of windows) {
    for await (const { key } of store.list(`${prefix}${window}`, options)) {
      const id = EventId.safeParse(key.slice(prefix.length))
      if (id.success) yield id.data
    }
  }
}

const windowOf = (ms: number): string =>
  newEventId({ now: () => ms, random: randomBytes }).slice(0, windowCharacters)

/** Throws `damaged` for what `putLate` cannot have written under that name. */
export async function readLate(
  store: Pick<LateStore, 'read'>,
  tenantId: TenantId,
  id: EventId,
  options: CallOptions,
): Promise<StoredRecord> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of store.read(`${latePrefix(tenantId)}${id}`, null, options)) {
    length += piece.length
    if (length > lineBytesMost) throw damaged()
    pieces.push(piece)
  }
  const record = parseLine(Buffer.concat(pieces), tenantId, id)
  if (record === null) throw damaged()
  return record
}

function parseLine(bytes: Buffer, tenantId: TenantId, id: EventId): StoredRecord | null {
  try {
    const line = Line.parse(JSON.parse(bytes.toString()))
    const leaf = Buffer.from(line.leaf, 'base64')
    const event = decodeLeaf(leaf)
    if (event.id !== id || event.tenant !== tenantId || event.writer === undefined) return null
    const sealedPrivate = line.private === null ? null : Buffer.from(line.private, 'base64')
    return { tenantId, id, leaf, sealedPrivate }
  } catch {
    // Whatever is wrong with it, it is not an event of ours.
    return null
  }
}

const damaged = () => new VaultError('damaged', 'A late event is not one that the vault wrote')
const toBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const toBase64 = (bytes: Uint8Array) => toBuffer(bytes).toString('base64')
