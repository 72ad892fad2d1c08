// Random histories of recordings, and what a retention report must say of each, counted here one recording after the other.
import type { ReportAmount, ReportState } from '@auricle/contract'
import fc from 'fast-check'

const dayMs = 24 * 60 * 60_000
/** All that happens, happens within as many days from then. */
const days = 900
const start = Date.UTC(2024, 4, 20, 7, 30)
export const historyStart = new Date(start - 400 * dayMs)

const aDay = fc.integer({ min: 0, max: days }).map(day => new Date(start + day * dayMs))
/** Also months apart, so that there is something in each of them and behind the last. */
const aTerm = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 100, max: 500 }))
const later = (at: Date, count: number) => new Date(at.getTime() + count * dayMs)

export interface Decision {
  readonly decidedAt: Date
  readonly supersededAt: Date | null
  readonly status: 'kept' | 'undecided' | 'waiting' | 'unruled' | 'permanent'
  readonly rule: number | null
  readonly keepUntil: Date
  readonly dueAt: Date | null
  readonly disposal: 'automatic' | 'review' | 'none'
}

export interface Cover {
  readonly hold: number
  readonly coveredAt: Date
  readonly releasedAt: Date | null
}

export interface Item {
  readonly proposedAt: Date
  readonly stages: 0 | 1
  readonly approvedAt: Date | null
  readonly readyAt: Date | null
  /** When the recording left it; null while it is in it. */
  readonly leftAt: Date | null
  /** When its destruction failed first. */
  readonly failedAt: Date | null
  /** Of the last attempt; null where it was begun once more. */
  readonly error: string | null
}

export interface Story {
  readonly kind: 'voicemail' | 'recording'
  readonly mailbox: number | null
  readonly receivedAt: Date
  readonly archivedAt: Date
  readonly destroyedAt: Date | null
  readonly copiedAt: Date | null
  readonly bytes: number
  readonly durationMs: number | null
  readonly decisions: readonly Decision[]
  readonly covers: readonly Cover[]
  readonly item: Item | null
}

export interface Hold {
  readonly placedAt: Date
  readonly releasedAt: Date | null
}

export interface History {
  readonly zone: string
  readonly stories: readonly Story[]
  readonly holds: readonly Hold[]
  readonly asOf: readonly Date[]
}

const aDecision = fc.record({
  after: fc.integer({ min: 0, max: 300 }),
  status: fc.constantFrom('kept', 'kept', 'kept', 'undecided', 'waiting', 'unruled', 'permanent'),
  rule: fc.integer({ min: 0, max: 2 }),
  keep: aTerm,
  wait: fc.integer({ min: 0, max: 40 }),
  disposal: fc.constantFrom('automatic', 'review'),
})

const aStory = (holds: readonly Hold[]): fc.Arbitrary<Story> =>
  fc
    .record({
      kind: fc.constantFrom('voicemail', 'recording'),
      mailbox: fc.option(fc.integer({ min: 0, max: 2 })),
      archivedAt: aDay,
      olderDays: fc.constantFrom(0, 1, 29, 31, 89, 91, 200),
      destroyedAfter: fc.option(fc.integer({ min: 1, max: 500 })),
      copiedAfter: fc.option(fc.integer({ min: 0, max: 80 })),
      bytes: fc.integer({ min: 0, max: 5 * 1024 ** 3 }),
      durationMs: fc.option(fc.integer({ min: 0, max: 3_600_000 })),
      decisions: fc.array(aDecision, { minLength: 1, maxLength: 3 }),
      covers: fc.subarray([...holds.keys()]),
      coveredAfter: fc.integer({ min: 0, max: 200 }),
      proposedAfter: fc.option(fc.integer({ min: 0, max: 500 })),
      stages: fc.constantFrom(0, 1),
      approvedAfter: fc.option(fc.integer({ min: 0, max: 60 })),
      leftAfter: fc.option(fc.integer({ min: 0, max: 200 })),
      failedAfter: fc.option(fc.integer({ min: 0, max: 100 })),
      error: fc.option(fc.constantFrom('store_retained', 'unavailable')),
    })
    .map(made => {
      const { archivedAt } = made
      const destroyedAt = made.destroyedAfter === null ? null : later(archivedAt, made.destroyedAfter)
      return {
        ...{ kind: made.kind, mailbox: made.mailbox, archivedAt, destroyedAt },
        ...{ bytes: made.bytes, durationMs: made.durationMs },
        receivedAt: later(archivedAt, -made.olderDays),
        copiedAt: made.copiedAfter === null ? null : later(archivedAt, made.copiedAfter),
        decisions: decisionsOf(archivedAt, destroyedAt, made.decisions),
        covers: made.covers.flatMap(hold => coverOf(holds, hold, archivedAt, made.coveredAfter)),
        item: itemOf(made, archivedAt),
      }
    })

