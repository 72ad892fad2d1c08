// Plays a recording: decide, log, only then unwrap its key.
//
// Order of a playback: live token, person, recording and mailbox in one query -> `can()` -> the access event is
// appended and durable -> the key is unwrapped -> segments of the range are read, verified, released.
// Decision and token are checked on every request, and again while its bytes are sent (`stream-watch.ts`). The event stands for one playback: the same token playing the
// same object from the same address within `playbackMs` (a player seeks in dozens of small ranges) is covered by
// the event of its first request; a key is in memory only as long (docs/decisions/0002-one-event-a-playback.md).
// Sound and waveform that one token asks for from one address are two playbacks, each with its event, and one
// unwrap: the second takes the recording's secret from the first (docs/decisions/0006-one-wrap-a-recording.md).
import type { PlayFacts, StoredObject } from '@auricle/catalog'
import type { ByteRange, ObjectRole, RecordingId, TenantId, TokenId } from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import type { CallOptions, OpenedObject, RecordingSecret } from '@auricle/sealed'
import { type AccessReceipt, appendAccess } from './access-event.ts'
import { actorOf } from './actor.ts'
import { errorCode, refusalOf, VaultError } from './error.ts'
import { createEventQueue } from './event-queue.ts'
import {
  createPlaybackOutcome,
  failedRecord,
  type PlaybackEnd,
  type PlaybackFacts,
  type PlaybackOutcome,
} from './playback-outcome.ts'
import { type ReadAhead, readAhead } from './read-ahead.ts'
import type { RequestFacts } from './request-facts.ts'
import { isSameSecret } from './same-secret.ts'
import { type SharedReading, shareReading } from './shared-reading.ts'
import { openStored } from './stored-object.ts'
import { createStreamWatch, type Stream, type StreamWatchParts } from './stream-watch.ts'
import type { VaultKeys } from './vault-keys.ts'

const playbackMs = 5 * 60_000
const playbacksMost = 512

export interface PlayParts extends StreamWatchParts {
  readonly objects: Pick<ObjectStore, 'read'>
  readonly keys: Pick<VaultKeys, 'opener'>
}

/** Who asks, as the bearer token says; roles and mailboxes are looked up here, on every request. */
export interface Bearer extends Pick<RequestFacts['actor'], 'tenantId' | 'userId' | 'tokenId'> {
  /** Of an opaque token; null for one that is signed. */
  readonly secretHash: Uint8Array | null
}

export interface PlayRequest extends Omit<RequestFacts, 'actor'> {
  readonly bearer: Bearer
  readonly recordingId: RecordingId
  /** What is asked for; `playback` falls back to the original where no rendition exists. */
  readonly role: ObjectRole
  /** `export` is playing to a file of one's own: decided and logged as such. */
  readonly purpose: 'play' | 'export' | 'show'
  /** Told who asks, once that is known and before anything is decided. */
  readonly onActor?: (actor: RequestFacts['actor']) => void
  /** Which range will be read, where that is known beforehand: in a running playback it is fetched meanwhile. */
  readonly range?: (object: { readonly sizeBytes: number; readonly etag: string }) => ByteRange | null
}

/** An answer on its way, and what of the object goes out with it. */
export interface Sending extends Stream {
  /** Told of bytes when they are handed on: what was told is in the log once the playback is over. */
  sent(range: ByteRange): void
}

/** Audio that may be sent: its event is durable. */
export interface Playback {
  readonly receipt: AccessReceipt
  readonly sizeBytes: number
  readonly contentType: string
  /** Strong validator: two objects with the same tag have the same bytes. */
  readonly etag: string
  /**
   * For as long as bytes of it are sent: whoever sends them stops where the stream's signal says so, and cuts off what
   * has left `read` already and is still on its way.
   */
  follow(): Sending
  /** Pieces of verified plaintext; throws, and must then cut the response off, where anything is not authentic. */
  read(range: ByteRange | null, options?: CallOptions): AsyncIterable<Uint8Array>
}

