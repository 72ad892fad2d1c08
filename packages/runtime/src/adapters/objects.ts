// The object store that a place in the configuration means.
import { createFolderStore, type ObjectStore } from '@auricle/objects'
import { createGoogleStore } from '@auricle/objects/google'
import { areReallyApart } from '../config/apart.ts'
import type { Config, StorePlace } from '../config.ts'
import { RuntimeError } from '../error.ts'

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

/** Throws `bad_config` where the two are one place after all. */
export async function openRecovery({
  objects,
  recovery,
}: Pick<Config, 'objects' | 'recovery'>): Promise<OpenedStore | null> {
  if (recovery === null) return null
  if (await areReallyApart(objects, recovery)) return openStore(recovery)
  throw new RuntimeError(
    'bad_config',
    'AURICLE_RECOVERY leads to the folder of the objects, or one of them into the other. Choose one that lies apart.',
  )
}
