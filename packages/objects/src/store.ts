// The contract of an object store: create-only bytes under a key, that may not be deleted before their time.
import type { ByteRange, Finding } from '@auricle/contract'

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined
}

/** Names of 1 to 64 characters of `[a-z0-9-]`, well-formed text; names and values together at most 8,192 bytes of UTF-8. */
export type ObjectMetadata = Readonly<Record<string, string>>

export interface ObjectFacts {
  readonly key: string
  readonly sizeBytes: number
  /** Differs between two objects that had the same key one after the other. Opaque. */
  readonly generation: string
  readonly createdAt: Date
  /** Until when `delete` refuses; null when nothing keeps it. */
  readonly retainUntil: Date | null
  /** Whether that time is for good: nobody shortens it. False where nothing keeps the object until a time. */
  readonly locked: boolean
  /** Whether a hold keeps it, whatever its retention says. */
  readonly held: boolean
  /** What was noted beside the bytes. Whoever may write to the store may change it: nothing of it is to be believed. */
  readonly metadata: ObjectMetadata
}

export interface PutOptions extends StoreOptions {
  readonly retainUntil: Date | null
  /** Whether that time is for good. Default: as the store is set. */
  readonly lock?: boolean | undefined
  /** Default: none. */
  readonly metadata?: ObjectMetadata | undefined
}

export type PutResult = {
  /** `exists`: the key was taken; nothing was written and the facts are those of the object there. */
  readonly status: 'created' | 'exists'
  readonly facts: ObjectFacts
}

export interface ListOptions extends StoreOptions {
  /** By the order of characters; the key itself is among them. */
  readonly from?: string | undefined
}

export interface OfGeneration extends StoreOptions {
  /** Only this one of the objects that had the key one after the other; another counts as absent. */
  readonly generation?: string | undefined
}

export interface RetainOptions extends OfGeneration {
  /** Of an object that had no retention; one that has keeps its mode. Default: as the store is set. */
  readonly lock?: boolean | undefined
}

/** An object that was deleted and can still be brought back by whoever runs the store. */
export interface GoneObject {
  readonly key: string
  readonly generation: string
  readonly sizeBytes: number
  readonly deletedAt: Date
  /** Then it is gone for good. */
  readonly restorableUntil: Date
}

/**
 * Keys are 1 to 1,024 characters of `[a-z0-9_./-]`, no empty, `.` or `..` segment; others throw `bad_key`.
 * Absence is null; an outage is always an error (`ObjectError`), never absence. `denied`: the store does not let
 * this identity do it.
 */
export interface ObjectStore {
  /**
   * Creates the object, never replaces one. When it resolves, the bytes survive loss of power. If the source
   * throws, the signal aborts or the process dies, no object exists under the key; or the whole one, where that
   * comes while the last step is under way, as it also may after `unavailable`. Pieces of the source are
   * held and not copied: they must stay as they are until it settles. A source whose key proves to be taken
   * may be left off early (its `return` is called). Needs no right but to create; where the key is taken, also to read.
   */
  put(key: string, source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult>
  head(key: string, options?: StoreOptions): Promise<ObjectFacts | null>
  /**
   * The bytes of the range, or all when null. Throws `not_found`, and `bad_range` where the range does not lie
   * within the object. A short object is an error, never a short answer.
   */
  read(key: string, range: ByteRange | null, options?: StoreOptions): AsyncIterable<Uint8Array>
  /** Throws `held` while a hold keeps the object, and `retained` before its time. */
  delete(key: string, options?: OfGeneration): Promise<'deleted' | 'absent'>
  /** Objects whose key begins with `prefix`, in the order of their keys, by character; of them only those from the key `from` on, where given. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectFacts>
  /** Keeps the object until then at least: an earlier time than the present one changes nothing. Throws `not_found`. */
  retain(key: string, until: Date, options?: RetainOptions): Promise<ObjectFacts>
  /**
   * Keeps the object until then at most, or by no time at all (null): a later time than the present one changes nothing,
   * nor does any where its time is over. Throws `locked` for what is kept for good, and `not_found`.
   */
  loosen(
    key: string,
    until: Date | null,
    options: OfGeneration & { readonly generation: string },
  ): Promise<ObjectFacts>
  /** Puts the hold on the object or takes it off; the same again changes nothing. Throws `not_found`. */
  setHold(key: string, held: boolean, options?: OfGeneration): Promise<ObjectFacts>
  /** Replaces what is noted beside the bytes, also of an object that is kept. Throws `not_found`. */
  setMetadata(key: string, metadata: ObjectMetadata, options?: OfGeneration): Promise<ObjectFacts>
  /** For how many days at most, from its deletion on, whoever runs the store can bring an object back. */
  restorable(options?: StoreOptions): Promise<{ readonly days: number }>
  /** Those that can be now, by the order of their keys. */
  listGone(prefix: string, options?: StoreOptions): AsyncIterable<GoneObject>
  /** Whether the place that it stores in is as the laws need it. Changes nothing. */
  inspect(options?: StoreOptions): Promise<readonly Finding[]>
}
