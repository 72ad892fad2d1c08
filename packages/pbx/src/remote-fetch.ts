// Fetches the audio that a delivery names by URL, as if the URL came from an attacker.
//
// Each hop: check the URL -> resolve its host once -> check every address -> connect to a checked address -> check
// the socket's peer again -> ask. Nothing of the answer is used before its status and headers are fine.
import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector, Client, type Dispatcher } from 'undici'
import { PbxError } from './error.ts'
import { isReachable, type Network } from './remote-address.ts'
import { type AllowedHost, resolveTarget, type Target } from './remote-target.ts'

/** Every address of a host name, as text. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

export interface FetchLimits {
  /** To a connected socket, TLS included, name resolution not. Default 5 000. */
  readonly connectTimeoutMs: number
  /** From the request to the end of the answer's headers. Default 15 000. */
  readonly headersTimeoutMs: number
  /** Between two pieces of the body. Default 30 000. */
  readonly idleTimeoutMs: number
  /** For everything, redirects and body included. Default 900 000. */
  readonly totalTimeoutMs: number
}

export interface FetcherOptions {
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined
  readonly limits?: Partial<FetchLimits> | undefined
  /** Certificates to trust instead of Node's own list, in PEM; for a PBX with a private authority. */
  readonly ca?: string | undefined
}

