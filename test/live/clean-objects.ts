// Removes everything that a live run left under its prefix, waiting for what is kept.
import { setTimeout as sleep } from 'node:timers/promises'
import { ObjectError, type ObjectStore } from '@auricle/objects'
import { createGoogleStore } from '@auricle/objects/google'
import type { LiveBucket } from './plan.ts'

export interface Cleaned {
  readonly removed: number
  /** Keys of what is still there. */
  readonly left: readonly string[]
}

const pauseMs = 1_000
/** Longer than a case keeps anything, however far the clocks are apart. */
const rounds = 90
const atOnce = 8

/** Also what is held or kept. Gives up after a minute and a half. */
export async function cleanObjects(bucket: LiveBucket): Promise<Cleaned> {
  const store = createGoogleStore(bucket)
  let removed = 0
  for (let round = 1; ; round++) {
    const left: string[] = []
    const found = store.list('')
    const remove = async (): Promise<void> => {
      for await (const { key, held } of each(found)) {
        if (await removeOne(store, key, held)) removed++
        else left.push(key)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, remove))
    if (left.length === 0 || round === rounds) return { removed, left }
    await sleep(pauseMs)
  }
}

/** Several take from one list, and each gets its own. */
function each<Item>(list: AsyncIterable<Item>): AsyncIterable<Item> {
  const iterator = list[Symbol.asyncIterator]()
  return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) }
}

/** False: not yet. */
async function removeOne(store: ObjectStore, key: string, held: boolean): Promise<boolean> {
  try {
    if (held) await store.setHold(key, false)
    await store.delete(key)
    return true
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error
    if (error.code === 'not_found') return true
    if (error.code === 'retained' || error.transient) return false
    throw error
  }
}
