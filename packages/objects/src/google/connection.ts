// Requests to Cloud Storage's JSON API, each with a deadline, an abort that closes its socket, and retries that are
// bounded and wait as long as the service asks.
//
// They go through the client's authenticated transport, as its own resumable uploads do, and not through its `File`:
// docs/decisions/0008-requests-of-our-own-to-cloud-storage.md says what that would do to a vault.
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Storage, type StorageOptions } from '@google-cloud/storage'
import { ApiFailure, meaningOf } from './api-failure.ts'
import { createDeadline } from './deadline.ts'
import { readFailure, unanswered } from './read-failure.ts'

export type GoogleAuthClient = NonNullable<StorageOptions['authClient']>

export interface ConnectionSettings {
  /** Such as `https://storage.me-central2.rep.googleapis.com`. Null: the one for everywhere. */
  readonly endpoint: string | null
  /** Null: Application Default Credentials. */
  readonly authClient: GoogleAuthClient | null
  /** How often a request is tried at most, the first time included. */
  readonly triesMost: number
  /** How long one try may take until it is answered, and how long a read may wait for its next bytes. */
  readonly tryTimeoutMs: number
  /** After how long no further try begins. */
  readonly totalTimeoutMs: number
  /** The wait before the second try; doubled before each one after it. */
  readonly firstDelayMs: number
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the endpoint, or an address that the service gave. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[]
}

export interface ApiAnswer<Body> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export interface SendOptions {
  readonly signal: AbortSignal | undefined
  /** Told before a try that follows one whose outcome nobody knows. */
  readonly onUncertain?: () => void
}

export interface Connection {
  readonly settings: ConnectionSettings
  /** Until it is answered otherwise than "try again", within the bounds. Throws `ApiFailure`. */
  send(request: ApiRequest, options: SendOptions): Promise<ApiAnswer<unknown>>
  /** One try. */
  sendOnce(request: ApiRequest, options: SendOptions): Promise<ApiAnswer<unknown>>
  /** One try, whose answer is still to be read, or destroyed. The signal ends that too. */
  open(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer<Readable>>
  /** Resolves when the next try may begin; throws the failure when there may be none. */
  pause(failure: unknown, tries: Tries, options: SendOptions): Promise<void>
}

export interface Tries {
  count: number
  readonly since: number
}

export const firstTry = (): Tries => ({ count: 1, since: performance.now() })

const delayMostMs = 32_000
const unauthorized = 401
/** For one request. */
const renewalsMost = 2
const tooManyRequests = 429
/** An upload that goes on is answered with it (and no `location`). */
const resumeIncomplete = 308

export function createConnection(settings: ConnectionSettings): Connection {
  const { endpoint, authClient, triesMost, tryTimeoutMs, totalTimeoutMs, firstDelayMs } = settings
  const storage = new Storage({
    useAuthWithCustomEndpoint: true,
    // Of no use for one bucket; left open, the client would run `gcloud` to find one.
    projectId: 'none',
    ...(endpoint === null ? {} : { apiEndpoint: endpoint }),
    ...(authClient === null ? {} : { authClient }),
  })
  let renewing: Promise<boolean> | null = null
  let renewals = 0

  const attempt = async <Body>(
    request: ApiRequest,
    responseType: 'json' | 'stream',
    signal: AbortSignal,
  ): Promise<ApiAnswer<Body>> => {
    const url = new URL(request.path, storage.apiEndpoint)
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value)
    const body = request.body === undefined ? null : bodyOf(request.body)
    const response = await storage.authClient
      .request<Body>({
        method: request.method,
        url,
        headers: { ...request.headers, ...(body === null ? {} : { 'content-length': String(body.bytes) }) },
        ...(body === null ? {} : { data: body.stream }),
        responseType,
        signal,
        // Our credentials follow nobody elsewhere.
        redirect: 'manual',
        validateStatus: () => true,
        // Of node-fetch, which the transport uses: bytes as they were stored.
        ...{ compress: false },
      })
      .catch((error: unknown) => {
        throw unanswered(error)
      })
    const { status, headers } = response
    if (response.ok || status === resumeIncomplete) return { status, headers, body: response.data }
    throw await readFailure(status, headers, response.data)
  }

  /** Whether there is another token now. A token that was given as it is cannot be renewed. */
  const renewToken = (): Promise<boolean> => {
    renewing ??= (async () => {
      try {
        const client = await storage.authClient.getClient()
        if (!('refreshAccessToken' in client)) return false
        await client.refreshAccessToken()
        renewals++
        return true
      } catch {
        return false
      } finally {
        renewing = null
      }
    })()
    return renewing
  }

  const withToken = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let count = 0; ; count++) {
      const before = renewals
      try {
        return await call()
      } catch (error) {
        // The clock says that it is still good, the service says that it is not: of a new token too, if at once again.
        if (!(error instanceof ApiFailure) || error.status !== unauthorized) throw error
        if (count === renewalsMost || (renewals === before && !(await renewToken()))) throw error
      }
    }
  }

  const sendOnce: Connection['sendOnce'] = async (request, { signal }) => {
    signal?.throwIfAborted()
    using deadline = createDeadline(tryTimeoutMs, signal)
    try {
      return await deadline.during(withToken(() => attempt<unknown>(request, 'json', deadline.signal)))
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  }

  const pause: Connection['pause'] = async (failure, tries, { signal, onUncertain }) => {
    signal?.throwIfAborted()
    if (meaningOf(failure) !== 'again' || tries.count >= triesMost || !(failure instanceof ApiFailure)) {
      throw failure
    }
    const doubled = Math.min(firstDelayMs * 2 ** (tries.count - 1), delayMostMs)
    // Anywhere in the upper half, so that those who failed together do not come back together.
    const delayMs = Math.max((doubled * (1 + Math.random())) / 2, failure.retryAfterMs ?? 0)
    if (performance.now() - tries.since + delayMs > totalTimeoutMs) throw failure
    // An answer of the service's own may come from in front of what does the work, which then has done it or not; but
    // what is refused for coming too often was not begun.
    if (failure.status !== tooManyRequests) onUncertain?.()
    tries.count++
    await sleep(delayMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }

  return {
    settings,
    sendOnce,
    pause,
    async send(request, options) {
      const tries = firstTry()
      for (;;) {
        try {
          return await sendOnce(request, options)
        } catch (error) {
          await pause(error, tries, options)
        }
      }
    },
    open: (request, signal) => withToken(() => attempt<Readable>(request, 'stream', signal)),
  }
}

/** Always a stream, so that pieces are not copied; made for each try, as a stream can be sent but once. */
function bodyOf(pieces: readonly Uint8Array[]): { readonly stream: Readable; readonly bytes: number } {
  let bytes = 0
  for (const piece of pieces) bytes += piece.length
  const stream = Readable.from(pieces, { objectMode: true })
  // Where a request is given up, node-fetch destroys its body with an error, also when nobody reads it any more. Of a
  // body that is text it would make a stream whose error nobody could hear, and the process would end.
  stream.on('error', () => undefined)
  return { stream, bytes }
}
