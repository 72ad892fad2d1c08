// Puts the API service together: who is let in and how, what answers, where it listens.
import type { Catalog } from '@auricle/catalog'
import { problems, type Session } from '@auricle/contract'
import {
  can,
  createHttpIdentity,
  createPasswords,
  credentialIdOf,
  type Decide,
  emergencyCodeHash,
  type HttpRequest,
  hashRecoveryCode,
  IdentityError,
  isFromOwnOrigin,
  loopbackOrigin,
  newEmergencyCode,
  newInvitation,
  newOpaqueToken,
  newRecoveryCodes,
  newTotp,
  nextLockout,
  parseInvitation,
  recoveryCodeHash,
  verifyTotp,
} from '@auricle/identity'
import { guardKeys, type KeyService, type OnKeyUse } from '@auricle/keys'
import type { Limits } from '@auricle/limits'
import type { ObjectStore } from '@auricle/objects'
import { connectors } from '@auricle/pbx'
import {
  type Config,
  createHealth,
  ingestUrl,
  type Listening,
  type Logger,
  listen,
  type Metrics,
} from '@auricle/runtime'
import {
  actorOf,
  authorizeSelf,
  createPlayer,
  createProviderClients,
  createTenantSecrets,
  type EventLog,
  type EventWriter,
  emergencySignIn,
  endSession,
  isDurable,
  isError,
  isSameSecret,
  type OnAlert,
  type ProofParts,
  refuseUnhealthyLog,
  type StreamTimes,
  signIn,
} from '@auricle/vault'
import express, { type Request, type Response } from 'express'
import { openAuthority } from './authority.ts'
import { verifyAnyToken } from './bearer.ts'
import { showBanner } from './break-glass-banner.ts'
import { createHandlers } from './handlers.ts'
import { openApiDocument } from './openapi.ts'
import { openPasskeys } from './passkeys.ts'
import { problemName, problemOf, retryAfterSeconds, sendProblem } from './problem.ts'
import { createProviderParts } from './provider-parts.ts'
import { createReceipts, receiptHeader } from './receipts.ts'
import { createRefusedTokens } from './refused-tokens.ts'
import { exchangeOf, factsOf, isOfConnection, openExchange, originOf, responseOf } from './request.ts'
import { apiRoutes } from './router.ts'
import { routes } from './routes-table.ts'
import { limitAddress, limitSignIn } from './sign-in-limits.ts'

export interface ApiParts {
  readonly config: Pick<Config, 'api' | 'ingest' | 'shutdownGraceMs' | 'witnesses' | 'reportStore' | 'mail'>
  readonly catalog: Catalog
  readonly log: EventLog
  /** Whose receipts go into answers. */
  readonly writer: Pick<EventWriter, 'onReceipt'>
  /** It reads objects and never makes or deletes one. */
  readonly objects: Pick<ObjectStore, 'read'>
  /** Where the keys of receipts are signed for. */
  readonly logStore: Pick<ObjectStore, 'list' | 'read'>
  /** Guarded before a use case gets it. */
  readonly keys: Pick<KeyService, 'ensure' | 'key' | 'signer'>
  readonly noteKeyUse: OnKeyUse
  readonly limits: Pick<Limits, 'take'>
  readonly logger: Logger
  readonly metrics: Metrics
  /** Default: `can`. */
  readonly decide?: Decide | undefined
  /** How often what is being sent is decided anew. */
  readonly streams?: StreamTimes
  /** Default: the system's clock. */
  readonly now?: () => Date
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
  const { config, catalog, log, limits, logger, metrics, decide = can, now = () => new Date() } = parts
  const keys = guardKeys(parts.keys, { isDurable, onUse: parts.noteKeyUse })
  const { verifyToken, issueToken } = await openAuthority({ catalog, keys }, { signal, now })
  const secrets = createTenantSecrets({ catalog, keys, log })
  const passwords = createPasswords()
  const onAlert: OnAlert = ({ id, kind }) => {
    logger.warn('Alert raised', { kind, alertId: id })
    metrics.countAlert(kind)
  }
  const onFinding: NonNullable<ProofParts['onFinding']> = ({ tenantId, id: eventId, finding: kind }) => {
    logger.error('An event of the log is not as it was sealed', { tenantId, eventId, kind })
  }
  const deciding = { catalog, log, secrets, decide, now }

