// Ten years of a practice in as many minutes: recordings arrive, rules and facts change, holds come and go, people propose
// and review, workers work and fail. At the end of every month what failed has been tried again, and the vault is held
// against the model.
import { ObjectRole } from '@auricle/contract'
import { createRandom, type Random } from '../harness/random.ts'
import { checkEmptied, checkExplained, checkLog, checkStandings, checkStores, historiesOf } from './checks.ts'
import { count, createDeeds, type Tally } from './deeds.ts'
import { calm, drawWeather } from './faults.ts'
import { checkReport, figuresOf, type Remembered } from './figures.ts'
import { dayMs } from './model.ts'
import { createWorkers, inLanes, type Plant } from './work.ts'
import { type Arrival, arrive, openWorld, recordingIdOf, type World } from './world.ts'

export interface DecadeOptions {
  readonly seed: number
  readonly recordings: number
  readonly months?: number
  /** Of one of its months: longer ones, and fewer, for less to do. */
  readonly monthDays?: number
  /** In how many steps a month goes by. */
  readonly steps: number
  /** How many arrive, and how many are destroyed, at once. */
  readonly lanes?: number
  readonly plant?: Plant
  readonly holdsOneIn?: number
  readonly onMonth?: (month: MonthReport) => void
}

export interface MonthReport {
  readonly month: number
  readonly archived: number
  readonly destroyed: number
  readonly held: number
  readonly left: ReadonlyMap<string, number>
  readonly wrong: readonly string[]
}

export interface DecadeReport {
  readonly wrong: readonly string[]
  /** Of some of the recordings with which something is: what the vault decided and did, line by line. */
  readonly histories: readonly string[]
  /** What people did, what went wrong, what was looked at. */
  readonly tally: Tally
  readonly faults: ReadonlyMap<string, number>
  /** Recordings by what they are in the end. */
  readonly states: ReadonlyMap<string, number>
  readonly left: ReadonlyMap<string, number>
}

const startMs = Date.parse('2026-01-05T12:00:00Z')
const decadeMonths = 120
const decadeMonthDays = 30.4375
/** In the last ones nothing new comes. */
const quietMonths = 3
/** Enough is wrong to look at. */
const wrongMost = 50
const lookEveryMonths = 15
/** So often the report of the end looks back. */
const rememberEveryMonths = 20
const explainedAtOnce = 20

