// What the service adds to each request before a handler sees it.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { HttpIdentity } from '@auricle/identity'
import type { RequestFacts, SignInFacts } from '@auricle/vault'
import type { Request, Response } from 'express'

/** The request's id, and a signal that aborts when its client is gone. A service that stops lets requests end first. */
export interface Exchange {
  readonly id: string
  readonly signal: AbortSignal
}

const endListenersMost = 32

const exchanges = new WeakMap<IncomingMessage, Exchange>()

export function openExchange(request: Request, response: Response): Exchange {
  const gone = new AbortController()
  // Streams, receipts and this listen to its end; a pipeline alone takes several places.
  response.setMaxListeners(endListenersMost)
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new DOMException('the client went away', 'AbortError'))
  })
  const exchange: Exchange = { id: randomUUID(), signal: gone.signal }
  exchanges.set(request, exchange)
  response.set('X-Request-Id', exchange.id)
  return exchange
}

export function exchangeOf(request: IncomingMessage): Exchange {
  const exchange = exchanges.get(request)
  if (exchange === undefined) throw new TypeError('a request that no exchange was opened for')
  return exchange
}

/** The answer to a request; Express puts it there. */
export function responseOf(request: Request): Response {
  if (request.res === undefined) throw new TypeError('a request that no answer belongs to')
  return request.res
}

/** Where a request came from, as its audit event keeps it. */
export function originOf(request: Request): SignInFacts {
  return {
    request: exchangeOf(request).id,
    ip: request.ip ?? null,
    userAgent: request.get('User-Agent') ?? null,
  }
}

/** The request as a use case is told of it, by the person that the guard before it found. */
export function factsOf(identity: Pick<HttpIdentity<object>, 'actorOf'>, request: Request): RequestFacts {
  return { ...originOf(request), actor: identity.actorOf(request), purposeOfUse: null }
}

const connectionCodes: ReadonlySet<unknown> = new Set([
  'ABORT_ERR',
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/** Whether a failure says no more than that the client is gone. */
export function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.name === 'AbortError' || ('code' in error && connectionCodes.has(error.code))
}
