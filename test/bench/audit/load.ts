// Loads on a way into the log: as fast as so many writers go, and so many events a second whatever becomes of them.
import type { Taken } from '../rounds.ts'
import type { Way } from './contenders.ts'

const msPerSecond = 1000
const tickMs = 1

/** Each writer appends one after the other until all are appended. */
export async function runWriters<Item>(way: Way<Item>, writers: number, count: number): Promise<Taken> {
  const items = await way.prepare(count)
  const left = items.values()
  const startedMs = performance.now()
  const write = async () => {
    for (const item of left) await way.append(item)
  }
  await Promise.all(Array.from({ length: writers }, write))
  return { units: count, tookMs: performance.now() - startedMs }
}

/** Milliseconds of each append from when it was due, also where the process itself was late to begin it. */
export async function runOffered<Item>(
  way: Way<Item>,
  { eventsPerSecond, count }: { readonly eventsPerSecond: number; readonly count: number },
): Promise<readonly number[]> {
  const items = await way.prepare(count)
  const tookMs: number[] = []
  const appends: Promise<void>[] = []
  const startedMs = performance.now()
  const dueMs = (index: number) => startedMs + (index * msPerSecond) / eventsPerSecond
  const begin = async (item: Item, due: number) => {
    await way.append(item)
    tookMs.push(performance.now() - due)
  }
  const { promise: begun, resolve } = Promise.withResolvers<void>()
  const timer = setInterval(() => {
    while (appends.length < count && dueMs(appends.length) <= performance.now()) {
      appends.push(begin(items[appends.length] as Item, dueMs(appends.length)))
    }
    if (appends.length === count) resolve()
  }, tickMs)
  await begun
  clearInterval(timer)
  await Promise.all(appends)
  return tookMs
}
