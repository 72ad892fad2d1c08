// A real OpenID provider on the loopback: people sign in on its pages, and a test turns its keys, its speed and its power.
import {
  createPrivateKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Configuration, type JWK, Provider } from 'oidc-provider'
import { findFreePort } from './harness/free-port.ts'
import { logoutPage, plainPage } from './identity-pages.ts'
import { answerInteraction, promptsWithAcr, secondFactor } from './identity-sign-in.ts'
import { createIdentityStore, type IdentityStore } from './identity-store.ts'
import { type LoopbackServer, listenOnLoopback } from './loopback-server.ts'

const makeKeyPair = promisify(generateKeyPair)
const modulusBits = 2048
const cookieKeyBytes = 32
const hourS = 3600
const ttlS = {
  AccessToken: hourS,
  AuthorizationCode: 60,
  Grant: 24 * hourS,
  IdToken: hourS,
  Interaction: hourS,
  RefreshToken: 24 * hourS,
  Session: 24 * hourS,
}

export interface ProviderClient {
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  /** Where the provider tells that a session has ended; without it, ID tokens of this client hold no `sid`. */
  readonly backchannelLogoutUri?: string
}

export interface ProviderAccount {
  readonly subject: string
  /** What the person types in, and `preferred_username`. */
  readonly login: string
  readonly name: string
  readonly groups: readonly string[]
  /** How a sign-in without the second factor was made; `pwd` when absent. */
  readonly amr?: readonly string[]
  /** How strong that is; no claim when absent. */
  readonly acr?: string
  /** Further claims, as of a tenant. Which ones there are is settled when the provider starts. */
  readonly claims?: Readonly<Record<string, string | boolean | readonly string[]>>
}

export interface IdentityProviderOptions {
  readonly clients: readonly ProviderClient[]
  readonly accounts: readonly ProviderAccount[]
}

export type Endpoint =
  | 'discovery'
  | 'jwks'
  | 'authorization'
  | 'interaction'
  | 'token'
  | 'userinfo'
  | 'end_session'
  | 'other'

export interface LogoutNotice {
  readonly clientId: string
  /** False where the client did not answer with success. */
  readonly delivered: boolean
}

export type ReplaceIdToken = (claims: Readonly<Record<string, unknown>>) => string

export interface IdentityProvider extends AsyncDisposable {
  /** `http://localhost:PORT`, the same for as long as it lives. */
  readonly issuer: string
  readonly port: number
  /** How many requests have arrived at each endpoint, answered or not. */
  readonly requests: Readonly<Record<Endpoint, number>>
  /** What went wrong within, which a page would only call a server error. */
  readonly failures: readonly unknown[]
  /** Adds an account, or says something else of one. */
  setAccount(account: ProviderAccount): void
  removeAccount(subject: string): void
  /** Ends every session of the subject and tells the clients that they are ended. */
  endSession(subject: string): Promise<readonly LogoutNotice[]>
  /** Signs with a new key from now on. The earlier ones are still published if told to keep them. */
  rotateKeys(options?: { readonly keepOld?: boolean }): Promise<void>
  dropOldKeys(): void
  /** A token of its own making with these claims, signed by the present key: for what a provider should never say. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
  /** Puts what this returns in the place of each ID token from now on, given its claims; null ends it. */
  replaceIdTokens(replace: ReplaceIdToken | null): void
  /** Closes the port and every connection. Sessions and keys stay. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Every answer takes this much longer from now on; 0 is none. */
  slow(ms: number): void
}

interface SigningKey {
  readonly jwk: JsonWebKey & { readonly kid: string }
  readonly key: KeyObject
}

