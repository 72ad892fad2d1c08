// Puts the API service together: who is let in and how, what answers, where it listens.
import type { Catalog } from '@auricle/catalog'
import { problems, type Session } from '@auricle/contract'
import { can, createHttpIdentity, createPasswords, newInvitation, verifyTotp } from '@auricle/identity'
import type { KeyService } from '@auricle/keys'
import type { Limits } from '@auricle/limits'
import type { ObjectStore } from '@auricle/objects'
import {
  type Config,
  createHealth,
  type Listening,
  type Logger,
  listen,
  type Metrics,
} from '@auricle/runtime'
import { actorOf, createPlayer, createTenantSecrets, endSession, refusalOf, signIn } from '@auricle/vault'
import express, { type Request, type Response } from 'express'
import { openAuthority } from './authority.ts'
import { createHandlers } from './handlers.ts'
import { openApiDocument } from './openapi.ts'
import { problemName, problemOf, retryAfterSeconds, sendProblem } from './problem.ts'
import { exchangeOf, isOfConnection, openExchange, originOf } from './request.ts'
import { apiRoutes } from './router.ts'
import { routes } from './routes-table.ts'
import { limitSignIn } from './sign-in-limits.ts'

export interface ApiParts {
  readonly config: Pick<Config, 'api' | 'shutdownGraceMs'>
  readonly catalog: Catalog
  /** It reads objects and never makes or deletes one. */
  readonly objects: Pick<ObjectStore, 'read'>
  readonly keys: Pick<KeyService, 'ensure' | 'key'>
  readonly limits: Pick<Limits, 'take'>
  readonly logger: Logger
  readonly metrics: Metrics
}

const jsonMaxBytes = 16 * 1024

/** Answers are about patients: no cache keeps them, and no browser takes one for a page or a script. */
const headersOfAll = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const

export async function startApi(
  parts: ApiParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<Listening> {
  const { config, catalog, keys, limits, logger, metrics } = parts
  const { verifyToken, issueToken } = await openAuthority({ catalog, keys }, { signal })
  const secrets = createTenantSecrets(catalog, keys)
  const passwords = createPasswords()

  const identity = createHttpIdentity<Session>({
    verifyToken,
    signIn: async (credentials, request) => {
      const facts = originOf(request as Request)
      await limitSignIn(limits, credentials, facts.ip, exchangeOf(request))
      const vault = { catalog, secrets, verifyPassword: passwords.verifyPassword, verifyTotp, issueToken }
      return signIn(vault, credentials, facts, { signal: exchangeOf(request).signal })
    },
    findActor: async ({ tenantId, tokenId }, request) => {
      const found = await catalog.findBearer(tenantId, tokenId, new Date(), {
        signal: exchangeOf(request).signal,
      })
      if (found === null) return null
      return actorOf({ tenantId, userId: found.user.id, tokenId, ...found })
    },
  })
  const player = createPlayer({ ...parts, secrets, decide: can })
  const deciding = { catalog, secrets, decide: can }
  const handlers = createHandlers({
    identity,
    catalog,
    browse: deciding,
    people: { ...deciding, newInvitation },
    roles: deciding,
    teams: deciding,
    player,
    endSession: (facts, options) => endSession({ catalog, secrets }, facts, options),
    audioBytes: bytes => metrics.countAudioBytes('out', bytes),
    document: openApiDocument({ version: '1', serverUrl: config.api.publicUrl ?? '/' }),
  })
  const app = express()
  app.disable('x-powered-by').set('etag', false).set('trust proxy', 'loopback').set('query parser', 'simple')
  app.use((request: Request, response: Response, next) => {
    openExchange(request, response)
    response.set(headersOfAll)
    observe(parts, request, response)
    next()
  })
  app.use(createHealth({ checks: { database: options => catalog.check(options) }, metrics }))
  app.use(
    apiRoutes({
      routes,
      handlers,
      identity,
      decideSelf: action => (request, _response, next) => {
        const actor = identity.actorOf(request)
        const tenant = { type: 'tenant', tenantId: actor.tenantId } as const
        const decision = can(actor, action, tenant, { now: new Date(), purpose: null })
        next(decision.allowed ? undefined : refusalOf(decision))
      },
      parseBody: express.json({ limit: jsonMaxBytes, strict: true }),
    }),
  )
  app.use((request: Request, response: Response) => {
    sendProblem(response, { ...problems.notFound, instance: exchangeOf(request).id })
  })
  app.use((error: unknown, request: Request, response: Response, _next: unknown) => {
    const { id, signal: gone } = exchangeOf(request)
    // Also of an answer that was cut off: what could not be verified must not look like a listener who left.
    const isOurs = problemName(error) === 'internal' && !(gone.aborted && isOfConnection(error))
    if (isOurs) logger.error('A request failed', { requestId: id, error })
    if (gone.aborted) return response.destroy()
    const waitSeconds = retryAfterSeconds(error)
    if (waitSeconds !== null) response.set('Retry-After', String(waitSeconds))
    return sendProblem(response, problemOf(error, id))
  })

  await using opening = new AsyncDisposableStack()
  opening.use(player)
  const { host, port } = config.api
  const listening = opening.use(await listen(app, { host, port, graceMs: config.shutdownGraceMs, signal }))
  const opened = opening.move()
  return {
    host,
    port: listening.port,
    url: listening.url,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Logs and counts a request when it is over, by its route's pattern: a path may name a recording, a query a number. */
function observe({ logger, metrics }: ApiParts, request: Request, response: Response): void {
  const startedMs = performance.now()
  response.on('close', () => {
    const { method } = request
    const route: string = request.route?.path ?? '/'
    const status = response.statusCode
    const durationMs = performance.now() - startedMs
    metrics.observeRequest({ service: 'api', method, route, status, durationMs })
    const outcome = response.writableFinished ? 'sent' : 'cut'
    const fields = {
      requestId: exchangeOf(request).id,
      method,
      route,
      status,
      outcome,
      durationMs: Math.round(durationMs),
    }
    logger.debug('Request', fields)
  })
}
