// What goes wrong while the decade runs, chosen by a seed: a database that loses a statement or a commit, before it or after
// it; a store that is away, refuses, or does what it was asked and cannot say so; a log that takes no event; a process that
// dies, or is told to stop, between any two steps.
import { isDeepStrictEqual } from 'node:util'
import { ObjectError, type ObjectFacts, type ObjectStore } from '@auricle/objects'
import type { EventLog } from '@auricle/vault'
import type pg from 'pg'
import type { Random } from '../harness/random.ts'

export type Place = 'statement' | 'commit' | 'event' | 'store' | 'delete' | 'log'
type Trouble = 'before' | 'after' | 'refused'

/** How it goes for one piece of work. */
export interface Weather {
  /** Of all steps, how many fail: one in so many; null for none. */
  readonly oneIn: number | null
  /** At that step the process is dead, and takes no other. */
  readonly diesAt: number | null
  /** At that step it is told to stop. */
  readonly stopsAt: number | null
  /** Whether something may be done and not be known to be. */
  readonly hidesSuccess: boolean
}

export interface Faults {
  /** Runs `work` in that weather. What it threw, or null. */
  within(weather: Weather, work: (signal: AbortSignal) => Promise<unknown>): Promise<unknown>
  /** Throws where the process is dead by now. */
  at(place: Place): Trouble | null
  /** A change is committed with its event. */
  committed(): void
  readonly counts: ReadonlyMap<string, number>
}

class Died extends Error {}

export const calm: Weather = { oneIn: null, diesAt: null, stopsAt: null, hidesSuccess: false }

export function drawWeather(random: Random): Weather {
  const sometimes = (oneIn: number) => random.integer(1, oneIn) === 1
  return {
    oneIn: sometimes(3) ? random.pick([8, 40, 200, 1000]) : null,
    diesAt: sometimes(3) ? random.magnitude(1, 1500) : null,
    stopsAt: sometimes(8) ? random.magnitude(1, 800) : null,
    hidesSuccess: true,
  }
}

/** As people meet it: what they asked for is done, or is not and they know. */
export const drawPeopleWeather = (random: Random): Weather => ({
  ...calm,
  oneIn: random.integer(1, 6) === 1 ? random.pick([2, 5, 20]) : null,
})

interface Running extends Omit<Weather, 'oneIn'> {
  oneIn: number | null
  steps: number
  readonly stop: AbortController
}

export function createFaults(random: Random): Faults {
  let running: Running | null = null
  const counts = new Map<string, number>()
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  return {
    counts,
    async within(weather, work) {
      const own: Running = { ...weather, steps: 0, stop: new AbortController() }
      running = own
      try {
        await work(own.stop.signal)
        return null
      } catch (error) {
        return error
      } finally {
        running = null
      }
    },
    committed() {
      // Whoever is to know whether it is done is told so.
      if (running !== null && !running.hidesSuccess) running.oneIn = null
    },
    at(place) {
      if (running === null) return null
      running.steps += 1
      const { steps, diesAt, stopsAt, oneIn, hidesSuccess, stop } = running
      if (diesAt !== null && steps >= diesAt) {
        if (steps === diesAt) count('died')
        throw new Died('dead')
      }
      if (steps === stopsAt) {
        count('told to stop')
        stop.abort(new Error('told to stop'))
      }
      if (oneIn === null || random.integer(1, oneIn) > 1) return null
      const trouble = drawTrouble(place, hidesSuccess)
      count(`${place} ${trouble}`)
      return trouble
    },
  }

  function drawTrouble(place: Place, hidesSuccess: boolean): Trouble {
    const hides = hidesSuccess && random.integer(0, 1) === 1
    if (place === 'delete') return random.pick(['before', 'refused', hides ? 'after' : 'before'])
    return hides && (place === 'commit' || place === 'store') ? 'after' : 'before'
  }
}

