// An emulated Cloud Storage: the JSON API over HTTP, with its rules, its refusals and whatever faults are asked for.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { bearerToken, type Callers, createIdentities, type Identity, type Uses } from '../callers.ts'
import { createClock } from '../clock.ts'
import { createFaultScript, type Fault, type FaultScript } from '../faults.ts'
import { type BucketSettings, createBucket } from './bucket.ts'
import { type Answer, type Call, resourceName, type Service } from './call.ts'
import { corruptBytes, corruptChecksum } from './corrupt.ts'
import { keepFields, parseFields } from './fields.ts'
import { forbidden, injectedStatus, Refusal, tooManyRequests, unauthorized } from './refusal.ts'
import { type Body, readBody } from './request-body.ts'
import { type Route, route } from './routes.ts'
import { send } from './send.ts'
import { createSessions } from './session.ts'
import { purge } from './shelf.ts'
import { createState, type GcsState } from './state.ts'

export interface GcsEmulatorOptions {
  /** Milliseconds since 1970. Default: the system's. */
  readonly clock?: (() => number) | undefined
  /** Default: null, anybody may do everything. */
  readonly callers?: Callers | undefined
  /** For faults that have a probability. */
  readonly seed?: number | undefined
  /** Whether a second write to an object within a second is refused with 429. Default: no. */
  readonly oneWritePerSecond?: boolean | undefined
  /** How many objects a page of a list has at most. Default: 1,000, as the service. */
  readonly pageObjectsMost?: number | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
}

export interface GcsEmulator extends AsyncDisposable {
  /** For `apiEndpoint`. */
  readonly url: string
  /** Settings as in the API, besides `objectRetention: true`. */
  createBucket(name: string, settings?: BucketSettings): void
  readonly faults: FaultScript
  readonly state: GcsState
  /** How many there were of each operation. */
  readonly requests: Readonly<Record<string, number>>
  /** Which permissions were needed, and by whom. */
  readonly uses: Uses
  advance(ms: number): void
}

const socketBufferBytes = 1_048_576
const microsecondsPerMs = 1_000
const throttleMs = 1_000
const servicePageObjects = 1_000