export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  await using opening = new AsyncDisposableStack()
  const port = await findFreePort()
  const issuer = `http://localhost:${port}`
  const store = createIdentityStore()
  const accounts = new Map(options.accounts.map(account => [account.subject, account]))
  const failures: unknown[] = []
  const requests = noRequests()
  const cookieKeys = [randomBytes(cookieKeyBytes).toString('base64url')]
  const extraClaims = [...new Set(options.accounts.flatMap(({ claims = {} }) => Object.keys(claims)))]
  let keys: readonly SigningKey[] = [await makeSigningKey()]
  let delayMs = 0
  let listening: LoopbackServer | null = null
  let replaceIdToken: ReplaceIdToken | null = null

  const build = (): { provider: Provider; answer: RequestListener } => {
    const provider = new Provider(issuer, {
      ...policy,
      adapter: model => store.adapterOf(model),
      jwks: { keys: keys.map(({ jwk }) => jwk as JWK) },
      cookies: { keys: cookieKeys },
      claims: {
        openid: ['sub', 'acr', 'amr', 'auth_time'],
        profile: ['name', 'preferred_username', 'groups', ...extraClaims],
      },
      clients: options.clients.map(toMetadata),
      findAccount(_, subject) {
        const account = accounts.get(subject)
        if (account === undefined) return undefined
        return { accountId: subject, claims: () => claimsOf(account) }
      },
    })
    provider.silent = true
    provider.on('server_error', (_, error) => failures.push(error))
    provider.use(async (ctx, next) => {
      await next()
      const { body } = ctx
      if (replaceIdToken === null || endpointOf(ctx.path) !== 'token' || !isWithIdToken(body)) return
      const [, claims = ''] = body.id_token.split('.')
      const token = replaceIdToken(JSON.parse(Buffer.from(claims, 'base64url').toString()))
      ctx.body = { ...body, id_token: token }
    })
    return { provider, answer: provider.callback() }
  }
  let current = build()

  const start = async () => {
    if (listening !== null) return
    const server = createServer((request, response) => {
      handle(request, response).catch(error => {
        failures.push(error)
        response.destroy()
      })
    })
    listening = await listenOnLoopback(server, port)
  }
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url ?? '/', issuer).pathname
    const endpoint = endpointOf(path)
    requests[endpoint]++
    if (delayMs > 0 && !(await isStillThere(response, delayMs))) return
    const { provider, answer } = current
    if (endpoint === 'interaction') await answerInteraction(provider, accounts, request, response)
    else answer(request, response)
  }
  const stop = async () => {
    await listening?.[Symbol.asyncDispose]()
    listening = null
  }
  opening.defer(stop)
  await start()
  const open = opening.move()
  return {
    issuer,
    port,
    requests,
    failures,
    setAccount(account) {
      accounts.set(account.subject, account)
    },
    removeAccount(subject) {
      accounts.delete(subject)
    },
    endSession: subject => endSessions(current.provider, store, subject),
    async rotateKeys({ keepOld = false } = {}) {
      keys = [await makeSigningKey(), ...(keepOld ? keys : [])]
      current = build()
    },
    dropOldKeys() {
      keys = keys.slice(0, 1)
      current = build()
    },
    sign(claims, header = {}) {
      const [present] = keys
      if (present === undefined) throw new Error('a provider has a key')
      const parts = [{ alg: 'RS256', kid: present.jwk.kid, ...header }, claims]
      const input = parts.map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
      return `${input}.${sign('sha256', Buffer.from(input), present.key).toString('base64url')}`
    },
    replaceIdTokens(replace) {
      replaceIdToken = replace
    },
    stop,
    start,
    slow(ms) {
      delayMs = ms
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** What does not change with keys, clients and accounts. */
const policy: Configuration = {
  ttl: ttlS,
  scopes: ['openid', 'profile', 'offline_access'],
  acrValues: [secondFactor.acr],
  // Else the claims of a person are at the userinfo endpoint only.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource(ctx, form) {
        ctx.body = logoutPage(form)
      },
      postLogoutSuccessSource(ctx) {
        ctx.body = plainPage('Signed out', [])
      },
    },
  },
  interactions: {
    url: (_, interaction) => `/interaction/${interaction.uid}`,
    policy: promptsWithAcr(),
  },
  renderError(ctx, out) {
    ctx.type = 'html'
    ctx.body = plainPage('That did not work', Object.values(out).map(String))
  },
  // What a client asks for is granted: these are an organisation's own, and nobody is asked for consent.
  async loadExistingGrant(ctx) {
    const { client, session, provider } = ctx.oidc
    const accountId = session?.accountId
    if (client === undefined || session === undefined || accountId === undefined) return undefined
    const grantId = session.grantIdFor(client.clientId)
    const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
    if (known !== undefined) return known
    const grant = new provider.Grant({ accountId, clientId: client.clientId })
    grant.addOIDCScope('openid profile offline_access')
    await grant.save()
    return grant
  },
  // The provider itself would refuse to call anything on the loopback.
  fetch(url, init) {
    const { dispatcher: _, ...rest }: RequestInit & { dispatcher?: unknown } = init ?? {}
    return fetch(url, rest)
  },
}

