// The object store that a place in the configuration means.
import { createFolderStore, createGoogleStore, type ObjectStore } from '@auricle/objects'
import type { StorePlace } from '../config.ts'

export interface OpenedStore {
  readonly store: ObjectStore
  /** Removes what crashed writers left; null where the store does that by itself. */
  readonly sweepTemporary: SweepTemporary | null
}

export type SweepTemporary = (options: {
  readonly olderThanMs: number
  readonly signal?: AbortSignal | undefined
}) => Promise<number>

/** Opens nothing yet: the first call does. */
export function openStore(place: StorePlace): OpenedStore {
  switch (place.kind) {
    case 'folder': {
      const store = createFolderStore({ folder: place.folder })
      return { store, sweepTemporary: options => store.sweepTemporary(options) }
    }
    case 'bucket':
      // Sessions that were left open end by themselves after a week, and nobody sees them.
      return { store: createGoogleStore(place), sweepTemporary: null }
    default:
      return place satisfies never
  }
}