/** Disposing ends all playbacks, and waits until the log has what was sent of them. */
export interface Player extends AsyncDisposable {
  /** Throws `not_found`, `denied`. `unauthenticated` where the token no longer holds. */
  open(request: PlayRequest, options?: CallOptions): Promise<Playback>
  /** Decides all streams that are followed now, as happens by itself every few seconds. */
  recheck(): Promise<void>
}

const idleMsDefault = 30_000
/** A stop waits this long for the events of what was sent. */
const flushMs = 10_000

interface Running {
  /** This token, this recording, from this address: those who may share its secret. */
  readonly session: string
  readonly receipt: AccessReceipt
  readonly reading: SharedReading
  readonly outcome: PlaybackOutcome
  readonly until: number
  /** Forgets it, with its key, once its time is over. */
  readonly timer: NodeJS.Timeout
}

const actions = {
  play: { decide: 'recording.play', log: 'recording.played' },
  export: { decide: 'recording.export', log: 'recording.exported' },
  // A waveform is a picture of the sound: it takes the right to hear it.
  show: { decide: 'recording.play', log: 'recording.shown' },
} as const

export function createPlayer(parts: PlayParts): Player {
  const running = new Map<string, Running>()
  const now = () => (parts.now?.() ?? new Date()).getTime()
  const { onStreamFailure = () => undefined } = parts
  const events = createEventQueue({
    append: record => parts.log.append(record, {}),
    onFailure: onStreamFailure,
  })
  /** Of playbacks that are not over, also those whose time is and which an answer still goes out of. */
  const outcomes = new Set<PlaybackOutcome>()
  const watch = createStreamWatch(parts, token => {
    for (const key of [...running.keys()]) if (key.startsWith(`${token} `)) forget(key, 'cut')
  })

  /** By session, what is done when a playback that begins has begun, or failed to. */
  const beginning = new Map<string, Promise<void>>()

  function forget(key: string, how: PlaybackEnd): void {
    const playback = running.get(key)
    clearTimeout(playback?.timer)
    playback?.reading[Symbol.dispose]()
    running.delete(key)
    playback?.outcome.end(how)
  }

  function openOutcome(key: string, facts: PlaybackFacts): PlaybackOutcome {
    const outcome = createPlaybackOutcome(facts, {
      idleMs: parts.streams?.idleMs ?? idleMsDefault,
      now: () => new Date(now()),
      onIdle: () => (running.get(key)?.outcome === outcome ? forget(key, 'idle') : outcome.end('idle')),
      onOver: make => {
        outcomes.delete(outcome)
        events.add(make)
      },
    })
    outcomes.add(outcome)
    return outcome
  }

  /** A player asks for several ranges and the waveform at once: one of them begins, the others wait for it. */
  async function beginAlone<Result>(session: string, begin: () => Promise<Result>): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<void>()
    beginning.set(session, promise)
    try {
      return await begin()
    } finally {
      beginning.delete(session)
      resolve()
    }
  }

  /** The secret of the recording, where another playback of the session holds it. */
  function secretAtHand(session: string): RecordingSecret | null {
    for (const playback of running.values()) {
      const { recordingSecret } = playback.reading.opened
      if (playback.session === session && playback.until > now() && recordingSecret !== null)
        return recordingSecret
    }
    return null
  }

  function remember(key: string, playback: Omit<Running, 'timer'>): void {
    forget(key, 'ran_out')
    const timer = setTimeout(() => forget(key, 'ran_out'), playbackMs)
    timer.unref()
    running.set(key, { ...playback, timer })
    for (const [oldest, { until }] of running) {
      if (running.size <= playbacksMost && until > now()) break
      forget(oldest, 'ran_out')
    }
  }

  async function start(
    key: string,
    request: PlayRequest,
    actor: RequestFacts['actor'],
    recording: NonNullable<PlayFacts['recording']>,
    object: StoredObject | null,
    options: CallOptions,
  ): Promise<Omit<Running, 'timer'>> {
    const { tenantId } = actor
    const action = actions[request.purpose]
    const recordingId = recording.id
    const circumstances = { now: new Date(now()), purpose: request.purposeOfUse }
    const decision = parts.decide(actor, action.decide, resourceOf(tenantId, recording), circumstances)
    const secrets = await parts.secrets.get(tenantId, options)
    const version = object === null ? null : Buffer.from(object.fingerprint).toString('hex')
    const logged = { type: 'recording', id: recordingId, version }
    const patients = recording.patientId === null ? [] : [recording.patientId]
    const receipt = await appendAccess(
      { ...parts, secrets },
      { ...request, actor, patients },
      action.log,
      logged,
      decision,
      options,
    )
    if (!decision.allowed) throw refusalOf(decision)
    const facts: PlaybackFacts = {
      ...{ intent: receipt.event.eventId, tenantId, actor, recordingId, version, patients },
      ...{ purpose: request.purposeOfUse, request: request.request },
      sizeBytes: object?.plaintextBytes ?? 0,
      durationMs: object?.role === 'peaks' ? null : recording.durationMs,
    }
    const session = sessionOf(request, actor.tokenId)
    try {
      const keyed = { ...parts, event: receipt.event, recordingSecret: secretAtHand(session) }
      const reading = shareReading(await openArchived(keyed, tenantId, recordingId, object, options))
      const outcome = openOutcome(key, facts)
      return { session, receipt, reading, outcome, until: now() + playbackMs }
    } catch (error) {
      const at = new Date(now())
      events.add(() => failedRecord(facts, errorCode(error), at))
      throw error
    }
  }

  return {
    async open(request, options = {}) {
      const { tokenId } = request.bearer
      const probable = running.get(keyOf(request, tokenId, request.role))
      const ahead = probable === undefined ? null : fetchAhead(request, probable.reading, options)
      const { facts, object } = await findFacts(parts, request, options)
      const recording = facts.recording
      const { tenantId } = request.bearer
      const actor = actorOf({ tenantId, tokenId, ...facts })
      request.onActor?.(actor)
      if (recording === null) return refuseUnknown(parts, { ...request, actor }, options)
      const key = keyOf(request, tokenId, object?.role ?? null)
      const session = sessionOf(request, tokenId)
      const action = actions[request.purpose].decide
      const circumstances = { now: new Date(now()), purpose: request.purposeOfUse }
      const isAllowed = parts.decide(actor, action, resourceOf(tenantId, recording), circumstances).allowed
      const findCovering = () => {
        const earlier = running.get(key)
        return earlier !== undefined && earlier.until > now() && isAllowed ? earlier : null
      }
      let covering = findCovering()
      for (let others = beginning.get(session); others !== undefined; others = beginning.get(session)) {
        if (covering !== null) break
        await others
        covering = findCovering()
      }
      // What was read ahead is of the playback that covers, or of no use.
      const follow = () => watch.follow(request, action)
      if (covering !== null) {
        covering.outcome.touch()
        return playbackOf(covering, follow, probable === covering ? ahead : null)
      }
      forget(key, 'ran_out')
      return beginAlone(session, async () => {
        const fresh = await start(key, request, actor, recording, object, options)
        remember(key, fresh)
        return playbackOf(fresh, follow, null)
      })
    },
    recheck: watch.recheck,
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]()
      for (const key of [...running.keys()]) forget(key, 'stopped')
      for (const outcome of [...outcomes]) outcome.close('stopped')
      const lost = await events.flush(flushMs)
      if (lost > 0)
        onStreamFailure(new RangeError(`${lost} events of what was sent are lost: the log takes none`))
    },
  }
}