export async function startGcsEmulator(options: GcsEmulatorOptions = {}): Promise<GcsEmulator> {
  const { callers = null, seed = 1, port = 0 } = options
  const clock = createClock(options.clock)
  const faults = createFaultScript({ seed })
  const identities = createIdentities(callers)
  const requests = new Map<string, number>()
  const service = createService(clock.now, options)

  const answer = async (incoming: Incoming): Promise<void> => {
    const { request, response, body, route: found, url } = incoming
    const { operation, bucketName, objectName } = found
    requests.set(operation, (requests.get(operation) ?? 0) + 1)
    const token = bearerToken(request.headers.authorization)
    const hasBody =
      request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0
    const possible = (fault: Fault) => isPossible(fault, found, { token, hasBody })
    const fault = faults.take({ operation, resource: `${bucketName}/${objectName}` }, possible)
    if (fault?.type === 'slow') await sleep(fault.ms)
    // For somebody who went away meanwhile nothing is done: what is done and not told is another fault.
    if (response.destroyed) return
    if (fault?.type === 'status') throw injectedStatus(fault.status ?? 503, fault.retryAfterSeconds)
    if (fault?.type === 'expired-token' && token !== null) identities.expire(token)

    const identity = identities.identify(token)
    const isKnown = identity !== null || (found.isSession && token === null)
    if (!isKnown) throw unauthorized(request.headers.authorization !== undefined)
    for (const bucket of service.buckets.values()) purge(bucket, service.now())

    const isCut = fault?.type === 'cut' && fault.side !== 'request'
    let answered: Answer
    try {
      answered = await found.run(makeCall({ incoming, identity, fault, service }))
    } catch (error) {
      // A refusal gets lost on its way like any other answer.
      if (isCut || fault?.type === 'lost-acknowledgement') response.destroy()
      throw error
    }
    await body.drain()
    if (fault?.type === 'lost-acknowledgement') {
      response.destroy()
      return
    }
    const told = fault?.type === 'corrupt' && fault.what === 'checksum' ? corruptChecksum(answered) : answered
    const spoils = fault?.type === 'corrupt' && fault.what === 'bytes'
    const pieces = told.body?.type === 'bytes' ? told.body.pieces : null
    const cutAfterBytes = isCut ? fault.afterBytes : null
    await send(
      response,
      masked(told, url),
      cutAfterBytes,
      spoils && pieces !== null ? corruptBytes(pieces) : pieces,
    )
  }

  const server = createServer({ highWaterMark: socketBufferBytes }, async (request, response) => {
    const body = readBody(request)
    try {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const asked = { method: request.method ?? '', url, contentRange: request.headers['content-range'] }
      await answer({ request, response, body, url, route: route(asked) })
    } catch (error) {
      // What was sent is read to its end first, or the client would see a broken connection instead of the refusal.
      await body.drain()
      if (response.destroyed || response.headersSent) response.destroy()
      else refuse(request, response, error)
    }
  })
  // Clients keep connections; a server that closes them just then looks like a fault that nobody asked for.
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const { port: actualPort } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${actualPort}`,
    createBucket(name, { objectRetention, ...settings } = {}) {
      const made = { objectRetention: objectRetention === true, now: service.now() }
      service.buckets.set(name, createBucket(name, settings, made))
    },
    faults,
    state: createState(service),
    get requests() {
      return Object.fromEntries(requests)
    },
    uses: identities.uses,
    advance: clock.advance,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Incoming {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Body
  readonly url: URL
  readonly route: Route
}

function createService(
  now: () => number,
  { oneWritePerSecond = false, pageObjectsMost = servicePageObjects }: GcsEmulatorOptions,
): Service {
  const writtenAt = new Map<string, number>()
  let last = 0
  return {
    buckets: new Map(),
    sessions: createSessions(now),
    pageObjectsMost,
    now,
    nextGeneration() {
      last = Math.max(last + 1, now() * microsecondsPerMs)
      return String(last)
    },
    throttle(bucket, name) {
      if (!oneWritePerSecond) return
      const where = `${bucket.name}/${name}`
      const before = writtenAt.get(where)
      if (before !== undefined && now() - before < throttleMs) {
        throw tooManyRequests(
          `The object ${where} exceeded the rate limit for object mutation operations (create, update, and delete).`,
        )
      }
      writtenAt.set(where, now())
    },
  }
}

function isPossible(
  fault: Fault,
  { carries }: Route,
  { token, hasBody }: { readonly token: string | null; readonly hasBody: boolean },
): boolean {
  if (fault.type === 'cut' && fault.side === 'request') return hasBody
  if (fault.type === 'expired-token') return token !== null
  if (fault.type !== 'corrupt') return true
  return fault.what === 'checksum' ? carries.checksum : carries.upload || carries.download
}

function makeCall(given: {
  readonly incoming: Incoming
  readonly identity: Identity | null
  readonly fault: Fault | null
  readonly service: Service
}): Call {
  const { incoming, identity, fault, service } = given
  const { request, response, body, route: found, url } = incoming
  const spoils = fault?.type === 'corrupt' && fault.what === 'bytes'
  const cuts = fault?.type === 'cut' && fault.side === 'request'
  const own = resourceName(found.bucketName, found.objectName)
  return {
    bucketName: found.bucketName,
    objectName: found.objectName,
    query: url.searchParams,
    headers: request.headers,
    body: cuts ? cutBody(body, response, fault.afterBytes) : body,
    origin: `http://${request.headers.host ?? 'localhost'}`,
    service,
    may: (permission, resource = own) => identity?.may(permission, resource) ?? false,
    use: (permission, resource = own) => identity?.use(permission, resource) ?? false,
    forbid: permission => forbidden(identity?.name ?? 'Anonymous caller', permission),
    received: bytes => (spoils ? corruptBytes(bytes) : bytes),
  }
}

/** At the latest when the body is whole, and before anything comes of it. */
async function* cutBody(body: Body, response: ServerResponse, afterBytes: number): AsyncGenerator<Buffer> {
  let left = afterBytes
  for await (const piece of body) {
    const part = piece.subarray(0, left)
    left -= part.length
    yield part
    if (left === 0) break
  }
  response.destroy()
  throw new Error('The connection was cut')
}

function masked(answer: Answer, url: URL): Answer {
  const fields = url.searchParams.get('fields')
  if (fields === null || fields === '' || answer.body?.type !== 'json') return answer
  return { ...answer, body: { type: 'json', value: keepFields(answer.body.value, parseFields(fields)) } }
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const refusal =
    error instanceof Refusal
      ? error
      : new Refusal(
          500,
          'internalError',
          `The emulator failed: ${error instanceof Error ? error.stack : error}`,
        )
  const { status, headers } = refusal
  const isMedia = request.method === 'GET' && (request.url ?? '').includes('alt=media')
  if (status === 304) response.writeHead(status).end()
  else if (isMedia) {
    response
      .writeHead(status, { ...headers, 'content-type': 'text/html; charset=UTF-8' })
      .end(refusal.message)
  } else {
    response
      .writeHead(status, { ...headers, 'content-type': 'application/json; charset=UTF-8' })
      .end(JSON.stringify(refusal.body))
  }
}
