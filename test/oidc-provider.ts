// A real OpenID provider on this machine, which rotates its keys and goes away when told to, and somebody's browser.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import Provider, { type Adapter, type AdapterPayload, type Configuration, type JWK } from 'oidc-provider'

/** What the next login proves. */
export interface Login {
  readonly account: string
  readonly acr?: string
  readonly amr?: string[]
  /** Claims beside those; `preferred_username` is the account's name. */
  readonly claims?: Readonly<Record<string, unknown>>
}

export interface TestProvider extends AsyncDisposable {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  /** While true every connection is cut. */
  isDown: boolean
  /** How often each path was asked for. */
  readonly asked: Map<string, number>
  /** What back-channel logout sent to the client. */
  readonly logoutTokens: string[]
  /** From now on it signs with another key; sessions and codes go on. The key before is withdrawn. */
  rotateKeys(): void
  /** A browser of its own, with cookies. */
  openBrowser(): TestBrowser
}

export interface TestBrowser {
  /** Follows the sign-in to its end, with `login` where the form asks for it; the address it is sent back to. */
  signIn(url: URL, login: Login): Promise<URL>
  /** Confirms the sign-out. */
  signOut(url: URL): Promise<void>
}

const clientId = 'auricle'
const clientSecret = 'a secret of the test, with : and + to be encoded'
const redirectUri = 'https://vault.example/v1/sign-in/callback'
const logoutUri = 'https://vault.example/v1/sign-in/logout'
export const signedOutUri = 'https://vault.example/signed-out'
const formType = 'application/x-www-form-urlencoded'

export async function startTestProvider(): Promise<TestProvider> {
  let answer: RequestListener = (_request, response) => response.destroy()
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? ''
    asked.set(path, (asked.get(path) ?? 0) + 1)
    if (provider.isDown) request.socket.destroy()
    else answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const issuer = `http://127.0.0.1:${address.port}`
  const logoutTokens: string[] = []
  const logins = new Map<string, Login>()
  const adapter = createMemory()

  const provider: TestProvider = {
    issuer,
    clientId,
    clientSecret,
    redirectUri,
    isDown: false,
    asked,
    logoutTokens,
    rotateKeys() {
      const key = newKey()
      answer = listen(new Provider(issuer, { ...configuration(key, logins, logoutTokens), adapter }), logins)
    },
    openBrowser,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  provider.rotateKeys()
  return provider
}

function newKey(): JWK {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { kty = '', ...members } = privateKey.export({ format: 'jwk' })
  return { ...members, kty, kid: randomUUID(), use: 'sig', alg: 'RS256' }
}

/** The provider, with a form of ours between it and the person. */
function listen(provider: Provider, logins: Map<string, Login>): RequestListener {
  const answer = provider.callback()
  return async (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return answer(request, response)
    if (request.method === 'GET')
      return response.setHeader('content-type', 'text/html').end('<form method="post">')
    const login: Login = JSON.parse(await bodyOf(request))
    logins.set(login.account, login)
    const { account: accountId, acr, amr } = login
    await provider.interactionFinished(request, response, {
      login: { accountId, ...(acr === undefined ? {} : { acr }), ...(amr === undefined ? {} : { amr }) },
    })
  }
}

async function bodyOf(request: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function configuration(key: JWK, logins: Map<string, Login>, logoutTokens: string[]): Configuration {
  return {
    jwks: { keys: [key] },
    cookies: { keys: ['one key for the cookies of all'] },
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [signedOutUri],
        backchannel_logout_uri: logoutUri,
        backchannel_logout_session_required: true,
      },
    ],
    acrValues: ['urn:example:two', 'urn:example:one'],
    scopes: ['openid', 'profile', 'groups'],
    claims: {
      openid: ['sub', 'sid', 'acr', 'amr', 'auth_time'],
      profile: ['preferred_username', 'name'],
      groups: ['groups'],
    },
    // Otherwise an ID token that comes with an access token says only who, and the rest is asked for elsewhere.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, preferred_username: accountId, ...logins.get(accountId)?.claims }),
    }),
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        accountId: oidc.session?.accountId ?? '',
        clientId: oidc.client?.clientId ?? '',
      })
      grant.addOIDCScope('openid profile groups')
      await grant.save()
      return grant
    },
    fetch(url, options) {
      if (String(url) !== logoutUri) throw new Error('the provider asks for something else')
      logoutTokens.push(new URLSearchParams(String(options?.body)).get('logout_token') ?? '')
      return Promise.resolve(new Response(null, { status: 200 }))
    },
  }
}

/** What the provider keeps, whichever keys it signs with. */
function createMemory(): (name: string) => Adapter {
  const kept = new Map<string, AdapterPayload>()
  const find = (is: (payload: AdapterPayload) => boolean) => Promise.resolve([...kept.values()].find(is))
  return name => ({
    upsert: async (id, payload) => {
      kept.set(`${name}:${id}`, payload)
    },
    find: async id => kept.get(`${name}:${id}`),
    findByUid: uid => find(payload => payload.uid === uid),
    findByUserCode: userCode => find(payload => payload.userCode === userCode),
    consume: async id => {
      const payload = kept.get(`${name}:${id}`)
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
    },
    destroy: async id => {
      kept.delete(`${name}:${id}`)
    },
    revokeByGrantId: async grantId => {
      for (const [id, payload] of kept) if (payload.grantId === grantId) kept.delete(id)
    },
  })
}

function openBrowser(): TestBrowser {
  const cookies = new Map<string, string>()
  const ask = async (url: URL, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = response.headers.get('location')
    return { body: await response.text(), next: location === null ? null : new URL(location, url) }
  }
  return {
    async signIn(start, login) {
      let url = start
      for (let step = 0; step < 10; step++) {
        let { next, body } = await ask(url)
        if (next === null && body.includes('<form'))
          ({ next, body } = await ask(url, { method: 'POST', body: JSON.stringify(login) }))
        if (next === null) throw new Error(`the sign-in ended on a page: ${body}`)
        if (next.host !== start.host) return next
        url = next
      }
      throw new Error('the sign-in goes round in circles')
    },
    async signOut(url) {
      const page = await ask(url)
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
      const body = new URLSearchParams({ xsrf, logout: 'yes' }).toString()
      const { next } = await ask(new URL('/session/end/confirm', url), {
        method: 'POST',
        body,
        headers: { 'content-type': formType },
      })
      if (next?.origin !== new URL(signedOutUri).origin) throw new Error('the sign-out did not come back')
    },
  }
}