export interface FetchRequest {
  readonly url: string
  readonly allowedHosts: readonly AllowedHost[]
  /** Inclusive. */
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface FetchedAudio {
  /**
   * The body, once. Ends normally only after all of it has arrived. Throws `fetch_failed` (transient) where it is cut
   * off or stops, `too_large` beyond `maxBytes`, `empty_body` (transient: it may still be written) where it is empty.
   * The connection is closed when it ends, is abandoned, or the total time is over.
   */
  readonly audio: AsyncIterable<Uint8Array>
  readonly contentType: string | null
  readonly contentLength: number | null
}

export interface Fetcher {
  /**
   * Throws `fetch_refused` where the rules forbid it, `fetch_failed` where the host does not deliver (its `transient`
   * says whether to try again), `too_large`, or the signal's reason.
   */
  fetchAudio(request: FetchRequest): Promise<FetchedAudio>
}

const defaultLimits: FetchLimits = {
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 15_000,
  idleTimeoutMs: 30_000,
  totalTimeoutMs: 900_000,
}
const maxRedirects = 3
const maxAnswerHeaderBytes = 16 * 1024
const redirectStatuses = new Set([301, 302, 303, 307, 308])
/** Not there yet, busy, or out of order: worth another attempt. */
const transientStatuses = new Set([404, 408, 409, 425, 429])
const firstServerErrorStatus = 500

const failed = (message: string, transient: boolean, cause?: unknown) =>
  new PbxError('fetch_failed', message, { transient, cause })

export function createFetcher(options: FetcherOptions = {}): Fetcher {
  const limits = { ...defaultLimits, ...options.limits }
  const resolve = options.resolve ?? resolveBySystem
  return {
    async fetchAudio({ url, allowedHosts, maxBytes, signal }) {
      const deadline = AbortSignal.timeout(limits.totalTimeoutMs)
      const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
      const explain = (error: unknown) => {
        if (signal?.aborted === true) return signal.reason
        if (error instanceof PbxError) return error
        if (deadline.aborted) return failed('The audio did not arrive within the time allowed.', true, error)
        return failed('The host of the audio could not be reached, or broke off.', true, error)
      }
      let target = resolveTarget(url, allowedHosts, null)
      for (let redirects = 0; ; redirects += 1) {
        const client = await connectable(target, resolve, limits, options.ca, stop).catch(error => {
          throw explain(error)
        })
        try {
          const answer = await ask(client, target.url, stop)
          const location = answer.headers['location']
          if (redirectStatuses.has(answer.statusCode) && typeof location === 'string') {
            if (redirects === maxRedirects) throw failed('The host of the audio redirects too often.', false)
            target = resolveTarget(location, allowedHosts, target.url)
            await client.destroy()
            continue
          }
          return acceptAnswer(client, answer, maxBytes, explain)
        } catch (error) {
          await client.destroy()
          throw explain(error)
        }
      }
    },
  }
}

async function resolveBySystem(hostname: string): Promise<string[]> {
  const found = await lookup(hostname, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

/** A client that can connect to nowhere but the addresses checked here. */
async function connectable(
  { url, network }: Target,
  resolve: Resolve,
  limits: FetchLimits,
  ca: string | undefined,
  stop: AbortSignal,
): Promise<Client> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(hostname) === 0 ? await unlessStopped(resolve(hostname), stop) : [hostname]
  if (addresses.length === 0) throw failed('The host of the audio has no address.', true)
  for (const address of addresses) refuseUnlessReachable(address, network)

  const connect = buildConnector({
    timeout: limits.connectTimeoutMs,
    allowH2: false,
    maxCachedSessions: 0,
    lookup: pinnedLookup(addresses),
    ...(ca === undefined ? {} : { ca }),
  })
  return new Client(url.origin, {
    pipelining: 1,
    allowH2: false,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.idleTimeoutMs,
    maxHeaderSize: maxAnswerHeaderBytes,
    connect(target, callback) {
      connect(target, (error, socket) => {
        if (error !== null) return callback(error, null)
        try {
          // What counts is whom we are connected to, whatever happened between the look-up and here.
          refuseUnlessReachable(socket.remoteAddress ?? '', network)
        } catch (refusal) {
          socket.destroy()
          return callback(refusal instanceof Error ? refusal : new TypeError('unexpected'), null)
        }
        return callback(null, socket)
      })
    },
  })
}

function refuseUnlessReachable(address: string, network: Network | null): void {
  if (isReachable(address, network)) return
  throw new PbxError(
    'fetch_refused',
    'The host of the audio has an address that this connector may not reach.',
  )
}

/** Answers every look-up with the addresses that were checked. */
function pinnedLookup(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map(address => ({ address, family: isIP(address) }))
  return (_hostname, { all }, callback) => {
    const [first] = entries
    if (all === true || first === undefined) callback(null, entries)
    else callback(null, first.address, first.family)
  }
}

function ask(client: Client, url: URL, stop: AbortSignal): Promise<Dispatcher.ResponseData> {
  return client.request({
    method: 'GET',
    path: url.pathname + url.search,
    headers: { accept: 'audio/*, application/octet-stream;q=0.9', 'accept-encoding': 'identity' },
    signal: stop,
  })
}

function acceptAnswer(
  client: Client,
  { statusCode, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
  explain: (error: unknown) => unknown,
): FetchedAudio {
  if (statusCode !== 200) {
    const transient = transientStatuses.has(statusCode) || statusCode >= firstServerErrorStatus
    throw failed(`The host of the audio answered ${statusCode}.`, transient)
  }
  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding !== 'identity')
    throw failed('The host of the audio sent it compressed although asked not to.', false)
  const contentLength = headers['content-length'] === undefined ? null : Number(headers['content-length'])
  if (contentLength !== null && contentLength > maxBytes) throw tooLarge()
  const contentType = headers['content-type']
  return {
    audio: readAnswer(client, body, maxBytes, explain),
    contentType: typeof contentType === 'string' ? contentType : null,
    contentLength,
  }
}

const tooLarge = () => new PbxError('too_large', 'The audio is larger than this connector accepts.')

async function* readAnswer(
  client: Client,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength
      if (bytes > maxBytes) throw tooLarge()
      yield chunk
    }
    if (bytes === 0) {
      throw new PbxError('empty_body', 'The host of the audio sent nothing.', { transient: true })
    }
  } catch (error) {
    throw explain(error)
  } finally {
    await client.destroy()
  }
}

/** Name resolution cannot be cancelled; stop waiting for it. */
async function unlessStopped<Value>(work: Promise<Value>, stop: AbortSignal): Promise<Value> {
  stop.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(stop.reason)
  stop.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    stop.removeEventListener('abort', onAbort)
  }
}
