// One cell of the matrix: an operation, a fault at one of its requests, and what was observed.
import assert from 'node:assert/strict'
import type { Fault } from '../emulators/faults.ts'
import type { Answer, Attempt, Lane, Operation, Port, Seen } from './port.ts'

export type Strength = 'once' | 'always'

/** Which request of an operation is struck: the first one of that name, or the last one that it makes without a fault. */
export interface Place {
  readonly request: string
  /** How many of that name go before. */
  readonly skip: number
  readonly which: 'only' | 'first' | 'last'
}

export type Outcome = { readonly said: string } | { readonly error: Seen }

/** Without a fault. */
export interface Undisturbed {
  readonly outcome: Outcome
  readonly left: string
  /** In the order in which they were first made. */
  readonly requests: Readonly<Record<string, number>>
}

export interface Cell {
  readonly outcome: Outcome
  readonly requests: number
  readonly left: string
  /** The same call after the fault was lifted; null where nothing was left to do. */
  readonly again: { readonly outcome: Outcome; readonly left: string } | null
}

interface Given<Subject> {
  readonly port: Port<Subject>
  readonly operation: Operation<Subject>
  readonly lane: Lane<Subject>
}

/** Nothing is slow on purpose here, so a busy machine must not look like a fault. */
const patientMs = 30_000
/** Enough for an answer on a busy machine; every slow request costs as much. */
const hastyMs = 1_000

export async function runUndisturbed<Subject>({
  port,
  operation,
  lane,
}: Given<Subject>): Promise<Undisturbed> {
  await using subject = await lane.open({ attemptTimeoutMs: patientMs })
  const attempt = await operation.prepare(subject)
  const requests: Record<string, number> = {}
  onRequest(lane, 'any', operation => {
    requests[operation] = (requests[operation] ?? 0) + 1
  })
  const outcome = await observe(attempt, port, () => lane.faults.clear())
  return { outcome, left: attempt.left(), requests }
}

export function placesOf({ requests }: Undisturbed): Place[] {
  return Object.entries(requests).flatMap(([request, count]): Place[] =>
    count === 1
      ? [{ request, skip: 0, which: 'only' }]
      : [
          { request, skip: 0, which: 'first' },
          { request, skip: count - 1, which: 'last' },
        ],
  )
}

/** Null where the fault cannot befall such a request. Throws where an invariant does not hold. */
export async function runCell<Subject>(
  { port, operation, lane }: Given<Subject>,
  { fault, place, strength }: { readonly fault: Fault; readonly place: Place; readonly strength: Strength },
  undisturbed: Undisturbed,
): Promise<Cell | null> {
  await using subject = await lane.open({ attemptTimeoutMs: fault.type === 'slow' ? hastyMs : patientMs })
  const attempt = await operation.prepare(subject)
  const before = lane.requests()
  const struckBefore = lane.faults.injected[fault.type] ?? 0
  const { request, skip } = place
  let seen = 0
  onRequest(lane, request, () => seen++)
  const isMeant = () => (strength === 'once' ? seen === skip + 1 : seen > skip)
  lane.faults.add({ operation: request, fault, when: isMeant })
  let requests = 0
  const outcome = await observe(attempt, port, () => {
    lane.faults.clear()
    requests = total(difference(before, lane.requests()))
  })
  const left = attempt.left()
  if ((lane.faults.injected[fault.type] ?? 0) === struckBefore) {
    assert.deepEqual({ outcome, left }, { outcome: undisturbed.outcome, left: undisturbed.left })
    return null
  }
  assert.ok(requests <= total(undisturbed.requests) * port.attemptsMost, `${requests} requests`)
  const isDone = isRight(operation, undisturbed, { outcome, left })
  if (!isDone && 'error' in outcome) {
    assert.ok(port.codes[fault.type].includes(outcome.error.code), `seen as ${outcome.error.code}`)
  } else assert.ok(isDone, `${JSON.stringify(outcome)} with ${left}`)
  if (isDone) return { outcome, requests, left, again: null }

  const again = { outcome: await observe(attempt, port), left: attempt.left() }
  const { mayBeSaidAgain = operation.mayBeSaid } = operation
  assert.ok(
    isRight({ ...operation, mayBeSaid: mayBeSaidAgain }, undisturbed, again),
    `again: ${JSON.stringify(again)}`,
  )
  return { outcome, requests, left, again }
}

/** Looks at every request, in the order in which they come, and strikes none. Until the faults are cleared. */
function onRequest<Subject>(lane: Lane<Subject>, name: string, look: (operation: string) => void): void {
  const when = ({ operation }: { readonly operation: string }): boolean => {
    look(operation)
    return false
  }
  lane.faults.add({ operation: name, fault: { type: 'status' }, when })
}

/** What the call came to. `settled` is called before the answer is judged. */
async function observe<Subject>(attempt: Attempt, port: Port<Subject>, settled = () => {}): Promise<Outcome> {
  let answer: Answer
  try {
    answer = await attempt.call()
  } catch (error) {
    const seen = port.seenOf(error)
    if (seen === null) throw error
    return { error: seen }
  } finally {
    settled()
  }
  await answer.judge?.()
  return { said: answer.said }
}

function isRight<Subject>(
  { mayBeSaid, mayBeLeft }: Operation<Subject>,
  undisturbed: Undisturbed,
  { outcome, left }: { readonly outcome: Outcome; readonly left: string },
): boolean {
  if (mayBeLeft === undefined ? left !== undisturbed.left : !mayBeLeft.test(left)) return false
  if ('said' in outcome && mayBeSaid !== undefined) return mayBeSaid.test(outcome.said)
  return JSON.stringify(outcome) === JSON.stringify(undisturbed.outcome)
}

type Counts = Readonly<Record<string, number>>

function difference(before: Counts, after: Counts): Counts {
  return Object.fromEntries(
    Object.entries(after).flatMap(([name, count]) => {
      const more = count - (before[name] ?? 0)
      return more === 0 ? [] : [[name, more]]
    }),
  )
}

const total = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0)
