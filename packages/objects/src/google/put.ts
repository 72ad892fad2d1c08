// Creates an object from a source: one request where it is small, a session where it is not.
//
// Order: gather a chunk -> (all of it: INSERT) or (begin a session -> chunks -> LAST CHUNK).
// The insert or the last chunk is the commit point; both carry the checksum of all the bytes and what is to keep the
// object. Before it nothing exists. After it the object exists whole, also where the answer is lost, this process dies
// or the signal aborts while that one request is on its way.
//
// An answer that was lost is made up for: a session tells by its address alone what became of it; an insert that is
// tried again is refused because the key is taken, and the object there tells by an id in its metadata whose it is.
import { randomUUID } from 'node:crypto'
import { ObjectError } from '../error.ts'
import { checkMetadata, maxMetadataBytes, metadataBytes } from '../metadata.ts'
import { stoppable } from '../stoppable.ts'
import type { PutOptions, PutResult } from '../store.ts'
import { meaningOf } from './api-failure.ts'
import type { Bucket } from './bucket.ts'
import { createChecksum } from './checksum.ts'
import { type Chunk, inChunks } from './chunks.ts'
import { factsOf, metadataOf, type Names, putIdName, type Resource } from './resource.ts'
import { beginSession, cancelSession, insertWhole, type NewObject, sendChunk } from './upload.ts'

export interface PutParts {
  readonly bucket: Bucket
  readonly names: Names
  readonly retentionMode: 'Locked' | 'Unlocked'
  readonly now: () => number
  /** A source up to this size goes in one request; a longer one in chunks of it. A multiple of the quantum. */
  readonly chunkBytes: number
}

const contentType = 'application/octet-stream'

export async function put(
  parts: PutParts,
  key: string,
  source: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<PutResult> {
  const { signal } = options
  const object = describe(parts, parts.names.nameOf(key), options)
  signal?.throwIfAborted()
  const chunks = inChunks(stoppable(source, signal), parts.chunkBytes)
  try {
    const first = await chunks.next()
    if (first.done === true) throw new ObjectError('unavailable', 'The source ended before it began')
    return first.value.isLast
      ? await putWhole(parts, key, { object, chunk: first.value, signal })
      : await putInSession(parts, key, { object, first: first.value, chunks, signal })
  } finally {
    await chunks.return()
  }
}

function describe(
  { retentionMode, now }: PutParts,
  name: string,
  { retainUntil, lock = retentionMode === 'Locked', metadata = {} }: PutOptions,
): NewObject {
  checkMetadata(metadata)
  const putId = { [putIdName]: randomUUID() }
  // Where the caller's metadata leaves no room, its own is known by size, checksum and metadata.
  const hasRoom = metadataBytes(metadata) + metadataBytes(putId) <= maxMetadataBytes
  // The service takes no time that is past, and such a time keeps nothing.
  const isKept = retainUntil !== null && retainUntil.getTime() > now()
  return {
    name,
    contentType,
    metadata: hasRoom ? { ...metadata, ...putId } : metadata,
    ...(isKept ? { retention: { mode: modeOf(lock), retainUntilTime: retainUntil.toISOString() } } : {}),
  }
}

export const modeOf = (isLocked: boolean): 'Locked' | 'Unlocked' => (isLocked ? 'Locked' : 'Unlocked')

interface Whole {
  readonly object: NewObject
  readonly sizeBytes: number
  readonly crc32c: string
  /** Whether a request that may have created it was not answered. */
  readonly isUncertain: boolean
  readonly signal: AbortSignal | undefined
}

async function putWhole(
  { bucket }: PutParts,
  key: string,
  {
    object,
    chunk,
    signal,
  }: { readonly object: NewObject; readonly chunk: Chunk; readonly signal: AbortSignal | undefined },
): Promise<PutResult> {
  const checksum = createChecksum()
  for (const piece of chunk.pieces) checksum.update(piece)
  const whole = { object, sizeBytes: chunk.bytes, crc32c: checksum.text(), signal }
  let isUncertain = false
  const onUncertain = (): void => {
    isUncertain = true
  }
  try {
    const resource = await insertWhole(bucket, object, chunk, { signal, onUncertain, crc32c: whole.crc32c })
    return await created(bucket, key, resource, { ...whole, isUncertain })
  } catch (error) {
    if (meaningOf(error) !== 'condition') throw error
    return await taken(bucket, key, { ...whole, isUncertain })
  }
}

async function putInSession(
  { bucket }: PutParts,
  key: string,
  {
    object,
    first,
    chunks,
    signal,
  }: {
    readonly object: NewObject
    readonly first: Chunk
    readonly chunks: AsyncGenerator<Chunk, void, undefined>
    readonly signal: AbortSignal | undefined
  },
): Promise<PutResult> {
  const checksum = createChecksum()
  let isUncertain = false
  const onUncertain = (): void => {
    isUncertain = true
  }
  let offset = 0
  let address: string | null = null
  const whole = (): Whole => ({ object, sizeBytes: offset, crc32c: checksum.text(), isUncertain, signal })
  try {
    address = await beginSession(bucket, object, { signal })
    for (let chunk = first; ; ) {
      for (const piece of chunk.pieces) checksum.update(piece)
      const sent = { ...chunk, offset, crc32c: checksum.text() }
      const resource = await sendChunk(bucket, address, sent, { signal, onUncertain })
      offset += chunk.bytes
      if (resource !== null) return await created(bucket, key, resource, whole())
      const next = await chunks.next()
      if (next.done === true) throw new ObjectError('unavailable', 'The source ended before its last bytes')
      chunk = next.value
    }
  } catch (error) {
    const meaning = meaningOf(error)
    const isTaken =
      meaning === 'condition' || (meaning === 'session_over' && (await isThere(bucket, object, signal)))
    if (isTaken) return await taken(bucket, key, whole())
    // Not waited for after an abort, which is to be prompt.
    const cancelling = address === null ? null : cancelSession(bucket, address)
    if (signal?.aborted !== true) await cancelling
    throw error
  }
}

/** A session that was refused because the key is taken is over, and where that answer was lost it says no more. */
async function isThere(
  bucket: Bucket,
  { name }: NewObject,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return (await bucket.get(name, { signal })) !== null
  } catch {
    signal?.throwIfAborted()
    return false
  }
}

