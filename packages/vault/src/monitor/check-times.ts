// Whether the log is alive: what waits to be sealed, when it last said anything, and how many leaves there are.
import type { LogView } from '@auricle/catalog'
import { newEventId } from '@auricle/contract'
import { type Candidate, found } from './finding.ts'
import type { MonitorState } from './state.ts'

interface Options {
  readonly signal?: AbortSignal | undefined
}

const dayMs = 24 * 60 * 60_000
const countedAtOnce = 50_000

/** Events made in the last while that were recorded `unsealedMs` ago and have no seal. */
export async function checkUnsealed(
  watch: Pick<LogView, 'findUnsealed'>,
  {
    now,
    unsealedMs,
    lookBackMs,
  }: { readonly now: Date; readonly unsealedMs: number; readonly lookBackMs: number },
  options: Options,
): Promise<readonly Candidate[]> {
  return await unsealedBetween(watch, new Date(now.getTime() - lookBackMs), now, unsealedMs, now, options)
}

/** The same of all events that there are, a day at a time: also those that were put in with an old id. */
export async function checkAllUnsealed(
  watch: Pick<LogView, 'findUnsealed' | 'firstEventId'>,
  { now, unsealedMs }: { readonly now: Date; readonly unsealedMs: number },
  options: Options,
): Promise<readonly Candidate[]> {
  const first = await watch.firstEventId(options)
  if (first === null) return []
  const findings: Candidate[] = []
  for (let from = timeOfId(first); from <= now.getTime(); from += dayMs) {
    const to = new Date(from + dayMs)
    findings.push(...(await unsealedBetween(watch, new Date(from), to, unsealedMs, now, options)))
  }
  return findings
}

async function unsealedBetween(
  watch: Pick<LogView, 'findUnsealed'>,
  from: Date,
  to: Date,
  unsealedMs: number,
  now: Date,
  options: Options,
): Promise<readonly Candidate[]> {
  const range = {
    fromId: idAt(from),
    toId: idAt(new Date(to.getTime() + 1)),
    before: new Date(now.getTime() - unsealedMs),
  }
  const unsealed = await watch.findUnsealed(range, options)
  return unsealed.map(({ tenantId }) => found('unsealed_age', 'events', { tenantId }))
}

/** Silence of the log over all logs, which says the time when there is nothing else to say. */
export function checkHeartbeat(
  { anchor }: Pick<MonitorState, 'anchor'>,
  { now, heartbeatMs }: { readonly now: Date; readonly heartbeatMs: number },
): readonly Candidate[] {
  if (anchor === null || anchor.newestAt === null) return []
  const silentMs = now.getTime() - anchor.newestAt.getTime()
  return silentMs > heartbeatMs ? [found('missing_heartbeat', 'anchor')] : []
}

/** As many seals as the log's size says, and an event with the same hash for each. */
export async function checkCounts(
  watch: Pick<LogView, 'countLeaves'>,
  { logs }: Pick<MonitorState, 'logs'>,
  options: Options,
): Promise<readonly Candidate[]> {
  const findings: Candidate[] = []
  for (const log of Object.values(logs)) {
    const size = log.seen?.size ?? 0
    for (let from = 0; from < size; from += countedAtOnce) {
      const to = Math.min(size, from + countedAtOnce)
      const { seals, events } = await watch.countLeaves(log, from, to, options)
      const about = { tenantId: log.tenantId, year: log.year, seq: from }
      if (seals < to - from) findings.push(found('truncation', 'count_of_seals', about))
      if (events < seals) findings.push(found('truncation', 'count_of_events', about))
    }
  }
  return findings
}

/** The first id that can be made at a time. */
const idAt = (time: Date): string =>
  newEventId({ now: () => Math.max(0, time.getTime()), random: byteLength => new Uint8Array(byteLength) })

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const timeCharacters = 10

/** Unix milliseconds that an id begins with. */
const timeOfId = (id: string): number =>
  [...id.slice('evt_'.length, 'evt_'.length + timeCharacters)].reduce(
    (time, character) => time * alphabet.length + Math.max(0, alphabet.indexOf(character)),
    0,
  )