/** As the driver says it, so that the catalog gives the connection up. */
const lost = () => new Error('Connection terminated unexpectedly')

/** The same pool, of which a statement or a commit may be lost. */
export function troubledPool(pool: pg.Pool, faults: Faults): pg.Pool {
  return new Proxy(pool, {
    get(target, name) {
      if (name === 'connect') return async () => troubledClient(await target.connect(), faults)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function troubledClient(client: pg.PoolClient, faults: Faults): pg.PoolClient {
  let hasEvent = false
  const query = async (statement: unknown, ...values: unknown[]): Promise<unknown> => {
    const place = placeOf(statement)
    const trouble = faults.at(place)
    if (trouble === 'before') throw lost()
    const result: unknown = await Reflect.apply(client.query, client, [statement, ...values])
    if (place === 'event') hasEvent = true
    if (place === 'commit' && hasEvent) {
      hasEvent = false
      faults.committed()
    }
    if (trouble === 'after') throw lost()
    return result
  }
  return new Proxy(client, {
    get(target, name) {
      if (name === 'query') return query
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function placeOf(statement: unknown): Place {
  if (isDeepStrictEqual(statement, 'commit')) return 'commit'
  const text = typeof statement === 'object' && statement !== null ? Reflect.get(statement, 'text') : ''
  return typeof text === 'string' && text.includes('insert into auricle.audit_event') ? 'event' : 'statement'
}

export function troubledLog(log: EventLog, faults: Faults): Pick<EventLog, 'append'> {
  return {
    append(record, options) {
      if (faults.at('log') !== null) throw new Error('The log takes nothing')
      return log.append(record, options)
    },
  }
}

/** Who sees what a store has really done, whatever it told its caller. */
export interface StoreWatch {
  /** Just before an object goes that is there. */
  deleting(facts: ObjectFacts): void
  kept(facts: ObjectFacts): void
}

export function troubledStore(store: ObjectStore, faults: Faults, watch: StoreWatch): ObjectStore {
  const away = () => new ObjectError('unavailable', 'The store is away')
  const changing = async <Result>(
    change: () => Promise<Result>,
    factsOf: (result: Result) => ObjectFacts,
  ): Promise<Result> => {
    const trouble = faults.at('store')
    if (trouble === 'before') throw away()
    const result = await change()
    watch.kept(factsOf(result))
    if (trouble === 'after') throw away()
    return result
  }
  const asking = <Result>(ask: () => Result): Result => {
    if (faults.at('store') === null) return ask()
    throw away()
  }
  return {
    put: (key, source, options) =>
      changing(
        () => store.put(key, source, options),
        ({ facts }) => facts,
      ),
    head: async (key, options) => asking(() => store.head(key, options)),
    async *read(key, range, options) {
      yield* asking(() => store.read(key, range, options))
    },
    async delete(key, options) {
      const trouble = faults.at('delete')
      if (trouble === 'before') throw away()
      if (trouble === 'refused') throw new ObjectError('retained', 'The store keeps it')
      const facts = await store.head(key)
      const outcome = await store.delete(key, options)
      if (outcome === 'deleted' && facts !== null) watch.deleting(facts)
      if (trouble === 'after') throw away()
      return outcome
    },
    async *list(prefix, options) {
      yield* asking(() => store.list(prefix, options))
    },
    retain: (key, until, options) =>
      changing(
        () => store.retain(key, until, options),
        facts => facts,
      ),
    loosen: (key, until, options) =>
      changing(
        () => store.loosen(key, until, options),
        facts => facts,
      ),
    setHold: (key, held, options) =>
      changing(
        () => store.setHold(key, held, options),
        facts => facts,
      ),
    setMetadata: (key, metadata, options) => store.setMetadata(key, metadata, options),
    restorable: async options => asking(() => store.restorable(options)),
    async *listGone(prefix, options) {
      yield* asking(() => store.listGone(prefix, options))
    },
    inspect: options => store.inspect(options),
  }
}
