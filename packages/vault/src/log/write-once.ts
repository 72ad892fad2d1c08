// The log in write-once storage: what was published last, and how something is put there so that it is either that or
// refused.
import { type Bytes, equalBytes, parseCheckpoint, parseNote } from '@auricle/audit'
import { logKeptDays, type TenantId } from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { LogRefusal } from './log-refusal.ts'

const dayMs = 24 * 60 * 60_000
/** So that names are in the order of numbers; as many digits as 64 bits need. */
const sizeDigits = 20

/** Everything of a log lies under its prefix, which ends with a slash. */
export const logPrefix = (tenantId: TenantId, year: number): string => `log/${tenantId}/${year}/`
export const anchorPrefix = 'anchor/'

export const checkpointKey = (prefix: string, size: number): string =>
  `${prefix}checkpoint/${String(size).padStart(sizeDigits, '0')}`

export type LogStore = Pick<ObjectStore, 'put' | 'read' | 'list'>

/** The state that was published: everything that comes later has to add to it. */
export interface PublishedState {
  readonly size: number
  readonly root: Bytes
}

/**
 * The largest checkpoint under `prefix`; null without any. `knownSize`: that of one that is known to have been published,
 * 0 for none; where it is not there, `LogRefusal('unpublished')`.
 */
export async function findLastPublished(
  store: LogStore,
  prefix: string,
  { origin, knownSize }: { readonly origin: string; readonly knownSize: number },
  options: CallOptions,
): Promise<PublishedState | null> {
  let last: string | null = null
  let isKnownThere = knownSize === 0
  const from = checkpointKey(prefix, knownSize)
  for await (const { key } of store.list(`${prefix}checkpoint/`, { from, ...options })) {
    if (key === from) isKnownThere = true
    if (last === null || key > last) last = key
  }
  if (!isKnownThere) {
    throw new LogRefusal('unpublished', 'A checkpoint that was published is not in write-once storage')
  }
  if (last === null) return null
  const note = Buffer.from(await readAll(store, last, options)).toString('utf8')
  try {
    const checkpoint = parseCheckpoint(parseNote(note).text)
    if (checkpoint.origin === origin && checkpointKey(prefix, checkpoint.size) === last) return checkpoint
  } catch (cause) {
    throw new LogRefusal('forked', 'Write-once storage has a checkpoint that cannot be read', { cause })
  }
  throw new LogRefusal('forked', 'Write-once storage has a checkpoint of another log or size')
}

/** Creates the object. Where there is one with the same bytes that is as good; with others, `LogRefusal('conflict')`. */
export async function putOnce(
  store: LogStore,
  key: string,
  bytes: Uint8Array,
  { now, signal }: CallOptions & { readonly now: Date },
): Promise<void> {
  const retainUntil = new Date(now.getTime() + logKeptDays * dayMs)
  const { status } = await store.put(key, once(bytes), { retainUntil, signal })
  if (status === 'created' || equalBytes(await readAll(store, key, { signal }), bytes)) return
  throw new LogRefusal('conflict', 'Write-once storage has something else where the log was to be published')
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

export async function readAll(
  store: Pick<ObjectStore, 'read'>,
  key: string,
  options: CallOptions,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of store.read(key, null, options)) pieces.push(piece)
  return Buffer.concat(pieces)
}
