// The contract of an object store: create-only bytes under a key, that may not be deleted before their time.
import type { ByteRange } from '@auricle/contract'

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined
}

export interface ObjectFacts {
  readonly key: string
  readonly sizeBytes: number
  /** Differs between two objects that had the same key one after the other. Opaque. */
  readonly generation: string
  readonly createdAt: Date
  /** Until when `delete` refuses; null when nothing keeps it. */
  readonly retainUntil: Date | null
}

export interface PutOptions extends StoreOptions {
  readonly retainUntil: Date | null
}

export type PutResult = {
  /** `exists`: the key was taken; nothing was written and the facts are those of the object there. */
  readonly status: 'created' | 'exists'
  readonly facts: ObjectFacts
}

/**
 * Keys are 1 to 1,024 characters of `[a-z0-9_./-]`, no empty, `.` or `..` segment; others throw `bad_key`.
 * Absence is null; an outage is always an error (`ObjectError`), never absence.
 */
export interface ObjectStore {
  /**
   * Creates the object, never replaces one. When it resolves, the bytes survive loss of power. If the source
   * throws, the signal aborts or the process dies, no object exists under the key. Pieces of the source are
   * held and not copied: they must stay as they are until it settles. A source whose key proves to be taken
   * may be left off early (its `return` is called).
   */
  put(key: string, source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult>
  head(key: string, options?: StoreOptions): Promise<ObjectFacts | null>
  /**
   * The bytes of the range, or all when null. Throws `not_found`, and `bad_range` where the range does not lie
   * within the object. A short object is an error, never a short answer.
   */
  read(key: string, range: ByteRange | null, options?: StoreOptions): AsyncIterable<Uint8Array>
  /** Throws `retained` before the object's time. With `generation`, deletes only that one. */
  delete(
    key: string,
    options?: StoreOptions & { readonly generation?: string | undefined },
  ): Promise<'deleted' | 'absent'>
  /** Objects whose key begins with `prefix`, in no particular order. */
  list(prefix: string, options?: StoreOptions): AsyncIterable<ObjectFacts>
}