  const onRefused = createRefusedTokens({ catalog, log, secrets, limits, logger, metrics, now })
  const ownOrigin = ownOriginOf(config.api.publicUrl)
  const signInParts = {
    ...{ verifyPassword: passwords.verifyPassword, verifyTotp, hashRecoveryCode },
    ...{ nextLockout, onAlert, issueToken, now },
  }

  // Nor may another site put a session of its own into this browser.
  const allowCookie = async (request: Request, isCookie: boolean) => {
    if (!isCookie || isFromOwnOrigin(request, ownOrigin(request))) return
    await onRefused({ reason: 'cross_origin', claims: null }, request)
    throw new IdentityError('cross_origin', 'Not allowed: cross_origin')
  }
  let port = config.api.port
  const passkeys = openPasskeys({ publicUrl: config.api.publicUrl, port: () => port, now })
  const factorParts = {
    ...{ catalog, log, secrets, decide, now, passkeys, credentialIdOf, nextLockout, onAlert, issueToken },
    ...{ verifyTotp, newTotp, newRecoveryCodes, recoveryCodeHash, parseInvitation, newOpaqueToken },
    verifyPassword: passwords.verifyPassword,
    hashPassword: passwords.hashPassword,
  }

  // Known at the latest when the first request arrives.
  let listeningUrl: string | null = null
  const outsideUrl = () => config.api.publicUrl ?? listeningUrl ?? ''
  const providerParts = createProviderParts(outsideUrl, now)
  const vault = { catalog, log, secrets, now, ...providerParts }
  const identity = createHttpIdentity<Session>({
    verifyToken: verifyAnyToken({ verifyToken, limits, vault }),
    ownOrigin,
    onRefused: (refusal, request) => onRefused(refusal, request as Request),
    signIn: async (credentials, request) => {
      const facts = originOf(request as Request)
      await allowCookie(request as Request, credentials.cookie === true)
      await limitSignIn(limits, credentials, facts.ip, exchangeOf(request))
      return signIn({ catalog, log, secrets, ...signInParts }, credentials, facts, {
        signal: exchangeOf(request).signal,
      })
    },
    findActor: async ({ tenantId, tokenId, userId, secretHash }, request) => {
      const found = await catalog.findBearer(tenantId, tokenId, now(), {
        signal: exchangeOf(request).signal,
      })
      if (found === null || found.user.id !== userId) return null
      if (!isSameSecret(found.token.secretHash, secretHash)) return null
      const actor = actorOf({ tenantId, userId: found.user.id, tokenId, ...found })
      showBanner(responseOf(request as Request), actor)
      return actor
    },
  })
  const player = createPlayer({
    ...parts,
    ...deciding,
    keys,
    onStreamFailure: error =>
      logger.warn('A stream could not be decided, or its end not be logged', { error }),
  })
  const handlers = createHandlers({
    identity,
    catalog,
    now,
    browse: deciding,
    people: { ...deciding, newInvitation, onAlert },
    roles: deciding,
    teams: deciding,
    cover: deciding,
    breakGlass: { ...deciding, onAlert },
    alerts: deciding,
    reviews: deciding,
    dispositions: deciding,
    certificates: { ...deciding, keys: parts.keys },
    holds: deciding,
    drift: deciding,
    evidence: { ...deciding, keys: parts.keys, witnesses: config.witnesses },
    emergencyCodes: {
      ...deciding,
      newCode: () => {
        const text = newEmergencyCode()
        return { text, hash: emergencyCodeHash(text) }
      },
    },
    emergencySignIn: async (credentials, request) => {
      const facts = originOf(request)
      await allowCookie(request, credentials.cookie === true)
      await limitSignIn(limits, credentials, facts.ip, exchangeOf(request))
      const emergency = { ...deciding, ...signInParts, hashCode: emergencyCodeHash, onAlert }
      return emergencySignIn(emergency, credentials, facts, exchangeOf(request))
    },
    connectors: { ...deciding, keys, kinds: connectors, ingestUrl: ingestUrl(config) },
    serviceAccounts: { ...deciding, newToken: id => newOpaqueToken('service', id) },
    tenant: deciding,
    log: { ...deciding, onFinding, stopping: signal },
    outsideUrl,
    logStore: parts.logStore,
    disclosures: { ...deciding, onFinding },
    retentionReports: deciding,
    reportSchedules: {
      ...deciding,
      reportsGo: { toStore: config.reportStore !== null, byMail: config.mail !== null },
    },
    retention: deciding,
    retentionFacts: { ...deciding, onFinding },
    retentionDecisions: deciding,
    player,
    ownSessions: { catalog, log, secrets, verifyTotp, nextLockout, onAlert, now },
    passkeySessions: factorParts,
    ownFactors: factorParts,
    ownTokens: factorParts,
    invitations: factorParts,
    signInGuards: {
      limit: (request, who) => {
        const { ip } = originOf(request)
        if (who === null) return limitAddress(limits, ip, exchangeOf(request))
        return limitSignIn(limits, who, ip, exchangeOf(request))
      },
      allowCookie,
    },
    endSession: (facts, options) => endSession({ catalog, secrets, now }, facts, options),
    limits,
    atProvider: { ...vault, issueToken, providers: createProviderClients(vault) },
    manageProviders: { ...vault, decide, onAlert },
    manageIssuers: { ...vault, decide },
    audioBytes: bytes => metrics.countAudioBytes('out', bytes),
    document: openApiDocument({ version: '1', serverUrl: config.api.publicUrl ?? '/' }),
  })
  await using opening = new AsyncDisposableStack()
  const receipts = opening.use(createReceipts(parts.writer))
  const app = express()
  app.disable('x-powered-by').set('etag', false).set('trust proxy', 'loopback').set('query parser', 'simple')
  app.use((request: Request, response: Response, next) => {
    const { id } = openExchange(request, response)
    receipts.track(id, response)
    response.set(headersOfAll)
    observe(parts, request, response)
    next()
  })
  app.use(
    createHealth({
      checks: {
        database: options => catalog.check(options),
        log: options => refuseUnhealthyLog({ log, catalog }, options),
      },
      metrics,
    }),
  )
  app.use(
    apiRoutes({
      routes,
      handlers,
      identity,
      decideSelf: action => async (request, _response, next) => {
        await authorizeSelf(deciding, factsOf(identity, request), action, exchangeOf(request))
        next()
      },
      parseBody: express.json({ limit: jsonMaxBytes, strict: true }),
    }),
  )
  app.use((request: Request, response: Response) => {
    sendProblem(response, { ...problems.notFound, instance: exchangeOf(request).id })
  })
  app.use(async (error: unknown, request: Request, response: Response, _next: unknown) => {
    const { id, signal: gone } = exchangeOf(request)
    // The player looks a token up by itself, behind the guard that would have told of it.
    if (isError(error, 'VaultError', 'unauthenticated')) {
      await onRefused({ reason: 'not_held', claims: identity.claimsOf(request) }, request)
    }
    // Also of an answer that was cut off: what could not be verified must not look like a listener who left.
    const isOurs = problemName(error) === 'internal' && !(gone.aborted && isOfConnection(error))
    if (isOurs) logger.error('A request failed', { requestId: id, error })
    if (gone.aborted) return response.destroy()
    // Whether there was an event to give one for may say whether there is such a person.
    if (!identity.isProven(request)) response.removeHeader(receiptHeader)
    const waitSeconds = retryAfterSeconds(error, now())
    if (waitSeconds !== null) response.set('Retry-After', String(waitSeconds))
    return sendProblem(response, problemOf(error, id))
  })

  opening.use(player)
  const { host } = config.api
  const listening = opening.use(await listen(app, { host, port, graceMs: config.shutdownGraceMs, signal }))
  listeningUrl = listening.url
  port = listening.port
  const opened = opening.move()
  return {
    host,
    port: listening.port,
    url: listening.url,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** The public address where there is one; on this machine also the address that the browser used. */
function ownOriginOf(publicUrl: string | null): (request: HttpRequest) => string | null {
  if (publicUrl === null) return loopbackOrigin
  const { origin } = new URL(publicUrl)
  return () => origin
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