export async function runDecade({
  seed,
  recordings,
  steps,
  ...options
}: DecadeOptions): Promise<DecadeReport> {
  const {
    months = decadeMonths,
    monthDays = decadeMonthDays,
    lanes = 1,
    plant = null,
    holdsOneIn = 300,
    onMonth,
  } = options
  const random = createRandom(seed)
  await using world = await openWorld(random, startMs)
  const { model, clock } = world
  const tally: Tally = new Map()
  const deeds = createDeeds(world, tally, steps > 1 ? 1 : 0.25)
  const workers = createWorkers(world, { plant, holdsOneIn, lanes, holdNow: deeds.holdNow })
  const arrivals = createArrivals(world, recordings, lanes)
  const stepDays = monthDays / steps
  let left: ReadonlyMap<string, number> = new Map()
  const remembered: Remembered[] = []

  await deeds.begin()
  for (let month = 1; month <= months && model.wrong.length < wrongMost; month++) {
    for (let step = 0; step < steps; step++) {
      clock.ms = startMs + ((month - 1) * steps + step) * stepDays * dayMs + month * 3 * dayMs
      const due = (recordings * ((month - 1) * steps + step + 1)) / ((months - quietMonths) * steps)
      await arrivals.until(Math.min(recordings, Math.round(due)))
      await deeds.live(stepDays)
      await workers.inBadWeather()
      await workers.applyPolicy()
      model.settle(clock.ms)
    }
    left = await endMonth(month)
    if (month % rememberEveryMonths === 0 || month === months) {
      remembered.push({ at: clock.ms, figures: figuresOf(model, clock.ms) })
    }
    const destroyed = model.inOrder.filter(({ destroyedAt }) => destroyedAt !== null).length
    const held = model.live().filter(model.isHeld).length
    const archived = model.recordings.size
    onMonth?.({ month, archived, destroyed, held, left, wrong: model.wrong })
  }
  if (model.wrong.length < wrongMost) {
    count(tally, 'recordings looked at in the end', await checkEmptied(world))
    count(tally, 'events read', await checkLog(world))
    count(tally, 'objects compared', await checkStores(world))
    for (const then of remembered) count(tally, 'figures compared', await checkReport(world, then))
  }
  const histories = await historiesOf(world)
  const states = new Map<string, number>()
  for (const recording of model.recordings.values()) count(states, model.stateOf(recording, clock.ms))
  count(tally, 'objects deleted', model.deletions.primary + model.deletions.recovery)
  return { wrong: model.wrong, histories, tally, faults: world.faults.counts, states, left }

  /** More than a day, so that whatever is to be tried again is, and the vault proposes once more. */
  async function endMonth(month: number): Promise<ReadonlyMap<string, number>> {
    clock.ms += 1.1 * dayMs
    await workers.applyPolicy()
    model.settle(clock.ms)
    await workers.follow()
    if (random.integer(1, 3) === 1) count(tally, 'objects shortened', await workers.shorten())
    const failures = await workers.destroy()
    await workers.follow()
    await workers.propose()
    // What is due is decided once more before it is proposed.
    await workers.follow()
    count(tally, 'standings compared', await checkStandings(world))
    const reasons = model.checkLeft(clock.ms, failures)
    if (month % lookEveryMonths === 0) {
      count(tally, 'objects compared', await checkStores(world))
      const report = await workers.drift()
      for (const [kind, found] of Object.entries(report?.counts ?? {})) count(tally, `drift: ${kind}`, found)
      count(tally, 'explanations compared', await checkExplained(world, explainedAtOnce))
    }
    return reasons
  }
}

function createArrivals(world: World, recordings: number, lanes: number) {
  const { random } = world
  let arrived = 0
  return {
    async until(wanted: number): Promise<void> {
      const coming: Arrival[] = []
      for (; arrived < wanted; arrived++) coming.push(drawArrival(world, random, arrived, recordings))
      const left = coming.values()
      const failed: Arrival[] = []
      const lane = async () => {
        for (const arrival of left) await arrive(world, arrival).catch(() => failed.push(arrival))
      }
      const weather = random.integer(1, 3) === 1 ? { ...drawWeather(random), diesAt: null } : calm
      await world.faults.within(weather, () => inLanes(lanes, lane))
      for (const arrival of failed) await arrive(world, arrival)
    },
  }
}

function drawArrival(world: World, random: Random, number: number, recordings: number): Arrival {
  const receivedAt = world.clock.ms - random.integer(0, 5) * 60_000
  const patients = Math.ceil(recordings / 8)
  const kind = random.pick(['voicemail', 'recording'] as const)
  const phone = () => `+1202555${String(random.integer(0, 400)).padStart(4, '0')}`
  return {
    id: recordingIdOf(number + 1),
    kind,
    mailbox: random.pick(world.mailboxes),
    patient:
      random.integer(0, 2) === 0 ? null : `MRN-${String(random.integer(1, patients)).padStart(6, '0')}`,
    ...{ from: phone(), to: phone() },
    startedAt: receivedAt - random.magnitude(1, 2 * dayMs),
    receivedAt,
    durationMs: random.integer(0, 9) === 0 ? null : random.magnitude(1000, 7_200_000),
    roles: random.integer(0, 9) === 0 ? ObjectRole.options : ['original'],
    hasIntake: random.integer(0, 19) === 0,
    hasStray: random.integer(0, 39) === 0,
  }
}
