// What the workers do, in good weather and in bad: rules applied, stores followed, what is due proposed, what is ready
// destroyed, stores looked through.
import type { Catalog } from '@auricle/catalog'
import type { RecordingId } from '@auricle/contract'
import {
  applyPolicy,
  type DestroyReadyParts,
  type DriftReport,
  destroyReady,
  followWork,
  shortenStores,
  sweepDrift,
  sweepDue,
} from '@auricle/vault'
import { calm, drawWeather } from './faults.ts'
import { learnDispositions, learnItems } from './observe.ts'
import { refusalOf, type World } from './world.ts'

export interface Workers {
  /** Every kind once, in any order, whatever happens. */
  inBadWeather(): Promise<void>
  applyPolicy(): Promise<void>
  follow(): Promise<void>
  destroy(): Promise<ReadonlyMap<RecordingId, string>>
  propose(): Promise<void>
  drift(): Promise<DriftReport | null>
  /** What an operator does now and then: in bad weather, and once more. Resolves to how many objects. */
  shorten(): Promise<number>
}

/** A part of the destroyer that is another than ours: a mistake, planted to be found. */
export type Plant = (catalog: Catalog) => Catalog

export interface WorkerOptions {
  readonly plant: Plant | null
  /** Of all deletions, before how many a hold comes: one in so many. */
  readonly holdsOneIn: number
  /** How many destroy at once. */
  readonly lanes: number
  readonly holdNow: (recordingId: RecordingId) => Promise<void>
}

export function createWorkers(world: World, { plant, holdsOneIn, lanes, holdNow }: WorkerOptions): Workers {
  const { random, model, stores, secrets, now } = world
  const onFailure = (id: RecordingId, error: unknown) => model.complain(`${id} cannot be decided: ${error}`)
  const parts = { catalog: world.catalog, secrets, now, onFailure, random: random.fraction }
  const planted = plant === null ? world.catalog : plant(world.catalog)
  const destroying: DestroyReadyParts = {
    ...{ secrets, stores, backupDays: 35, now, random: random.fraction },
    catalog: {
      ...planted,
      async destroyObject(step, remove, options) {
        if (random.integer(1, holdsOneIn) === 1) await holdNow(step.recordingId)
        return planted.destroyObject(step, remove, options)
      },
    },
  }
  let report: DriftReport | null = null
  let shortened = 0
  const drifting = {
    ...{ catalog: world.catalog, objects: stores.primary, recovery: stores.recovery, now },
    onRun: (_: unknown, made: DriftReport) => {
      report = made
    },
  }
  const following = { ...parts, objects: stores.primary, recovery: stores.recovery }
  const work = {
    apply: (signal: AbortSignal) => applyPolicy(parts, { signal }),
    follow: (signal: AbortSignal) => followWork(following, { signal }),
    propose: (signal: AbortSignal) => sweepDue(parts, { signal }),
    destroy: (signal: AbortSignal) => inLanes(lanes, () => destroyReady(destroying, { signal })),
    drift: (signal: AbortSignal) => sweepDrift(drifting, { signal }),
    shorten: async (signal: AbortSignal) => {
      const made = await shortenStores(following, world.tenantId, { apply: true }, { signal })
      shortened = made.shortened
    },
  }

  async function look(): Promise<ReadonlyMap<RecordingId, string>> {
    await learnDispositions(world)
    return learnItems(world)
  }

  async function well(name: keyof typeof work): Promise<ReadonlyMap<RecordingId, string>> {
    const failure = await world.faults.within(calm, work[name])
    if (failure !== null) throw failure
    return look()
  }

  return {
    async inBadWeather() {
      const names = random.shuffle(['apply', 'follow', 'propose', 'destroy', 'destroy'] as const)
      for (const name of names) {
        const failure = await world.faults.within(drawWeather(random), work[name])
        if (failure !== null && refusalOf(failure) !== null) throw failure
        await look()
      }
    },
    async applyPolicy() {
      await well('apply')
    },
    async follow() {
      await well('follow')
    },
    destroy: () => well('destroy'),
    async propose() {
      await well('propose')
    },
    async drift() {
      report = null
      await well('drift')
      return report
    },
    async shorten() {
      await world.faults.within(drawWeather(random), work.shorten)
      await well('shorten')
      return shortened
    },
  }
}

/** All of them end before a failure is told. */
export async function inLanes(lanes: number, lane: () => Promise<unknown>): Promise<void> {
  for (const ended of await Promise.allSettled(Array.from({ length: lanes }, lane)))
    if (ended.status === 'rejected') throw ended.reason
}

/** Deletes without asking whether a hold came. */
export const withoutHoldCheck: Plant = catalog => ({
  ...catalog,
  async destroyObject({ tenantId, recordingId }, remove, options) {
    await catalog.noteDestroyed(tenantId, recordingId, [await remove()], options)
    return null
  },
})
