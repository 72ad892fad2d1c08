// Holds what listeners got against what is durable: rows of the log, and events in its second sink.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditEvent, decodeLeaf } from '@auricle/audit'
import type { EventId } from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import type pg from 'pg'
import type { Heard } from './listener.ts'

export interface Durable {
  readonly events: ReadonlyMap<EventId, AuditEvent>
  /** Of those, how many only the second sink has. */
  readonly late: number
}

/** Asked of the database itself, past every part of the vault, and of the store. */
export async function readDurable(
  superuser: pg.Pool,
  logStore: Pick<ObjectStore, 'list' | 'read'>,
): Promise<Durable> {
  const events = new Map<EventId, AuditEvent>()
  const { rows } = await superuser.query<{ leaf: Buffer }>('select leaf from auricle.audit_event')
  for (const { leaf } of rows) {
    const event = decodeLeaf(leaf)
    events.set(event.id, event)
  }
  const stored = events.size
  for await (const { key } of logStore.list('late/')) {
    const pieces: Uint8Array[] = []
    for await (const piece of logStore.read(key, null)) pieces.push(piece)
    const { leaf } = JSON.parse(Buffer.concat(pieces).toString()) as { leaf: string }
    const event = decodeLeaf(Buffer.from(leaf, 'base64'))
    if (!events.has(event.id)) events.set(event.id, event)
  }
  return { events, late: events.size - stored }
}

/** What one listener asked for, one request after the other: all of it is one playback, or several. */
export interface Listener {
  readonly heard: readonly (Heard & { readonly start: number })[]
}

export interface Judgement {
  readonly requests: number
  /** Answers with audio in them. */
  readonly answered: number
  readonly audioBytes: number
  /** Must be 0. */
  readonly bytesWithoutEvent: number
  /** Answers with a body that no durable event stands for. Must be 0. */
  readonly answersWithoutEvent: number
  /** Bytes that a listener has and no event of what was sent names, where there is such an event. Must be 0. */
  readonly bytesNotTold: number
  /** Playbacks whose end is not in the log. */
  readonly withoutEnd: number
  /** Refusals that told more than they may. Must be 0. */
  readonly telling: number
}

const beginnings: ReadonlySet<string> = new Set(['recording.played', 'recording.exported', 'recording.shown'])

export function judge(listeners: readonly Listener[], { events }: Durable): Judgement {
  const begun = new Map<string, AuditEvent>()
  const ends = new Map<EventId, AuditEvent[]>()
  for (const event of events.values()) {
    if (beginnings.has(event.action) && event.outcome === 'allowed' && event.request !== null)
      begun.set(event.request, event)
    const { detail } = event
    if (detail?.kind === 'served') ends.set(detail.intent, [...(ends.get(detail.intent) ?? []), event])
  }
  const found = { requests: 0, answered: 0, audioBytes: 0, bytesWithoutEvent: 0, answersWithoutEvent: 0 }
  const more = { bytesNotTold: 0, withoutEnd: 0, telling: 0 }
  for (const { heard } of listeners) {
    /** Of this listener so far, newest first. */
    const own: AuditEvent[] = []
    for (const one of heard) {
      found.requests++
      if (one.tells) more.telling++
      const event = one.requestId === null ? undefined : begun.get(one.requestId)
      if (event !== undefined) own.unshift(event)
      if (one.audioBytes === 0) continue
      found.answered++
      found.audioBytes += one.audioBytes
      if (own.length === 0) {
        found.bytesWithoutEvent += one.audioBytes
        found.answersWithoutEvent++
      }
      const told = own.flatMap(({ id }) => ends.get(id) ?? [])
      if (told.length === 0) more.withoutEnd++
      else more.bytesNotTold += bytesOutside(one, told)
    }
  }
  return { ...found, ...more }
}

function bytesOutside(
  { start, audioBytes }: Heard & { readonly start: number },
  ends: readonly AuditEvent[],
) {
  const isTold = new Uint8Array(audioBytes)
  for (const { detail } of ends) {
    if (detail?.kind !== 'served') continue
    for (const [first, last] of detail.ranges)
      isTold.fill(1, Math.max(0, first - start), Math.max(0, last + 1 - start))
  }
  return isTold.filter(told => told === 0).length
}

/** Uses of keys that name an event which is not durable. Must be none. */
export async function usesWithoutEvent(
  folder: string,
  { events }: Durable,
): Promise<{ readonly uses: number; readonly withoutEvent: number }> {
  let [uses, withoutEvent] = [0, 0]
  for (const name of await readdir(folder)) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n').filter(text => text !== '')) {
      const { event } = JSON.parse(line) as { event: EventId }
      uses++
      if (!events.has(event)) withoutEvent++
    }
  }
  return { uses, withoutEvent }
}
