// Streams that are being sent: each is decided anew every few seconds, and cut where the answer has become no.
//
// A request is decided before its first byte, and an hour of audio goes on long after it. So while it is sent, token,
// person, roles, relations and emergency access are looked up again, in the one query that began it. Where nobody can say
// any more, a stream may go on for `graceMs` and is then cut too: an outage is no yes.
import type { Catalog, PlayFacts } from '@auricle/catalog'
import type { TokenId } from '@auricle/contract'
import type { Action, Decide } from '@auricle/identity'
import { actorOf } from './actor.ts'
import { VaultError } from './error.ts'
import type { EventAppender } from './log/durable-event.ts'
import type { PlayRequest } from './play.ts'
import { personEvent } from './sessions/person-event.ts'
import type { TenantSecretsCache } from './tenant-secrets.ts'

const recheckMsDefault = 5_000
const graceMsDefault = 30_000
/** Of one look; a database that hangs must not hold up the others. */
const lookMs = 5_000
/** Looks at once: streams are many, and connections few. */
const looksMost = 4
/** Cuts whose event could not be written yet. */
const unwrittenMost = 512

export interface StreamTimes {
  /** How often each stream is decided anew. Default 5,000. */
  readonly recheckMs?: number
  /** How long a stream may go on that nobody can decide. Default 30,000. */
  readonly graceMs?: number
  /** A playback of which nothing is asked and sent for as long is over. Default 30,000. */
  readonly idleMs?: number
}

export interface StreamWatchParts {
  readonly catalog: Pick<Catalog, 'findPlayFacts' | 'findTokenState'>
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly decide: Decide
  readonly streams?: StreamTimes
  readonly now?: () => Date
  /** What a look, or the event of a cut, failed with. */
  readonly onStreamFailure?: (error: unknown) => void
}

/** An answer on its way; to be disposed of when it has ended. */
export interface Stream extends Disposable {
  /** Aborted when it must be cut, with the `VaultError` that says why. */
  readonly signal: AbortSignal
  /** Tells that more of it has gone out: a stream that advances is a use of its token, one that stalls is none. */
  advance(): void
}

export interface StreamWatch extends Disposable {
  follow(request: PlayRequest, action: Action): Stream
  /** Decides all streams now, as the timer does by itself. */
  recheck(): Promise<void>
}

interface Followed {
  readonly request: PlayRequest
  readonly action: Action
  readonly cut: AbortController
  hasAdvanced: boolean
  /** When the last look said yes. */
  decidedAt: number
}

