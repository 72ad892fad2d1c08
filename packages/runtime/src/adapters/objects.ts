// The object store that a place in the configuration means.
import { type Finding, logKeptDays } from '@auricle/contract'
import { createFolderStore, type ObjectStore, type StoreOptions } from '@auricle/objects'
import { areReallyApart } from '../config/apart.ts'
import type { Config, LogStorePlace, StorePlace } from '../config.ts'
import { RuntimeError } from '../error.ts'
import { lockAll } from './lock-all.ts'

export interface OpenedStore {
  readonly store: ObjectStore
  /** Removes what crashed writers left; null where the store does that by itself. */
  readonly sweepTemporary: SweepTemporary | null
  /** Where its bucket lies; null for a folder. */
  readonly location: ((options: StoreOptions) => Promise<string>) | null
}

export type SweepTemporary = (options: {
  readonly olderThanMs: number
  readonly signal?: AbortSignal | undefined
}) => Promise<number>

/** Opens nothing yet: the first call does. */
export async function openStore(place: StorePlace): Promise<OpenedStore> {
  switch (place.kind) {
    case 'folder': {
      // A rule locks what it says; what no rule locks, a rule that somebody else agreed to may shorten.
      return openFolder(place.folder, 'Unlocked')
    }
    case 'bucket': {
      // Loaded where it is used: the client takes its time to load.
      const { createGoogleStore } = await import('@auricle/objects/google')
      // Sessions that were left open end by themselves after a week, and nobody sees them.
      const store = createGoogleStore(place)
      const kept = place.retentionMode === 'Locked' ? lockAll(store) : store
      return { store: kept, sweepTemporary: null, location: store.location }
    }
    default:
      return place satisfies never
  }
}

function openFolder(folder: string, retentionMode: 'Unlocked' | 'Locked'): OpenedStore {
  const store = createFolderStore({ folder, retentionMode })
  return { store, sweepTemporary: options => store.sweepTemporary(options), location: null }
}

/** Where the log is published. Of a folder each object is kept by what is put; of a bucket all is, by its own policy. */
export async function openLogStore(place: LogStorePlace): Promise<OpenedStore> {
  if (place.kind === 'folder') return openFolder(place.folder, 'Locked')
  const { createGoogleStore } = await import('@auricle/objects/google')
  const store = createGoogleStore({ ...place, retentionMode: 'Locked', keptByBucketDays: logKeptDays })
  return { store, sweepTemporary: null, location: store.location }
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

/** A copy in the same location goes with it. Null where the two are not both buckets. */
export function compareLocations(
  { location: first }: OpenedStore,
  { location: second }: OpenedStore,
): ((options: StoreOptions) => Promise<readonly Finding[]>) | null {
  if (first === null || second === null) return null
  const name = 'recovery location'
  return async options => {
    const [here, there] = await Promise.all([first(options), second(options)])
    if (here.toUpperCase() !== there.toUpperCase())
      return [{ name, state: 'ok', found: `${there}, apart from ${here}`, mend: null }]
    const mend = 'make the recovery bucket in another location and set AURICLE_RECOVERY to it'
    return [{ name, state: 'bad', found: `both buckets lie in ${here}`, mend }]
  }
}
