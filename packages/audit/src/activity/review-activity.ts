// What of a week of events somebody should look at (45 CFR 164.308(a)(1)(ii)(D)): pure, in one pass, in memory that
// grows with people and not with events.
import type { EventId } from '@auricle/contract'
import type { EventAction } from '../event.ts'

/**
 * `after_hours`: recordings heard outside working hours. `volume`: far more recordings than usual. `restricted`: of a
 * protected person or a colleague. `same_name`: of a caller with the listener's surname. `refusals`: many recordings
 * asked for and denied. The others say what they are.
 */
export const activityKinds = [
  'break_glass',
  'same_name',
  'restricted',
  'volume',
  'after_hours',
  'refusals',
  'failed_sign_ins',
  'exports',
  'removals',
] as const
export type ActivityKind = (typeof activityKinds)[number]

export interface ActivityEvent {
  readonly id: EventId
  readonly at: Date
  readonly action: EventAction
  readonly outcome: 'allowed' | 'denied' | 'failed'
  readonly actorId: string
  readonly objectId: string | null
}

/** What is known of a recording that somebody came to. */
export interface ActivityObject {
  /** Whether it has a label that protects a known person or a colleague. */
  readonly isRestricted: boolean
  /** Whether its caller has the surname of the one who came to it. */
  readonly isSameName: boolean
}

export interface ActivityFacts {
  readonly isWithinHours: (at: Date) => boolean
  /** How many recordings somebody hears in a usual week. */
  readonly usual: (actorId: string) => number
}

export interface ActivityFinding {
  readonly kind: ActivityKind
  readonly actorId: string
  /** The first of them, `namedMost` at most. */
  readonly eventIds: readonly EventId[]
  readonly eventCount: number
  /** Of `volume`: how many would have been usual. */
  readonly usual: number | null
}

export interface ActivityReview {
  /** In order of time. `about` of an event on a recording that is known. */
  add(event: ActivityEvent, about?: ActivityObject): void
  /** By weight of their kind, then the most events first. */
  findings(): readonly ActivityFinding[]
}

const namedMost = 50
const hourMs = 3_600_000
/** So many failures within an hour are more than mistyping. */
const failuresLeast = 5
const refusalsLeast = 10
/** A week with fewer recordings is never too many. */
const volumeLeast = 25
const volumeTimes = 3

const hearing: ReadonlySet<EventAction> = new Set(['recording.played', 'recording.exported'])
const reaching: ReadonlySet<EventAction> = new Set([...hearing, 'recording.shown'])
const exporting: ReadonlySet<EventAction> = new Set([
  'recording.exported',
  'log.exported',
  'disclosure.recorded',
])
const removing: ReadonlySet<EventAction> = new Set([
  'recording.disposed',
  'private_part.dropped',
  'hold.released',
])

export function reviewActivity(facts: ActivityFacts): ActivityReview {
  const found = new Map<string, { finding: ActivityFinding; ids: EventId[]; count: number }>()
  const heard = new Map<string, Set<string>>()
  const failures = new Map<string, { readonly event: ActivityEvent; readonly at: Date; isNoted: boolean }[]>()

  function note(kind: ActivityKind, { actorId, id }: ActivityEvent): void {
    const key = `${kind} ${actorId}`
    const known = found.get(key)
    if (known !== undefined) {
      known.count += 1
      if (known.ids.length < namedMost) known.ids.push(id)
      return
    }
    const finding = { kind, actorId, eventIds: [], eventCount: 0, usual: null }
    found.set(key, { finding, ids: [id], count: 1 })
  }

  /** Only a burst counts, and then each failure of it. */
  function noteFailure(event: ActivityEvent): void {
    const known = failures.get(event.actorId) ?? []
    const recent = known.filter(({ at }) => event.at.getTime() - at.getTime() < hourMs)
    recent.push({ event, at: event.at, isNoted: false })
    failures.set(event.actorId, recent.slice(-failuresLeast))
    if (recent.length < failuresLeast) return
    for (const failure of recent.filter(({ isNoted }) => !isNoted)) {
      failure.isNoted = true
      note('failed_sign_ins', failure.event)
    }
  }

  function noteAccess(event: ActivityEvent, about: ActivityObject | undefined): void {
    if (about?.isRestricted) note('restricted', event)
    if (about?.isSameName) note('same_name', event)
    if (!hearing.has(event.action)) return
    if (!facts.isWithinHours(event.at)) note('after_hours', event)
    if (event.objectId === null) return
    const recordings = heard.get(event.actorId) ?? new Set<string>()
    heard.set(event.actorId, recordings.add(event.objectId))
  }

  function volumes(): ActivityFinding[] {
    return [...heard].flatMap(([actorId, { size }]) => {
      const usual = facts.usual(actorId)
      const isMany = size >= volumeLeast && size > volumeTimes * usual
      return isMany ? [{ kind: 'volume', actorId, eventIds: [], eventCount: size, usual } as const] : []
    })
  }

  return {
    add(event, about) {
      const { action, outcome } = event
      if (action === 'break_glass.started' && outcome === 'allowed') note('break_glass', event)
      if (action === 'session.refused') noteFailure(event)
      if (outcome === 'denied' && reaching.has(action)) note('refusals', event)
      if (outcome !== 'allowed') return
      if (exporting.has(action)) note('exports', event)
      if (removing.has(action)) note('removals', event)
      if (reaching.has(action)) noteAccess(event, about)
    },
    findings() {
      const noted = [...found.values()].map(({ finding, ids, count }) => {
        return { ...finding, eventIds: ids, eventCount: count }
      })
      return [...noted, ...volumes()]
        .filter(({ kind, eventCount }) => kind !== 'refusals' || eventCount >= refusalsLeast)
        .sort(
          (a, b) =>
            activityKinds.indexOf(a.kind) - activityKinds.indexOf(b.kind) ||
            b.eventCount - a.eventCount ||
            (a.actorId < b.actorId ? -1 : 1),
        )
    },
  }
}

/** Whether two people's names end alike: case, accents and titles behind a comma apart. */
export function isSameSurname(one: string, other: string): boolean {
  const surname = surnameOf(one)
  return surname !== '' && surname === surnameOf(other)
}

function surnameOf(name: string): string {
  const letters = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const [first = '', second] = letters.split(',')
  // "Doe, Jane" as some PBXs send it; "Jane Doe, MD" as people write it.
  const isReversed = second !== undefined && !first.trim().includes(' ')
  const words = (isReversed ? first : first.trim()).split(/[^\p{L}'-]+/u).filter(word => word.length > 1)
  return words.at(-1) ?? ''
}
