// Whether events are missing that their writers acknowledged: each writer numbers its events of a tenant, and says in its
// beats which numbers stand for events that were durable. The rules are those of docs/evidence.md, for a log that is read
// from its first leaf on.
import type { AuditEvent } from '@auricle/audit'
import { type Candidate, found } from './finding.ts'

/** First and last of consecutive numbers. */
export type Span = readonly [number, number]

export interface WriterState {
  /** Numbers of this writer that were seen. */
  readonly seen: readonly Span[]
  readonly hasStarted: boolean
  readonly nextBeat: number
  readonly hasStopped: boolean
  /** When its newest event is from, by its own clock. */
  readonly eventAt: number
  /** When the first event is from that no beat came after; null without one. */
  readonly owingAt: number | null
}

export interface TenantWriters {
  /** Whether an event with a writer was seen: from then on every event has one. */
  readonly isCounted: boolean
  readonly writers: Readonly<Record<string, WriterState>>
}

export const noWriters: TenantWriters = { isCounted: false, writers: {} }

interface Place {
  readonly tenantId: string
  readonly year: number
  readonly seq: number
}

/** The state after one more leaf, and what is missing according to it. */
export function countEvent(
  state: TenantWriters,
  event: AuditEvent,
  place: Place,
): { readonly state: TenantWriters; readonly findings: readonly Candidate[] } {
  const about = { ...place, eventId: event.id }
  const gap = (code: string) => found('counter_gap', code, about)
  const { writer } = event
  if (writer === undefined) {
    // The sequencer itself puts the first leaf of a year there.
    const isUncounted = state.isCounted && event.action !== 'log.opened'
    return { state, findings: isUncounted ? [gap('uncounted')] : [] }
  }
  const before = state.writers[writer.id] ?? newWriter
  const findings: Candidate[] = []
  if (includes(before.seen, writer.n)) findings.push(gap('number_twice'))
  let after: WriterState = {
    ...before,
    seen: withNumber(before.seen, writer.n),
    hasStarted: before.hasStarted || event.action === 'writer.started',
    eventAt: Math.max(before.eventAt, Date.parse(event.at)),
    // What comes in late of one that has stopped has nobody left to acknowledge it.
    owingAt: before.hasStopped ? null : (before.owingAt ?? Date.parse(event.at)),
  }
  if (event.detail?.kind === 'beat') {
    const { beat, acknowledged } = event.detail
    if (beat === 0 && !after.hasStarted) findings.push(gap('no_start'))
    if (beat !== before.nextBeat) findings.push(gap('beat'))
    if (!acknowledged.every(span => covers(after.seen, span))) findings.push(gap('number'))
    after = {
      ...after,
      nextBeat: beat + 1,
      owingAt: null,
      hasStopped: event.action === 'writer.stopped',
    }
  }
  return {
    state: { isCounted: true, writers: { ...state.writers, [writer.id]: after } },
    findings,
  }
}

/** Writers that wrote, and then neither beat nor said that they stop. */
export function silentWriters(
  tenantId: string,
  { writers }: TenantWriters,
  { now, silenceMs, forgetMs }: { readonly now: Date; readonly silenceMs: number; readonly forgetMs: number },
): readonly Candidate[] {
  return Object.entries(writers)
    .filter(([, { owingAt, eventAt }]) => {
      const isForgotten = now.getTime() - eventAt >= forgetMs
      return owingAt !== null && now.getTime() - owingAt > silenceMs && !isForgotten
    })
    .map(([writerId]) => found('missing_heartbeat', 'writer', { tenantId, eventId: writerId }))
}

/** Without those that stopped before then: others may go on, however long they were silent. */
export function forgetWriters(state: TenantWriters, before: Date): TenantWriters {
  const kept = Object.entries(state.writers).filter(
    ([, { hasStopped, eventAt }]) => !hasStopped || eventAt >= before.getTime(),
  )
  return { ...state, writers: Object.fromEntries(kept) }
}

const newWriter: WriterState = {
  seen: [],
  hasStarted: false,
  nextBeat: 0,
  hasStopped: false,
  eventAt: 0,
  owingAt: null,
}

const includes = (spans: readonly Span[], number: number): boolean =>
  spans.some(([first, last]) => first <= number && number <= last)

/** Spans are apart and in order, so one that covers another does so alone. */
const covers = (spans: readonly Span[], [from, to]: Span): boolean =>
  spans.some(([first, last]) => first <= from && to <= last)

/** The number added, with neighbours joined. */
function withNumber(spans: readonly Span[], number: number): readonly Span[] {
  if (includes(spans, number)) return spans
  const before = spans.filter(([, last]) => last < number)
  const after = spans.filter(([first]) => first > number)
  const left = before.at(-1)
  const right = after[0]
  const joinsLeft = left !== undefined && left[1] === number - 1
  const joinsRight = right !== undefined && right[0] === number + 1
  return [
    ...(joinsLeft ? before.slice(0, -1) : before),
    [joinsLeft ? left[0] : number, joinsRight ? right[1] : number],
    ...(joinsRight ? after.slice(1) : after),
  ]
}
