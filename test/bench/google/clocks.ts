// Contenders on three clocks at once: the wall, this process's processor time, and the wall until the first byte came.
import { processorMs, type RoundOptions, type Samples, takeTurns } from '../rounds.ts'

export interface Work {
  readonly name: string
  readonly units: number
  /** Is timed. Resolves with the sum over its units of the time to the first byte, or null where there is none. */
  readonly run: () => Promise<number | null>
  /** Is not: checks what was done, and takes it away. */
  readonly after: () => Promise<void>
}

export type Clock = 'wall' | 'processor' | 'firstByte'

/** Milliseconds a unit on each clock, one value a round. */
export async function timeOnAllClocks(
  works: readonly Work[],
  options: Omit<RoundOptions, 'clock'>,
): Promise<Readonly<Record<Clock, Samples>>> {
  const noted = { processor: new Map<string, number[]>(), firstByte: new Map<string, number[]>() }
  const note = (samples: Map<string, number[]>, name: string, ms: number) =>
    samples.set(name, [...(samples.get(name) ?? []), ms])
  const contenders = works.map(({ name, units, run, after }) => ({
    name,
    async run() {
      const [startedMs, spentMs] = [performance.now(), processorMs()]
      const firstByteMs = await run()
      const tookMs = performance.now() - startedMs
      note(noted.processor, name, (processorMs() - spentMs) / units)
      if (firstByteMs !== null) note(noted.firstByte, name, firstByteMs / units)
      await after()
      return { units, tookMs }
    },
  }))
  const wall = await takeTurns(contenders, { ...options, clock: 'wall' })
  const counted = (samples: ReadonlyMap<string, readonly number[]>): Samples =>
    new Map([...samples].map(([name, values]) => [name, values.slice(options.warmUps)]))
  return { wall, processor: counted(noted.processor), firstByte: counted(noted.firstByte) }
}