/** Each ends the one before; those after the end of the recording are not made. */
function decisionsOf(
  archivedAt: Date,
  destroyedAt: Date | null,
  made: readonly {
    after: number
    status: Decision['status']
    rule: number
    keep: number
    wait: number
    disposal: 'automatic' | 'review'
  }[],
): readonly Decision[] {
  const times: Date[] = []
  for (const { after } of made)
    times.push(later(times.at(-1) ?? archivedAt, times.length === 0 ? 0 : after + 1))
  const known = times.filter(at => destroyedAt === null || at < destroyedAt)
  return known.flatMap((decidedAt, index) => {
    const one = made[index]
    if (one === undefined) return []
    const keepUntil = later(archivedAt, one.keep)
    const isKept = one.status === 'kept'
    return [
      {
        ...{ decidedAt, supersededAt: known[index + 1] ?? destroyedAt, status: one.status, keepUntil },
        rule: one.status === 'unruled' ? null : one.rule,
        dueAt: isKept ? later(keepUntil, one.wait) : null,
        disposal: isKept ? one.disposal : 'none',
      } as const,
    ]
  })
}

function coverOf(holds: readonly Hold[], hold: number, archivedAt: Date, after: number): Cover[] {
  const placed = holds[hold]
  if (placed === undefined) return []
  const from = placed.placedAt > archivedAt ? placed.placedAt : archivedAt
  const coveredAt = later(from, after)
  const { releasedAt } = placed
  return releasedAt !== null && coveredAt >= releasedAt ? [] : [{ hold, coveredAt, releasedAt }]
}

function itemOf(
  made: {
    proposedAfter: number | null
    stages: number
    approvedAfter: number | null
    leftAfter: number | null
    failedAfter: number | null
    error: string | null
  },
  archivedAt: Date,
): Item | null {
  if (made.proposedAfter === null) return null
  const proposedAt = later(archivedAt, made.proposedAfter)
  const isAutomatic = made.stages === 0
  const approvedAt = isAutomatic || made.approvedAfter === null ? null : later(proposedAt, made.approvedAfter)
  const waitsFrom = isAutomatic ? proposedAt : approvedAt
  return {
    ...{ proposedAt, stages: isAutomatic ? 0 : 1, approvedAt },
    readyAt: waitsFrom === null ? null : later(waitsFrom, 7),
    leftAt: made.leftAfter === null ? null : later(proposedAt, made.leftAfter),
    failedAt: made.failedAfter === null ? null : later(proposedAt, made.failedAfter),
    error: made.failedAfter === null ? null : made.error,
  }
}