/** The service says that it made the object; it is ours to check that it made what it was given. */
async function created(bucket: Bucket, key: string, resource: Resource, whole: Whole): Promise<PutResult> {
  const told = isWhole(resource, whole) ? resource : await bucket.get(whole.object.name, whole)
  if (told === null || !isWhole(told, whole)) {
    throw new ObjectError('damaged', 'What the bucket holds is not what was put; it was left as it is')
  }
  const facts = factsOf(key, told)
  if (whole.object.retention !== undefined && facts.retainUntil === null) {
    throw new ObjectError('damaged', 'The bucket does not keep the object as long as it was to')
  }
  return { status: 'created', facts }
}

/** Somebody has the key: another, or we ourselves by a request whose answer was lost. */
async function taken(bucket: Bucket, key: string, whole: Whole): Promise<PutResult> {
  const { object, isUncertain, signal } = whole
  let found: Resource | null
  try {
    found = await bucket.get(object.name, { signal })
  } catch (error) {
    if (meaningOf(error) !== 'denied' || !isUncertain) throw error
    const sentence = 'Nobody who may not read can tell whether the object was stored: use another key'
    throw new ObjectError('unavailable', sentence, { cause: error })
  }
  if (found === null)
    throw new ObjectError('unavailable', 'The object that had this key was deleted meanwhile')
  const isOurs = isUncertain && isWhole(found, whole) && isBySamePut(found, object)
  return { status: isOurs ? 'created' : 'exists', facts: factsOf(key, found) }
}

const isWhole = ({ size, crc32c }: Resource, whole: Pick<Whole, 'sizeBytes' | 'crc32c'>): boolean =>
  Number(size) === whole.sizeBytes && crc32c === whole.crc32c

function isBySamePut(found: Resource, { metadata }: NewObject): boolean {
  const putId = metadata[putIdName]
  if (putId !== undefined) return found.metadata?.[putIdName] === putId
  const there = metadataOf(found)
  const names = Object.keys(metadata)
  return names.length === Object.keys(there).length && names.every(name => there[name] === metadata[name])
}