/** Throws `not_found`, `damaged`. */
async function openArchived(
  parts: Parameters<typeof openStored>[0],
  tenantId: TenantId,
  recordingId: RecordingId,
  object: StoredObject | null,
  options: CallOptions,
): Promise<OpenedObject> {
  if (object === null) throw new VaultError('not_found', 'This recording has no such object')
  const opened = await openStored(parts, tenantId, recordingId, object.role, object, options)
  if (Buffer.compare(opened.fingerprint, object.fingerprint) === 0) return opened
  opened[Symbol.dispose]()
  throw new VaultError('damaged', 'The stored object is not the one that was archived')
}

/** Who asks for what is not there, or is another tenant's, may be trying ids: that is in the log too. */
async function refuseUnknown(
  parts: PlayParts,
  request: PlayRequest & RequestFacts,
  options: CallOptions,
): Promise<never> {
  const secrets = await parts.secrets.get(request.actor.tenantId, options)
  const object = { type: 'recording', id: request.recordingId, version: null }
  const decision = { allowed: false, reasons: ['not_found'] }
  await appendAccess({ ...parts, secrets }, request, actions[request.purpose].log, object, decision, options)
  throw new VaultError('not_found', 'No such recording')
}

async function findFacts(parts: PlayParts, request: PlayRequest, options: CallOptions) {
  const { bearer, recordingId } = request
  const { tenantId, tokenId } = bearer
  const query = { tenantId, tokenId, recordingId, now: parts.now?.() ?? new Date() }
  const facts = await parts.catalog.findPlayFacts({ ...query, role: request.role }, options)
  // Before anything is given, also of a playback that runs: whoever knows a token's id does not hold the token.
  if (
    facts === null ||
    facts.userId !== bearer.userId ||
    !isSameSecret(facts.token.secretHash, bearer.secretHash)
  )
    throw new VaultError('unauthenticated', 'The token no longer holds')
  const fallback = facts.object === null && facts.recording !== null && request.role === 'playback'
  if (!fallback) return { facts, object: facts.object }
  const original = await parts.catalog.findPlayFacts({ ...query, role: 'original' }, options)
  return { facts, object: original?.object ?? null }
}

