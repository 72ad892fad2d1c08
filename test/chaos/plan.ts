// What a chaos run delivers, how it misbehaves, and when it kills what: all of it decided by the seed.
import type { Way } from '../harness/delivery.ts'
import { createRandom } from '../harness/random.ts'
import type { Sample } from '../harness/samples.ts'

const smallestBytes = 5_000
const usualMostBytes = 1_000_000
const largeMostBytes = 16_000_000
const largestBytes = 50_000_000
const largeShare = 0.03
const duplicateShare = 0.1
const cutShare = 0.05
const oddShare = 0.012
const remoteTroubleShare = 0.3
const wayShares = { multipart: 0.5, upload: 0.32 } as const
const repeatModes = ['later', 'together', 'after-failure', 'later', 'together'] as const
const leastKillsEach = 5
const redisFlushes = 6
const redisKills = 4
const pauseMostMs = 500

export interface PlannedRecording {
  readonly index: number
  readonly sourceId: string
  readonly way: Way
  readonly sample: Sample
  /** Null: the sample file as it is. */
  readonly sizeBytes: number | null
  readonly label: string
  readonly repeat: 'none' | (typeof repeatModes)[number]
  /** How its own host behaves when the audio is fetched. */
  readonly firstAnswer: 'whole' | 'cut' | 'busy'
  readonly from: string
  readonly fromName: string
}

export type Task =
  | { readonly type: 'deliver' | 'again' | 'conflict' | 'forged'; readonly recording: PlannedRecording }
  | { readonly type: 'cut'; readonly recording: PlannedRecording; readonly cutAt: number }

export type Victim = 'ingest' | 'worker' | 'postgres'

export interface PlannedKill {
  readonly victim: Victim
  /**
   * Share of the work that is done when it strikes (of the deliveries for ingest, of deliveries and archives for the
   * others), and a pause on top, in milliseconds.
   */
  readonly at: number
  readonly pauseMs: number
}

export interface PlannedRedisTrouble {
  /** `flush`: everything in it is gone. `kill`: so it is, and for a moment nobody answers. */
  readonly type: 'flush' | 'kill'
  readonly at: number
  readonly pauseMs: number
}

export interface Plan {
  readonly tasks: readonly Task[]
  readonly recordings: readonly PlannedRecording[]
  readonly kills: readonly PlannedKill[]
  /** Struck only where there is a Redis. */
  readonly redis: readonly PlannedRedisTrouble[]
}

export function makePlan(
  samples: readonly Sample[],
  { seed, deliveries, kills }: { readonly seed: number; readonly deliveries: number; readonly kills: number },
): Plan {
  const random = createRandom(seed)
  const duplicates = Math.round(deliveries * duplicateShare)
  const cuts = Math.round(deliveries * cutShare)
  const odd = Math.max(2, Math.round(deliveries * oddShare))
  const waves = samples.filter(sample => sample.wave !== null)
  const fixedSizes = [largestBytes, largestBytes / 2, smallestBytes]

  const record = (index: number, prefix: string): PlannedRecording => {
    const asIs = samples[index]
    const fixed = fixedSizes[index - samples.length]
    const [least, most] =
      random.fraction() < largeShare ? [usualMostBytes, largeMostBytes] : [smallestBytes, usualMostBytes]
    const size = fixed ?? random.magnitude(least, most)
    const roll = random.fraction()
    const way =
      roll < wayShares.multipart
        ? 'multipart'
        : roll < wayShares.multipart + wayShares.upload
          ? 'upload'
          : 'url'
    return {
      index,
      sourceId: `${prefix}-${seed}-${index}`,
      way,
      sample: asIs ?? random.pick(waves),
      sizeBytes: asIs === undefined ? size : null,
      label: `chaos ${prefix} ${seed} ${index}`,
      repeat: 'none',
      firstAnswer: random.fraction() < remoteTroubleShare ? random.pick(['cut', 'busy'] as const) : 'whole',
      from: `+1555${String(random.integer(0, 9_999_999)).padStart(7, '0')}`,
      fromName: `Caller ${index}`,
    }
  }
  const recordings = Array.from({ length: deliveries - duplicates - cuts }, (_, index) =>
    record(index, 'kept'),
  )
  const repeated = random.shuffle(recordings).slice(0, duplicates)
  repeated.forEach((recording, place) => {
    const mode = repeatModes[place % repeatModes.length] ?? 'later'
    // Nothing of a delivery by URL can be cut in the middle that would be worth it.
    const repeat = mode === 'after-failure' && recording.way === 'url' ? 'together' : mode
    recordings[recording.index] = { ...recording, repeat }
  })
  const samplesLength = samples.length + fixedSizes.length
  const extra = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, place) => record(samplesLength + place, prefix))
  const cutTasks = extra(cuts, 'cut').map((recording): Task => {
    const way = recording.way === 'url' ? 'upload' : recording.way
    return { type: 'cut', recording: { ...recording, way }, cutAt: 0.05 + random.fraction() * 0.9 }
  })
  const conflicts = random
    .shuffle(recordings.filter(({ way, sizeBytes }) => way !== 'url' && (sizeBytes ?? 0) < usualMostBytes))
    .slice(0, odd)
  const tasks = random.shuffle<Task>([
    ...recordings.map((recording): Task => ({ type: 'deliver', recording })),
    ...recordings
      .filter(({ repeat }) => repeat === 'later')
      .map((recording): Task => ({ type: 'again', recording })),
    ...conflicts.map((recording): Task => ({ type: 'conflict', recording })),
    ...extra(odd, 'forged').map(
      (recording): Task => ({ type: 'forged', recording: { ...recording, sizeBytes: smallestBytes } }),
    ),
    ...cutTasks,
  ])
  return { tasks, recordings, kills: planKills(random, kills), redis: planRedis(random) }
}

type Random = ReturnType<typeof createRandom>

function planKills(random: Random, count: number): readonly PlannedKill[] {
  const each: Victim[] = (['ingest', 'worker', 'postgres'] as const).flatMap(victim =>
    Array.from({ length: Math.min(leastKillsEach, Math.ceil(count / 3)) }, () => victim),
  )
  while (each.length < count) each.push(random.pick(['ingest', 'worker', 'postgres'] as const))
  return random
    .shuffle(each)
    .map(victim => ({ victim, ...moment(random) }))
    .sort((a, b) => a.at - b.at)
}

function planRedis(random: Random): readonly PlannedRedisTrouble[] {
  const repeat = (type: 'flush' | 'kill', count: number) =>
    Array.from({ length: count }, () => ({ type, ...moment(random) }))
  return [...repeat('flush', redisFlushes), ...repeat('kill', redisKills)].sort((a, b) => a.at - b.at)
}

const moment = (random: Random) => ({
  at: 0.02 + random.fraction() * 0.93,
  pauseMs: random.integer(0, pauseMostMs),
})