export function createStreamWatch(parts: StreamWatchParts, onCut: (token: TokenId) => void): StreamWatch {
  const { recheckMs = recheckMsDefault, graceMs = graceMsDefault } = parts.streams ?? {}
  const { onStreamFailure = () => undefined } = parts
  const now = () => parts.now?.() ?? new Date()
  const streams = new Set<Followed>()
  const unwritten: {
    readonly request: PlayRequest
    readonly reasons: readonly string[]
    readonly at: Date
  }[] = []
  const stop = new AbortController()
  let looking: Promise<void> | null = null

  const timer = setInterval(() => recheck().catch(onStreamFailure), recheckMs)
  timer.unref()

  /** Looks that take longer than the interval are not begun twice, and hold up no stream whose grace is over. */
  async function recheck(): Promise<void> {
    if (looking !== null) cutUndecided(streams)
    looking ??= lookAtAll().finally(() => {
      looking = null
    })
    await looking
  }

  function cutUndecided(asked: Iterable<Followed>): void {
    const late = [...asked].filter(({ decidedAt }) => now().getTime() - decidedAt >= graceMs)
    for (const alike of groupsOf(late)) cutAll(alike, ['undecided'])
  }

  async function lookAtAll(): Promise<void> {
    const groups = groupsOf(streams).values()
    const looks = Array.from({ length: looksMost }, async () => {
      for (const alike of groups) await look(alike)
    })
    await Promise.all(looks)
    await writeCuts()
  }

  async function look(alike: readonly [Followed, ...Followed[]]): Promise<void> {
    const [{ request }] = alike
    if (!alike.some(stream => streams.has(stream))) return
    const at = now()
    const isUse = alike.some(({ hasAdvanced }) => hasAdvanced)
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(lookMs)])
    let refusal: readonly string[] | null
    try {
      const { bearer, recordingId } = request
      const query = { ...bearer, recordingId, role: 'original', now: at, isUse } as const
      const facts = await parts.catalog.findPlayFacts(query, { signal })
      refusal = facts === null ? [await whyEnded(request, at, signal)] : refusalOfStream(alike[0], facts, at)
    } catch (error) {
      // Neither yes nor no: the grace decides.
      if (stop.signal.aborted) return
      onStreamFailure(error)
      cutUndecided(alike)
      return
    }
    if (refusal !== null) return cutAll(alike, refusal)
    for (const stream of alike) {
      stream.decidedAt = at.getTime()
      if (isUse) stream.hasAdvanced = false
    }
  }

  async function whyEnded({ bearer }: PlayRequest, at: Date, signal: AbortSignal): Promise<string> {
    const state = await parts.catalog.findTokenState(bearer.tenantId, bearer.tokenId, at, { signal })
    return state?.ended ?? 'not_held'
  }

  function refusalOfStream(
    { request, action }: Followed,
    facts: PlayFacts,
    at: Date,
  ): readonly string[] | null {
    const { bearer, purposeOfUse: purpose } = request
    const { recording } = facts
    if (recording === null || facts.userId !== bearer.userId) return ['not_held']
    const { id: recordingId, mailboxId, labels } = recording
    const { tenantId } = bearer
    const resource = { type: 'recording', tenantId, recordingId, mailboxId, labels } as const
    const { allowed, reasons } = parts.decide(actorOf({ ...bearer, ...facts }), action, resource, {
      now: at,
      purpose,
    })
    // A factor must be fresh to begin, and need not stay so until the last byte.
    return allowed || reasons[0] === 'step_up_required' ? null : reasons
  }

  function cutAll(alike: readonly [Followed, ...Followed[]], reasons: readonly string[]): void {
    const [{ request }] = alike
    // One that ended meanwhile by itself was not cut.
    const cut = alike.filter(stream => streams.delete(stream))
    if (cut.length === 0) return
    onCut(request.bearer.tokenId)
    for (const stream of cut) stream.cut.abort(ended(reasons))
    if (unwritten.length < unwrittenMost) unwritten.push({ request, reasons, at: now() })
  }

  /** The bytes have stopped already; an event that cannot be written now is tried again with the next look. */
  async function writeCuts(): Promise<void> {
    for (let next = unwritten[0]; next !== undefined; next = unwritten[0]) {
      const { request, reasons, at } = next
      const { tenantId, userId, tokenId } = request.bearer
      try {
        const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(lookMs)])
        const secrets = await parts.secrets.get(tenantId, { signal })
        const object = { type: 'recording', id: request.recordingId, version: null }
        const facts = { action: 'recording.cut', outcome: 'denied', reasons, object, now: at } as const
        const record = await personEvent(secrets, { userId, tokenId, ...facts }, request)
        await parts.log.append(record, { signal })
      } catch (error) {
        if (!stop.signal.aborted) onStreamFailure(error)
        return
      }
      unwritten.shift()
    }
  }

  return {
    follow(request, action) {
      const cut = new AbortController()
      const stream: Followed = { request, action, cut, hasAdvanced: false, decidedAt: now().getTime() }
      streams.add(stream)
      return {
        signal: cut.signal,
        advance() {
          stream.hasAdvanced = true
        },
        [Symbol.dispose]() {
          streams.delete(stream)
        },
      }
    },
    recheck,
    [Symbol.dispose]() {
      clearInterval(timer)
      stop.abort(new DOMException('the service stops', 'AbortError'))
    },
  }
}

/** Streams of one token, recording and use are decided by one look: a browser reads several ranges at once. */
function groupsOf(streams: Iterable<Followed>): readonly [Followed, ...Followed[]][] {
  const groups = new Map<string, [Followed, ...Followed[]]>()
  for (const stream of streams) {
    const { bearer, recordingId, purposeOfUse } = stream.request
    const key = [bearer.tokenId, recordingId, stream.action, purposeOfUse].join(' ')
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [stream])
    else group.push(stream)
  }
  return [...groups.values()]
}

const ended = (reasons: readonly string[]) =>
  new VaultError('denied', `The right to hear this has ended: ${reasons.join(', ')}`)
