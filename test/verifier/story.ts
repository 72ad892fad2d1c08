// What happens in a made-up tenant over some years: events with numbers and heartbeats, as writers write them.
import { createHash } from 'node:crypto'
import { AuditEvent, canonicalJson } from '@auricle/audit'
import type { Random } from './random.ts'

export interface TracedEvent {
  readonly event: AuditEvent
  /** Salt and private part; null without one. */
  readonly shown: Buffer | null
}

export interface Year {
  readonly year: number
  readonly events: readonly TracedEvent[]
}

export interface StoryOptions {
  readonly years: readonly number[]
  /** About as many in each year. */
  readonly eventsEach: number
  readonly writers?: number
  /** Whether some events come late, by way of write-once storage. */
  readonly hasLate?: boolean
  /** Whether nothing happens for an hour now and then. */
  readonly hasPauses?: boolean
}

export interface Story {
  readonly tenant: string
  readonly patients: readonly string[]
  readonly users: readonly string[]
  readonly recordings: readonly string[]
  /** `log.opened` of each year is left to whoever seals, who alone knows the root of the year before. */
  readonly years: readonly Year[]
}

interface Writer {
  readonly id: string
  next: number
  beat: number
  acknowledged: number[]
}

const beatEvery = 6
const stepMostMs = 3000
const lateMs = 1_800_000
const pauseMs = 3_600_000

/** Every event is checked against the schema of the log. */
export function tellStory(random: Random, options: StoryOptions): Story {
  const tenant = random.id('ten')
  const patients = Array.from({ length: 4 }, () => random.id('pat'))
  const users = Array.from({ length: 3 }, () => random.id('usr'))
  const recordings = Array.from({ length: 5 }, () => random.id('rec'))
  const writers: Writer[] = []
  const addWriter = () => {
    const writer: Writer = { id: random.id('wri'), next: 0, beat: 0, acknowledged: [] }
    writers.push(writer)
    return writer
  }

  const years = options.years.map(year => {
    let nowMs = Date.parse(`${year}-03-01T08:00:00.000Z`)
    const events: TracedEvent[] = []
    const say = (writer: Writer, facts: Partial<AuditEvent>, behindMs = 0, isAcknowledged = true) => {
      nowMs += 1 + random.int(stepMostMs)
      const shown = random.chance(0.3) ? privatePart(random) : null
      const n = writer.next++
      if (isAcknowledged) writer.acknowledged.push(n)
      const event = AuditEvent.parse({
        v: 1,
        id: random.id('evt'),
        tenant,
        at: new Date(nowMs - behindMs).toISOString(),
        action: 'session.opened',
        outcome: 'allowed',
        actor: {
          type: 'user',
          id: random.pick(users),
          session: random.chance(0.5) ? random.id('tok') : null,
        },
        object: null,
        reasons: [],
        writer: { id: writer.id, name: 'api', n },
        request: null,
        private: shown === null ? null : `sha256:${createHash('sha256').update(shown).digest('hex')}`,
        ...facts,
      })
      events.push({ event, shown })
      return event
    }
    const system = { type: 'system', id: 'api', session: null } as const
    const start = () =>
      say(addWriter(), {
        action: 'writer.started',
        actor: system,
        detail: { kind: 'started', receiptKey: null },
      })
    const beat = (writer: Writer, action: 'writer.heartbeat' | 'writer.stopped') => {
      const acknowledged = spansOf(writer.acknowledged)
      writer.acknowledged = []
      say(writer, { action, actor: system, detail: { kind: 'beat', beat: writer.beat++, acknowledged } })
    }

    for (let count = writers.length; count < (options.writers ?? 2); count++) start()
    while (events.length < options.eventsEach) {
      const writer = random.pick(writers)
      if (random.chance(0.05)) writer.next++
      if (options.hasPauses === true && random.chance(0.1)) {
        // Nobody rests before the beat that names what was done; that beat itself is named when work goes on.
        for (const one of writers) beat(one, 'writer.heartbeat')
        nowMs += pauseMs
      }
      if (random.chance(1 / beatEvery)) beat(writer, 'writer.heartbeat')
      else if (options.hasLate === true && random.chance(0.05)) {
        const late = Array.from({ length: 1 + random.int(2) }, () => say(writer, hearing(), lateMs))
        say(writer, {
          action: 'log.reconciled',
          actor: system,
          detail: { kind: 'reconciled', events: late.map(({ id }) => id) },
        })
      } else say(writer, random.chance(0.7) ? hearing() : {}, 0, random.chance(0.95))
    }
    for (const writer of writers) beat(writer, 'writer.heartbeat')
    const [gone] = writers
    if (gone !== undefined && random.chance(0.5)) {
      beat(gone, 'writer.stopped')
      writers.shift()
    }
    return { year, events }
  })
  return { tenant, patients, users, recordings, years }

  function hearing(): Partial<AuditEvent> {
    const facts = {
      action: random.pick(['recording.played', 'recording.shown', 'recording.exported']),
      object: { type: 'recording', id: random.pick(recordings), version: 'playback' },
      reasons: ['owns_mailbox'],
      purpose: 'treatment',
      patients: [random.pick(patients)],
    }
    return facts as Partial<AuditEvent>
  }
}

/** `n`, `n + 1`, ... as first and last. */
function spansOf(numbers: readonly number[]): [number, number][] {
  const spans: [number, number][] = []
  for (const n of [...numbers].sort((a, b) => a - b)) {
    const last = spans.at(-1)
    if (last !== undefined && last[1] === n - 1) last[1] = n
    else spans.push([n, n])
  }
  return spans
}

function privatePart(random: Random): Buffer {
  const part = { ip: `203.0.113.${random.int(256)}`, userAgent: 'a browser' }
  return Buffer.concat([random.bytes(16), Buffer.from(canonicalJson(part))])
}