function claimsOf({ subject, login, name, groups, claims }: ProviderAccount) {
  return { ...claims, sub: subject, name, preferred_username: login, groups: [...groups] }
}

function toMetadata(client: ProviderClient) {
  const { clientId, clientSecret, redirectUris, postLogoutRedirectUris = [], backchannelLogoutUri } = client
  return {
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [...redirectUris],
    post_logout_redirect_uris: [...postLogoutRedirectUris],
    grant_types: ['authorization_code', 'refresh_token'],
    ...(backchannelLogoutUri !== undefined && {
      backchannel_logout_uri: backchannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
  }
}

function isWithIdToken(body: unknown): body is { readonly id_token: string } {
  return typeof body === 'object' && body !== null && 'id_token' in body && typeof body.id_token === 'string'
}

/** Whether the other side still waits after that time; resolves as soon as it does not. */
async function isStillThere(response: ServerResponse, afterMs: number): Promise<boolean> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return await delay(afterMs, true, { signal: gone.signal }).catch(() => false)
}

interface NotifiedClient {
  backchannelLogout(subject: string, sid: string): Promise<void>
}

async function endSessions(
  provider: Provider,
  store: IdentityStore,
  subject: string,
): Promise<readonly LogoutNotice[]> {
  const notices: LogoutNotice[] = []
  for (const { uid } of store.sessionsOf(subject)) {
    const session = uid === undefined ? undefined : await provider.Session.findByUid(uid)
    if (session === undefined) continue
    const authorizations = Object.entries(session.authorizations ?? {})
    await session.destroy()
    for (const [clientId, { sid, grantId }] of authorizations) {
      if (grantId !== undefined) store.revoke(grantId)
      const client = await provider.Client.find(clientId)
      if (client?.backchannelLogoutUri === undefined || sid === undefined) continue
      // Its types leave it out, and its documents tell how to call it.
      const { backchannelLogout } = client as unknown as NotifiedClient
      const delivered = await backchannelLogout.call(client, subject, sid).then(
        () => true,
        () => false,
      )
      notices.push({ clientId, delivered })
    }
  }
  return notices
}

async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey } = await makeKeyPair('rsa', { modulusLength: modulusBits })
  const kid = randomBytes(8).toString('hex')
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
  return { jwk, key: createPrivateKey({ key: jwk, format: 'jwk' }) }
}

function noRequests(): Record<Endpoint, number> {
  return {
    discovery: 0,
    jwks: 0,
    authorization: 0,
    interaction: 0,
    token: 0,
    userinfo: 0,
    end_session: 0,
    other: 0,
  }
}

const endpoints: Readonly<Record<string, Endpoint>> = {
  '.well-known': 'discovery',
  jwks: 'jwks',
  auth: 'authorization',
  interaction: 'interaction',
  token: 'token',
  me: 'userinfo',
  session: 'end_session',
}

function endpointOf(path: string): Endpoint {
  return endpoints[path.split('/')[1] ?? ''] ?? 'other'
}
