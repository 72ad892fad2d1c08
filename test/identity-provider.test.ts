// That the identity provider of the tests is one: each promise it makes to a client, asked of it over HTTP.
import assert from 'node:assert/strict'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import { openBrowser } from './browser.ts'
import {
  type IdentityProvider,
  type ProviderAccount,
  type ProviderClient,
  startIdentityProvider,
} from './identity-provider.ts'
import { secondFactor } from './identity-sign-in.ts'
import { type LoopbackServer, listenOnLoopback } from './loopback-server.ts'

const nurse: ProviderAccount = {
  subject: 'subject-1',
  login: 'nurse',
  name: 'Nurse One',
  groups: ['clinicians', 'ward-3'],
  claims: { tenant: 'clinic-a' },
}
const auditor: ProviderAccount = {
  subject: 'subject-2',
  login: 'auditor',
  name: 'Auditor Two',
  groups: [],
  amr: ['hwk', 'mfa'],
  acr: 'phr',
}

describe('an identity provider', () => {
  let receiver: LoopbackServer & { readonly tokens: string[]; status: number }
  let client: ProviderClient
  let provider: IdentityProvider
  let relying: RelyingParty
  before(async () => {
    receiver = await startReceiver()
    client = {
      clientId: 'auricle',
      clientSecret: randomBytes(24).toString('base64url'),
      redirectUris: [`http://localhost:${receiver.port}/callback`],
      postLogoutRedirectUris: [`http://localhost:${receiver.port}/bye`],
      backchannelLogoutUri: `http://localhost:${receiver.port}/backchannel`,
    }
    provider = await startIdentityProvider({ clients: [client], accounts: [nurse, auditor] })
    relying = createRelyingParty(provider, client)
  })
  after(async () => {
    await provider[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    receiver.tokens.length = 0
    receiver.status = 200
  })

  it('says in its discovery document what it is and can', async () => {
    const found = await readJson(await fetch(`${provider.issuer}/.well-known/openid-configuration`))
    assert.equal(found['issuer'], provider.issuer)
    assert.deepEqual(found['code_challenge_methods_supported'], ['S256'])
    assert.deepEqual(found['acr_values_supported'], [secondFactor.acr])
    assert.equal(found['backchannel_logout_supported'], true)
    assert.equal(found['backchannel_logout_session_supported'], true)
    for (const claim of ['groups', 'tenant', 'amr', 'acr', 'auth_time', 'sid'])
      assert.match(JSON.stringify(found['claims_supported']), new RegExp(`"${claim}"`))
    for (const name of ['authorization', 'token', 'end_session', 'userinfo'])
      assert.equal(String(found[`${name}_endpoint`]).startsWith(`${provider.issuer}/`), true, name)
  })

  it('signs a person in with PKCE and says who they are in the ID token', async () => {
    const { claims, nonce } = await relying.signIn(openJar(), { login: 'nurse' })
    const { iat, exp, auth_time, sid, at_hash, ...rest } = claims
    assert.deepEqual(rest, {
      iss: provider.issuer,
      aud: 'auricle',
      sub: 'subject-1',
      nonce,
      name: 'Nurse One',
      preferred_username: 'nurse',
      groups: ['clinicians', 'ward-3'],
      tenant: 'clinic-a',
      amr: ['pwd'],
    })
    assert.equal(Number(exp) > Number(iat), true)
    assert.equal(Number(auth_time) <= Number(iat), true)
    for (const value of [sid, at_hash]) assert.match(String(value), /^[\w-]+$/)
  })

  it('says in amr and acr how the person signed in, by what they chose and by their account', async () => {
    const strong = await relying.signIn(openJar(), { login: 'nurse', second: true })
    assert.deepEqual([strong.claims['amr'], strong.claims['acr']], [['pwd', 'otp', 'mfa'], secondFactor.acr])
    const other = await relying.signIn(openJar(), { login: 'auditor' })
    assert.deepEqual([other.claims['amr'], other.claims['acr']], [['hwk', 'mfa'], 'phr'])
    const both = await relying.signIn(openJar(), { login: 'auditor', second: true })
    assert.deepEqual([both.claims['amr'], both.claims['acr']], [['hwk', 'mfa', 'otp'], secondFactor.acr])
  })

  it('asks nobody twice, unless for prompt=login, max_age=0, or an acr that they do not have', async () => {
    const jar = openJar()
    const first = await relying.signIn(jar, { login: 'nurse' })
    assert.equal(first.pages, 1)
    const again = await relying.signIn(jar, { login: 'nurse' })
    assert.equal(again.pages, 0)
    assert.equal(again.claims['sid'], first.claims['sid'])
    for (const parameters of [{ prompt: 'login' }, { max_age: '0' }, { acr_values: secondFactor.acr }]) {
      const asked = await relying.signIn(jar, { login: 'nurse', parameters })
      assert.equal(asked.pages, 1, JSON.stringify(parameters))
      assert.equal(asked.claims['acr'], undefined)
    }
    const stepped = await relying.signIn(jar, {
      login: 'nurse',
      second: true,
      parameters: { acr_values: secondFactor.acr },
    })
    assert.deepEqual([stepped.pages, stepped.claims['acr']], [1, secondFactor.acr])
    const kept = await relying.signIn(jar, { login: 'nurse', parameters: { acr_values: secondFactor.acr } })
    assert.deepEqual([kept.pages, kept.claims['acr']], [0, secondFactor.acr])
    assert.equal((await relying.authorize(jar, { prompt: 'none' })).get('error'), null)
    assert.equal((await relying.authorize(openJar(), { prompt: 'none' })).get('error'), 'login_required')
  })

  it('refuses a code twice, a wrong verifier, no challenge, and whom it does not know', async () => {
    const jar = openJar()
    const { code, verifier } = await relying.signIn(jar, { login: 'nurse' })
    assert.equal((await relying.exchange(code, verifier)).status, 400)
    const answer = await relying.authorize(jar, {})
    assert.equal((await relying.exchange(String(answer.get('code')), 'x'.repeat(43))).status, 400)
    const bare = await relying.authorize(jar, { code_challenge: '', code_challenge_method: '' })
    assert.equal(bare.get('error'), 'invalid_request')
    await assert.rejects(relying.signIn(openJar(), { login: 'nobody' }), /401/)
    const refused = await relying.authorize(openJar(), {}, { answer: 'refuse' })
    assert.equal(refused.get('error'), 'access_denied')
  })

  it('says what an account is by now, and knows none that was removed', async () => {
    provider.setAccount({ ...nurse, subject: 'subject-3', login: 'leaver' })
    const jar = openJar()
    assert.deepEqual((await relying.signIn(jar, { login: 'leaver' })).claims['groups'], nurse.groups)
    provider.setAccount({ ...nurse, subject: 'subject-3', login: 'leaver', groups: ['auditors'] })
    assert.deepEqual((await relying.signIn(jar, { login: 'leaver' })).claims['groups'], ['auditors'])
    provider.removeAccount('subject-3')
    await assert.rejects(relying.signIn(openJar(), { login: 'leaver' }), /401/)
  })

  it('keeps sessions while its keys change, publishes the old key as long as told, and signs with the new', async () => {
    const jar = openJar()
    const before = await relying.signIn(jar, { login: 'nurse' })
    const oldKeys = await relying.fetchKeys()
    await provider.rotateKeys({ keepOld: true })
    const both = await relying.fetchKeys()
    assert.deepEqual(both.slice(1), oldKeys)
    const during = await relying.signIn(jar, { login: 'nurse' })
    assert.equal(during.pages, 0)
    assert.equal(during.header.kid, both[0]?.kid)
    assert.equal(isSigned(during.idToken, both), true)
    assert.equal(isSigned(during.idToken, oldKeys), false)
    assert.equal(isSigned(before.idToken, both), true)
    provider.dropOldKeys()
    const newest = await relying.fetchKeys()
    assert.deepEqual(newest, both.slice(0, 1))
    assert.equal(isSigned(before.idToken, newest), false)
    await provider.rotateKeys()
    const after = await relying.signIn(jar, { login: 'nurse' })
    assert.equal(after.pages, 0)
    assert.equal(isSigned(after.idToken, newest), false)
    assert.equal(isSigned(after.idToken, await relying.fetchKeys()), true)
  })

  it('tells the clients of a session by signed tokens that it has ended, and asks the person again', async () => {
    const jar = openJar()
    const { claims } = await relying.signIn(jar, { login: 'nurse' })
    await relying.signIn(openJar(), { login: 'auditor' })
    const notices = await provider.endSession('subject-1')
    assert.equal(notices.length > 0, true)
    assert.equal(
      notices.every(({ clientId, delivered }) => clientId === 'auricle' && delivered),
      true,
    )
    const keys = await relying.fetchKeys()
    assert.equal(receiver.tokens.length, notices.length)
    const told = receiver.tokens.map(token => {
      assert.equal(isSigned(token, keys), true)
      assert.equal(decode(token).header.typ, 'logout+jwt')
      return decode(token).claims
    })
    const own = told.find(({ sid }) => sid === claims['sid'])
    assert.deepEqual([own?.['iss'], own?.['aud'], own?.['sub']], [provider.issuer, 'auricle', 'subject-1'])
    assert.deepEqual(own?.['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} })
    assert.equal('nonce' in (own ?? {}), false)
    assert.equal((await relying.signIn(jar, { login: 'nurse' })).pages, 1)
    receiver.status = 500
    assert.deepEqual(await provider.endSession('subject-1'), [{ clientId: 'auricle', delivered: false }])
    assert.deepEqual(await provider.endSession('subject-1'), [])
  })

  it('lets a person leave by way of the client, and tells the clients', async () => {
    await using browser = await openBrowser()
    await using visit = await browser.visit()
    const { page } = visit
    const { url, verifier } = await relying.begin({})
    await page.goto(url)
    await page.fill('[name=login]', 'nurse')
    await page.check('[name=second_factor]')
    await page.click('button[value=sign-in]')
    await page.waitForURL(/\/callback\?/)
    const code = String(new URL(page.url()).searchParams.get('code'))
    const idToken = String((await readJson(await relying.exchange(code, verifier)))['id_token'])
    assert.deepEqual(decode(idToken).claims['amr'], ['pwd', 'otp', 'mfa'])
    const leave = new URLSearchParams({
      id_token_hint: idToken,
      post_logout_redirect_uri: `http://localhost:${receiver.port}/bye`,
      state: 'state-1',
    })
    await page.goto(`${provider.issuer}/session/end?${leave}`)
    await page.click('button[name=logout]')
    await page.waitForURL(/\/bye\?state=state-1$/)
    assert.deepEqual(
      receiver.tokens.map(token => decode(token).claims['sid']),
      [decode(idToken).claims['sid']],
    )
    assert.deepEqual(visit.troubles, [])
  })

  it('goes down and comes back on its port with its sessions, counts requests, and is as slow as told', async () => {
    const jar = openJar()
    await relying.signIn(jar, { login: 'nurse' })
    await provider.stop()
    await assert.rejects(fetch(`${provider.issuer}/jwks`), TypeError)
    await provider.start()
    const counted = { ...provider.requests }
    assert.equal((await relying.signIn(jar, { login: 'nurse' })).pages, 0)
    assert.deepEqual(
      { token: provider.requests.token, authorization: provider.requests.authorization },
      { token: counted.token + 1, authorization: counted.authorization + 1 },
    )
    provider.slow(60_000)
    await assert.rejects(fetch(`${provider.issuer}/jwks`, { signal: AbortSignal.timeout(100) }), /timeout/)
    provider.slow(0)
    assert.equal((await relying.fetchKeys()).length, 1)
  })

  it('signs what a test has made up, with the key that it publishes', async () => {
    const token = provider.sign({ iss: 'somebody else' }, { typ: 'logout+jwt' })
    assert.equal(isSigned(token, await relying.fetchKeys()), true)
    assert.deepEqual(decode(token).claims, { iss: 'somebody else' })
    assert.equal(decode(token).header.typ, 'logout+jwt')
  })

  it('gives out the ID tokens that a test puts in their place, and its own again', async () => {
    provider.replaceIdTokens(claims => provider.sign({ ...claims, aud: 'another' }, { typ: 'JWT' }))
    const replaced = await relying.signIn(openJar(), { login: 'nurse' })
    assert.deepEqual([replaced.claims['aud'], replaced.claims['nonce']], ['another', replaced.nonce])
    provider.replaceIdTokens(null)
    assert.equal((await relying.signIn(openJar(), { login: 'nurse' })).claims['aud'], 'auricle')
  })

  it('has met no error of its own in all this', () => {
    assert.deepEqual(provider.failures, [])
  })
})

/** Where people land who come back, and where logout tokens arrive. */
async function startReceiver() {
  const tokens: string[] = []
  const state = { status: 200 }
  const server = createServer((request, response) => {
    text(request).then(
      body => {
        const token = new URLSearchParams(body).get('logout_token')
        if (token !== null) tokens.push(token)
        response.writeHead(state.status, { 'content-type': 'text/html' })
        response.end('<!doctype html><link rel="icon" href="data:,">')
      },
      () => response.destroy(),
    )
  })
  const listening = await listenOnLoopback(server)
  return Object.assign(state, {
    port: listening.port,
    tokens,
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  })
}

type Jar = Map<string, string>

/** Cookies by name: there is one host, and the paths of the provider's cookies do not overlap. */
function openJar(): Jar {
  return new Map()
}

async function fetchWith(jar: Jar, url: string, init: RequestInit = {}): Promise<Response> {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(url, { ...init, headers: { cookie, accept: 'text/html' }, redirect: 'manual' })
  for (const line of response.headers.getSetCookie()) {
    const [pair = '', ...attributes] = line.split('; ')
    const [name = '', value = ''] = pair.split('=')
    if (value === '' || attributes.some(attribute => /^expires=Thu, 01 Jan 1970/i.test(attribute)))
      jar.delete(name)
    else jar.set(name, value)
  }
  return response
}

interface SignInOptions {
  readonly login: string
  readonly second?: boolean
  readonly parameters?: Readonly<Record<string, string>>
}

type RelyingParty = ReturnType<typeof createRelyingParty>

function createRelyingParty(provider: IdentityProvider, client: ProviderClient) {
  const [redirectUri = ''] = client.redirectUris
  const begin = async (parameters: Readonly<Record<string, string>>) => {
    const verifier = randomBytes(32).toString('base64url')
    const nonce = randomBytes(16).toString('base64url')
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: client.clientId,
      redirect_uri: redirectUri,
      scope: 'openid profile',
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    })
    return { url: `${provider.issuer}/auth?${query}`, verifier, nonce }
  }
  /** Goes where it is sent until that is back at the client; a page of the provider is answered with the form. */
  const follow = async (jar: Jar, from: string, form: Readonly<Record<string, string>>) => {
    let pages = 0
    for (let url = from; ; ) {
      let response = await fetchWith(jar, url)
      if (response.status === 200) {
        pages++
        response = await fetchWith(jar, url, { method: 'POST', body: new URLSearchParams(form) })
      }
      const location = response.headers.get('location')
      if (location === null) throw new Error(`${response.status} ${await response.text()}`)
      url = new URL(location, url).href
      if (url.startsWith(redirectUri)) return { answer: new URL(url).searchParams, pages }
    }
  }
  const exchange = (code: string, verifier: string) =>
    fetch(`${provider.issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: redirectUri,
      }),
    })
  const fetchKeys = async () =>
    (await readJson(await fetch(`${provider.issuer}/jwks`)))['keys'] as readonly PublicKey[]
  return {
    begin,
    exchange,
    fetchKeys,
    async authorize(jar: Jar, parameters: Readonly<Record<string, string>>, form = { answer: 'sign-in' }) {
      return (await follow(jar, (await begin(parameters)).url, form)).answer
    },
    async signIn(jar: Jar, { login, second = false, parameters = {} }: SignInOptions) {
      const { url, verifier, nonce } = await begin(parameters)
      const form = { login, answer: 'sign-in', ...(second && { second_factor: 'yes' }) }
      const { answer, pages } = await follow(jar, url, form)
      const code = String(answer.get('code'))
      const response = await exchange(code, verifier)
      assert.equal(response.status, 200)
      const idToken = String((await readJson(response))['id_token'])
      assert.equal(isSigned(idToken, await fetchKeys()), true)
      return { ...decode(idToken), idToken, pages, code, verifier, nonce }
    },
  }
}

async function readJson(response: Response): Promise<Readonly<Record<string, unknown>>> {
  return (await response.json()) as Readonly<Record<string, unknown>>
}

interface PublicKey {
  readonly kid: string
  readonly kty: string
  readonly n: string
  readonly e: string
}

function decode(token: string): {
  readonly header: Readonly<Record<'kid' | 'typ' | 'alg', string>>
  readonly claims: Readonly<Record<string, unknown>>
} {
  const [header = '', claims = ''] = token.split('.')
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header: parse(header), claims: parse(claims) }
}

/** By Node alone, so that what checks the provider shares nothing with it. */
function isSigned(token: string, keys: readonly PublicKey[]): boolean {
  const { kid, alg } = decode(token).header
  const found = keys.find(key => key.kid === kid)
  if (found === undefined || alg !== 'RS256') return false
  const end = token.lastIndexOf('.')
  const key = createPublicKey({ key: { ...found }, format: 'jwk' })
  return verify(
    'sha256',
    Buffer.from(token.slice(0, end)),
    key,
    Buffer.from(token.slice(end + 1), 'base64url'),
  )
}