function resourceOf(tenantId: TenantId, recording: NonNullable<PlayFacts['recording']>) {
  const { id: recordingId, mailboxId, labels } = recording
  return { type: 'recording', tenantId, recordingId, mailboxId, labels } as const
}

/** One playback: this token, this object, this use and purpose, from this address. */
function keyOf(request: PlayRequest, tokenId: TokenId, role: ObjectRole | null): string {
  return [sessionOf(request, tokenId), role, request.purpose, request.purposeOfUse].join(' ')
}

function sessionOf({ recordingId, ip }: PlayRequest, tokenId: TokenId): string {
  return [tokenId, recordingId, ip].join(' ')
}

function fetchAhead(request: PlayRequest, reading: SharedReading, options: CallOptions): ReadAhead | null {
  return readAhead(reading, request.range?.(factsOf(reading)) ?? null, options)
}

function factsOf({ opened }: SharedReading) {
  const etag = `"${Buffer.from(opened.fingerprint).toString('base64url')}"`
  return { sizeBytes: opened.plaintextBytes, etag }
}

function playbackOf(
  { receipt, reading, outcome }: Omit<Running, 'timer'>,
  follow: () => Stream,
  ahead: ReadAhead | null,
): Playback {
  return {
    receipt,
    follow() {
      const [stream, answer] = [follow(), outcome.enter()]
      return {
        signal: stream.signal,
        advance: () => stream.advance(),
        sent: range => answer.sent(range),
        [Symbol.dispose]() {
          stream[Symbol.dispose]()
          answer.leave()
        },
      }
    },
    ...factsOf(reading),
    contentType: reading.opened.header.context.contentType,
    read: (range, options) => ahead?.take(range) ?? reading.read(range, options),
  }
}
