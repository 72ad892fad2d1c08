// Taking turns: every contender runs once a round, in an order that rotates, so that a noisy minute is everybody's.

export interface Contender {
  readonly name: string
  /** Does the work once and tells how many units (bytes, objects, requests) it did. */
  readonly run: () => Promise<number | Taken>
}

/** Where somebody else held the clock, because there was more to do than what is measured. */
export interface Taken {
  readonly units: number
  readonly tookMs: number
}

/** Milliseconds a unit, one value a round. */
export type Samples = ReadonlyMap<string, readonly number[]>

export interface RoundOptions {
  /** Most rounds that count. */
  readonly rounds: number
  /** Rounds that are run first and not counted. */
  readonly warmUps: number
  /** After this time no further round begins, unless fewer than `roundsLeast` were run. */
  readonly budgetMs: number
  /** What is counted: time on the clock, or time that the processor spent on this process with all its threads. */
  readonly clock: 'wall' | 'processor'
}

const roundsLeast = 3
const microsecondsPerMs = 1000

export async function takeTurns(
  contenders: readonly Contender[],
  { rounds, warmUps, budgetMs, clock }: RoundOptions,
): Promise<Samples> {
  const read = clock === 'wall' ? () => performance.now() : processorMs
  const endMs = performance.now() + budgetMs
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (let round = -warmUps; round < rounds; round++) {
    if (round >= roundsLeast && performance.now() > endMs) break
    const first = (round + warmUps) % contenders.length
    for (const { name, run } of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      globalThis.gc?.()
      const startedMs = read()
      const done = await run()
      const { units, tookMs } = typeof done === 'number' ? { units: done, tookMs: read() - startedMs } : done
      if (round >= 0) samples.get(name)?.push(tookMs / units)
    }
  }
  return samples
}

/** Time that the processor spent on this process, with all its threads, since it began. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / microsecondsPerMs
}

export function samplesOf(samples: Samples, name: string): readonly number[] {
  const found = samples.get(name)
  if (found === undefined || found.length === 0) throw new RangeError(`nothing was measured of ${name}`)
  return found
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  const lower = sorted.length % 2 === 1 ? upper : sorted[middle - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('no median of nothing')
  return (lower + upper) / 2
}

/** How often as fast `name` is as `other`: the median over the rounds of their ratio within one round. */
export function speedRatio(samples: Samples, name: string, other: string): number {
  const ours = samplesOf(samples, name)
  return median(samplesOf(samples, other).map((otherMs, round) => otherMs / (ours[round] ?? Number.NaN)))
}