export const someHistory: fc.Arbitrary<History> = fc
  .array(fc.record({ placedAt: aDay, releasedAfter: fc.option(fc.integer({ min: 1, max: 400 })) }), {
    maxLength: 3,
  })
  .chain(made => {
    const holds = made.map(({ placedAt, releasedAfter }) => ({
      placedAt,
      releasedAt: releasedAfter === null ? null : later(placedAt, releasedAfter),
    }))
    return fc.record({
      zone: fc.constantFrom('UTC', 'America/Los_Angeles', 'Asia/Kolkata', 'Pacific/Auckland'),
      stories: fc.array(aStory(holds), { maxLength: 14 }),
      holds: fc.constant(holds),
      asOf: fc.array(
        fc.tuple(aDay, fc.integer({ min: 0, max: dayMs })).map(([at, more]) => new Date(at.getTime() + more)),
        { minLength: 2, maxLength: 3 },
      ),
    })
  })

// --- what a report says of it ---

const isAt = (from: Date, until: Date | null, at: Date) => from <= at && (until === null || until > at)

export const isThere = ({ archivedAt, destroyedAt }: Story, at: Date) => isAt(archivedAt, destroyedAt, at)

export const decisionAt = ({ decisions }: Story, at: Date) =>
  decisions.find(({ decidedAt, supersededAt }) => isAt(decidedAt, supersededAt, at)) ?? null

export const holdsAt = ({ covers }: Story, at: Date) =>
  covers.filter(({ coveredAt, releasedAt }) => isAt(coveredAt, releasedAt, at)).map(({ hold }) => hold)

export function stateAt(story: Story, at: Date): ReportState {
  if (holdsAt(story, at).length > 0) return 'held'
  const decision = decisionAt(story, at)
  if (decision === null) return 'undecided'
  if (decision.dueAt === null) return decision.status
  return decision.dueAt <= at ? 'due' : 'kept'
}

/** Null where it is not overdue. */
export function reasonAt(story: Story, at: Date): string | null {
  const decision = decisionAt(story, at)
  if (decision === null) return null
  const isDue = decision.dueAt !== null && decision.dueAt <= at
  const isOpen = decision.status === 'undecided' && decision.keepUntil <= at
  if (!isDue && !isOpen) return null
  if (holdsAt(story, at).length > 0) return 'hold'
  if (isOpen) return 'undecided'
  const { item } = story
  if (item === null || !isAt(item.proposedAt, item.leftAt, at)) return 'unproposed'
  if (item.stages === 1 && (item.approvedAt === null || item.approvedAt > at)) return 'review'
  if (item.readyAt === null || item.readyAt > at) return 'waiting_period'
  if (item.failedAt === null || item.failedAt > at) return 'destroying'
  // Of what has left since, the last attempt was none that failed.
  return item.error === null && item.leftAt === null ? 'destroying' : 'error'
}

export function ageAt({ receivedAt }: Story, at: Date): string {
  const bound = (years: number, back: number) => {
    const date = new Date(at)
    date.setUTCFullYear(date.getUTCFullYear() - years)
    return date.getTime() - back * dayMs
  }
  const received = receivedAt.getTime()
  if (received >= bound(0, 30)) return 'under_30_days'
  if (received >= bound(0, 90)) return 'under_90_days'
  for (const years of [1, 2, 3, 6, 7, 10])
    if (received >= bound(years, 0)) return years === 1 ? 'under_1_year' : `under_${years}_years`
  return '10_years_and_more'
}

/** How many calendar months of the zone lie between. */
export function monthsFrom(from: Date, to: Date, zone: string): number {
  return monthNumber(to, zone) - monthNumber(from, zone)
}

function monthNumber(at: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
  }).formatToParts(at)
  const of = (type: string) => Number(parts.find(part => part.type === type)?.value)
  return of('year') * 12 + of('month') - 1
}

export function monthName(at: Date, plus: number, zone: string): string {
  const number = monthNumber(at, zone) + plus
  return `${Math.floor(number / 12)}-${String((number % 12) + 1).padStart(2, '0')}`
}

export function amountOf(stories: readonly Story[]): ReportAmount {
  return {
    recordings: stories.length,
    bytes: stories.reduce((sum, { bytes }) => sum + bytes, 0),
    soundMs: stories.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0),
  }
}
