// Asks a provider for something: over TLS, for a bounded time, up to a bounded size, and where we meant to ask.
//
// Whatever keeps the provider from answering is `provider_unavailable`, so that an outage is never taken for an answer.
import { IdentityError } from '../error.ts'

/** What openid-client and jose ask with. */
export interface ProviderRequest extends Omit<RequestInit, 'body'> {
  readonly body?: RequestInit['body'] | undefined
}

export type ProviderFetch = (url: string, init: ProviderRequest) => Promise<Response>

export interface ProviderFetchOptions {
  readonly fetch?: ProviderFetch | undefined
  /** Until the last byte of the answer. Default 5,000, from 1. */
  readonly timeoutMs?: number | undefined
  /** Whether plain HTTP to this machine itself is allowed, for a provider that runs beside a test. Default false. */
  readonly allowInsecureLoopback?: boolean | undefined
}

const timeoutMsDefault = 5000
const maxAnswerBytes = 512 * 1024
const tooManyRequests = 429
const firstServerError = 500
const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** Throws `IdentityError`: `provider_unavailable`, or `bad_provider_answer` for an address or size that may not be. */
export function createProviderFetch(options: ProviderFetchOptions): ProviderFetch {
  const { fetch: send = askPlainly, timeoutMs = timeoutMsDefault, allowInsecureLoopback = false } = options
  return async (url, init) => {
    if (!isAllowedAddress(url, allowInsecureLoopback)) {
      throw new IdentityError(
        'bad_provider_answer',
        'The provider is to be asked at an address that is not https',
      )
    }
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout
    try {
      const response = await send(url, { ...init, redirect: 'manual', signal })
      if (response.status >= firstServerError || response.status === tooManyRequests) {
        await response.body?.cancel()
        throw unavailable(new Error(`it answered ${response.status}`))
      }
      return new Response(await bodyOf(response), { status: response.status, headers: response.headers })
    } catch (cause) {
      throw cause instanceof IdentityError ? cause : unavailable(cause)
    }
  }
}

const askPlainly: ProviderFetch = (url, { body, ...init }) => fetch(url, { ...init, body: body ?? null })

export function isAllowedAddress(url: string, allowInsecureLoopback: boolean): boolean {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.username !== '' || parsed.password !== '') return false
  if (parsed.protocol === 'https:') return true
  return allowInsecureLoopback && parsed.protocol === 'http:' && loopbackHosts.has(parsed.hostname)
}

export function unavailable(cause: unknown): IdentityError {
  return new IdentityError('provider_unavailable', 'The identity provider cannot be asked just now', {
    cause,
  })
}

async function bodyOf(response: Response): Promise<Buffer<ArrayBuffer> | null> {
  if (response.body === null) return null
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop early cancels the rest.
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > maxAnswerBytes) {
      throw new IdentityError('bad_provider_answer', 'The provider answers with more than anybody asked for')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
