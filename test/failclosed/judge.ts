// Holds what listeners got against what is durable: rows of the log, and events in its second sink.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditEvent, decodeLeaf, decodePrivate } from '@auricle/audit'
import { EventId } from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import { openPrivate, type TenantSecretsCache } from '@auricle/vault'
import type pg from 'pg'
import type { Heard } from './listener.ts'

export interface DurableEvent {
  readonly event: AuditEvent
  /** Where the request came from, of which it is: from its private part. */
  readonly ip: string | null
}

export interface Durable {
  readonly events: ReadonlyMap<EventId, DurableEvent>
  /** Of those, how many only the second sink has. */
  readonly late: number
}

/** Asked of the database itself, past every part of the vault, and of the store. */
export async function readDurable(
  superuser: pg.Pool,
  logStore: Pick<ObjectStore, 'list' | 'read'>,
  secrets: TenantSecretsCache,
): Promise<Durable> {
  const events = new Map<EventId, DurableEvent>()
  const take = async (leaf: Uint8Array, sealed: Uint8Array | null) => {
    const event = decodeLeaf(leaf)
    if (events.has(event.id)) return
    const { privateParts } = await secrets.get(event.tenant)
    const part = sealed === null ? null : decodePrivate(openPrivate(privateParts, event.id, sealed)).part
    events.set(event.id, { event, ip: part?.ip ?? null })
  }
  const { rows } = await superuser.query<{ leaf: Buffer; sealed_private: Buffer | null }>(
    'select leaf, sealed_private from auricle.audit_event',
  )
  for (const row of rows) await take(row.leaf, row.sealed_private)
  const stored = events.size
  for await (const { key } of logStore.list('late/')) {
    const pieces: Uint8Array[] = []
    for await (const piece of logStore.read(key, null)) pieces.push(piece)
    const line: LateLine = JSON.parse(Buffer.concat(pieces).toString())
    const bytes = (text: string) => Buffer.from(text, 'base64')
    await take(bytes(line.leaf), line.private === null ? null : bytes(line.private))
  }
  return { events, late: events.size - stored }
}

interface LateLine {
  readonly leaf: string
  readonly private: string | null
}

/** What one listener asked for, one request after the other: all of it is one playback, or several. */
export interface Listener {
  /** Nobody else has it. */
  readonly ip: string
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
  const begun = new Map<string, AuditEvent[]>()
  const ends = new Map<EventId, AuditEvent[]>()
  for (const { event, ip } of events.values()) {
    if (beginnings.has(event.action) && event.outcome === 'allowed' && ip !== null)
      begun.set(ip, [...(begun.get(ip) ?? []), event])
    const { detail } = event
    if (detail?.kind === 'served') ends.set(detail.intent, [...(ends.get(detail.intent) ?? []), event])
  }
  const found = { requests: 0, answered: 0, audioBytes: 0, bytesWithoutEvent: 0, answersWithoutEvent: 0 }
  const more = { bytesNotTold: 0, withoutEnd: 0, telling: 0 }
  for (const { ip, heard } of listeners) {
    // Also one whose own answer never began: the next request is of the same playback.
    const own = begun.get(ip) ?? []
    const told = own.flatMap(({ id }) => ends.get(id) ?? [])
    for (const one of heard) {
      found.requests++
      if (one.tells) more.telling++
      if (one.audioBytes === 0) continue
      found.answered++
      found.audioBytes += one.audioBytes
      if (own.length === 0) {
        found.bytesWithoutEvent += one.audioBytes
        found.answersWithoutEvent++
      }
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

/** The events that uses of keys name. To be read before the events are: looking at those uses keys too. */
export async function readKeyUses(folder: string): Promise<readonly EventId[]> {
  const uses: EventId[] = []
  for (const name of await readdir(folder)) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n').filter(text => text !== ''))
      uses.push(EventId.parse(JSON.parse(line).event))
  }
  return uses
}

/** How many of them name an event that is not durable. Must be none. */
export const usesWithoutEvent = (uses: readonly EventId[], { events }: Durable): number =>
  uses.filter(id => !events.has(id)).length
