// Tries an attack on a world of its own: in steps, with a clock that is moved, or while everything runs, with all waits
// shortened alike.
import { setTimeout as delay } from 'node:timers/promises'
import { type MonitorTimes, monitorTimes, type OpenFinding } from '@auricle/vault'
import type { Attack } from './attacks.ts'
import { openWorld, type World } from './world.ts'

/** What an attack gave. */
export interface Outcome {
  /** The first finding of the kind that it has to give; null without one in the time allowed. */
  readonly finding: OpenFinding | null
  /** After how long, by the clock of the design; null without one. */
  readonly seenMs: number | null
  /** What was found before the attack began, which must be nothing. */
  readonly before: readonly OpenFinding[]
}

const stepMs = 30_000
/** What is allowed hours is looked at by the hour. */
const fineMs = 15 * 60_000
const coarseStepMs = 60 * 60_000

/** Everybody does what they do in half a minute, one after another. */
export async function step(world: World): Promise<void> {
  const { parts } = world
  await world.append()
  if (parts.isBeating) await world.beat()
  await quietly(parts.isSealing, () => world.seal())
  await quietly(parts.isPublishing, () => world.publish())
  await world.round()
}

export function passTime({ clock }: World, ms: number): void {
  clock.vaultMs += ms
  clock.monitorMs += ms
}

export async function tryInSteps(attack: Attack): Promise<Outcome> {
  await using world = await openWorld(monitorTimes)
  for (let count = 0; count < 2; count++) {
    await step(world)
    passTime(world, stepMs)
  }
  const before = world.found()
  await attack.run(world)
  for (let passedMs = 0; passedMs <= attack.allowedMs; ) {
    await step(world)
    const finding = findingOf(attack, world)
    if (finding !== null) return { finding, seenMs: passedMs, before }
    const nextMs = passedMs < fineMs ? stepMs : coarseStepMs
    passTime(world, nextMs)
    passedMs += nextMs
  }
  return { finding: null, seenMs: null, before }
}

/** All loops of a vault and of its monitor, each as often as it is in earnest, `scale` times faster. */
export async function tryLive(attack: Attack, scale: number): Promise<Outcome> {
  await using world = await openWorld(scaled(scale))
  await using _running = run(world, scale)
  await until(() => world.found().length > 0, settleMs / scale)
  const before = world.found()
  const startedMs = performance.now()
  await attack.run(world)
  await until(() => findingOf(attack, world) !== null, attack.allowedMs / scale)
  const finding = findingOf(attack, world)
  const seenMs = (performance.now() - startedMs) * scale
  return { finding, seenMs: finding === null ? null : seenMs, before }
}

/** The same without any attack: everything that was found. */
export async function runHonestly(scale: number, forMs: number): Promise<readonly OpenFinding[]> {
  await using world = await openWorld(scaled(scale))
  await using _running = run(world, scale)
  await until(() => world.found().length > 0, forMs / scale)
  return world.found()
}

/** Times of the vault (docs of each say why), in milliseconds. */
const sealMs = 1_000
const publishMs = 10_000
const beatMs = 5_000
const activityMs = 2_000
/** Three rounds of the monitor. */
const settleMs = 60_000
const pollMs = 10

function scaled(scale: number): MonitorTimes {
  return Object.fromEntries(
    Object.entries(monitorTimes).map(([name, ms]) => [name, ms / scale]),
  ) as unknown as MonitorTimes
}

function run(world: World, scale: number): AsyncDisposable {
  const stop = new AbortController()
  const { parts } = world
  const loop = async (pauseMs: number, work: () => Promise<unknown>) => {
    while (!stop.signal.aborted) {
      await quietly(true, work)
      await delay(pauseMs / scale, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const when = (isOn: () => boolean, work: () => Promise<unknown>) => async () => {
    if (isOn()) await work()
  }
  const loops = [
    loop(activityMs, () => world.append()),
    loop(
      beatMs,
      when(
        () => parts.isBeating,
        () => world.beat(),
      ),
    ),
    loop(
      sealMs,
      when(
        () => parts.isSealing,
        () => world.seal(),
      ),
    ),
    loop(
      publishMs,
      when(
        () => parts.isPublishing,
        () => world.publish(),
      ),
    ),
    loop(monitorTimes.roundMs, () => world.round()),
  ]
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(loops)
    },
  }
}

function findingOf({ finds }: Attack, world: World): OpenFinding | null {
  return world.found().find(({ name }) => finds.includes(name)) ?? null
}

/** The vault may well refuse to go on when it is attacked; what counts is what the monitor says. */
async function quietly(isOn: boolean, work: () => Promise<unknown>): Promise<void> {
  if (isOn) await work().catch(() => undefined)
}

async function until(condition: () => boolean, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!condition() && performance.now() < endMs) await delay(pollMs)
}
