// What the deployment locks, no retention rule unlocks.
import type { ObjectStore } from '@auricle/objects'

/** The same store, which locks every retention that it is given, whatever it is asked. */
export function lockAll(store: ObjectStore): ObjectStore {
  return {
    ...store,
    put: (key, source, options) => store.put(key, source, { ...options, lock: true }),
    retain: (key, until, options) => store.retain(key, until, { ...options, lock: true }),
  }
}
