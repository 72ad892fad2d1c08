// Signs people in at a real OpenID provider, on a socket: the whole way, rotation, outage, and answers used amiss.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import {
  type Login,
  signedOutUri,
  startTestProvider,
  type TestProvider,
} from '../../../../test/oidc-provider.ts'
import { IdentityError, type IdentityErrorCode } from '../error.ts'
import { createOidcClient, type OidcAttempt, type OidcClient, type OidcPurpose } from './provider.ts'
import type { OidcSettings } from './settings.ts'

const isCode = (code: IdentityErrorCode) => (error: unknown) =>
  error instanceof IdentityError && error.code === code

const twoFactors: Login = {
  account: 'ines',
  acr: 'urn:example:two',
  amr: ['pwd', 'otp'],
  claims: { name: 'Ines Example', groups: ['clinic', 'clinic', 'nights'] },
}

const settingsOf = (provider: TestProvider, change: Partial<OidcSettings> = {}): OidcSettings => ({
  id: 'main',
  issuer: provider.issuer,
  clientId: provider.clientId,
  clientSecret: provider.clientSecret,
  scopes: ['openid', 'profile', 'groups'],
  acrValues: ['urn:example:two'],
  requiredAcr: ['urn:example:two'],
  requiredAmr: ['otp', 'hwk'],
  groupsClaim: 'groups',
  loginClaim: 'preferred_username',
  nameClaim: 'name',
  redirectUri: provider.redirectUri,
  ...change,
})

const clientOf = (provider: TestProvider, change: Partial<OidcSettings> = {}) =>
  createOidcClient(settingsOf(provider, change), { allowInsecureLoopback: true })

async function comeBack(
  provider: TestProvider,
  client: OidcClient,
  login = twoFactors,
  purpose: OidcPurpose = 'sign_in',
) {
  const { url, attempt } = await client.begin({ purpose })
  const callbackUrl = await provider.openBrowser().signIn(url, login)
  return { callbackUrl, attempt, now: new Date() }
}

test('somebody signs in, and is who the provider says', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  const { url, attempt } = await client.begin({ purpose: 'sign_in', loginHint: 'ines' })
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    client_id: 'auricle',
    response_type: 'code',
    redirect_uri: provider.redirectUri,
    scope: 'openid profile groups',
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: url.searchParams.get('code_challenge'),
    code_challenge_method: 'S256',
    acr_values: 'urn:example:two',
    login_hint: 'ines',
  })
  assert.equal(attempt.maxAgeSeconds, null)
  const callbackUrl = await provider.openBrowser().signIn(url, twoFactors)
  const { sid, authenticatedAt, ...identity } = await client.finish({ callbackUrl, attempt, now: new Date() })
  assert.deepEqual(identity, {
    providerId: 'main',
    subject: 'ines',
    login: 'ines',
    name: 'Ines Example',
    groups: ['clinic', 'nights'],
    acr: 'urn:example:two',
    amr: ['pwd', 'otp'],
  })
  assert.equal(typeof sid, 'string')
  assert.ok(authenticatedAt === null || authenticatedAt instanceof Date)
})

test('attempts differ in all that is secret', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  const made = await Promise.all([1, 2, 3].map(() => client.begin({ purpose: 'sign_in' })))
  const secrets = made.flatMap(({ attempt }) => [attempt.state, attempt.nonce, attempt.codeVerifier])
  assert.equal(new Set(secrets).size, 9)
})

test('the provider is asked about itself once', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  await Promise.all([1, 2, 3].map(() => client.begin({ purpose: 'sign_in' })))
  await client.begin({ purpose: 'step_up' })
  assert.equal(provider.asked.get('/.well-known/openid-configuration'), 1)
})

test('a step-up asks again of somebody who is signed in', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  const browser = provider.openBrowser()
  const first = await client.begin({ purpose: 'sign_in' })
  await browser.signIn(first.url, twoFactors)
  const { url, attempt } = await client.begin({ purpose: 'step_up' })
  assert.equal(url.searchParams.get('max_age'), '0')
  assert.equal(url.searchParams.get('prompt'), 'login')
  const callbackUrl = await browser.signIn(url, { ...twoFactors, amr: ['hwk'] })
  const now = new Date()
  const identity = await client.finish({ callbackUrl, attempt, now })
  assert.deepEqual(identity.amr, ['hwk'])
  assert.ok(identity.authenticatedAt !== null && now.getTime() - identity.authenticatedAt.getTime() < 60_000)
})

test('a step-up that comes too late is refused', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  const answer = await comeBack(provider, client, twoFactors, 'step_up')
  const late = new Date(answer.now.getTime() + 200_000)
  await assert.rejects(client.finish({ ...answer, now: late }), isCode('bad_provider_answer'))
})

const without: Record<string, { login: Login; change?: Partial<OidcSettings> }> = {
  'one factor': { login: { ...twoFactors, amr: ['pwd'] } },
  'no amr': { login: { account: 'ines', acr: 'urn:example:two' } },
  'no acr': { login: { account: 'ines', amr: ['otp'] } },
  'another acr': { login: { ...twoFactors, acr: 'urn:example:one' } },
  'an acr that begins like it': { login: { ...twoFactors, acr: 'urn:example:two2' } },
  'nothing demanded': { login: twoFactors, change: { requiredAcr: [], requiredAmr: [] } },
}
for (const [name, { login, change }] of Object.entries(without)) {
  test(`not let in for want of factors: ${name}`, async () => {
    await using provider = await startTestProvider()
    const client = clientOf(provider, change)
    await assert.rejects(
      client.finish(await comeBack(provider, client, login)),
      isCode('second_factor_missing'),
    )
  })
}

test('either demand alone is enough where only it is made', async () => {
  await using provider = await startTestProvider()
  const byClass = clientOf(provider, { requiredAmr: [] })
  const onlyClass = await comeBack(provider, byClass, { account: 'ines', acr: 'urn:example:two' })
  assert.deepEqual((await byClass.finish(onlyClass)).amr, [])
  const byMethod = clientOf(provider, { requiredAcr: [], acrValues: [] })
  const onlyMethod = await comeBack(provider, byMethod, { account: 'ines', amr: ['hwk'] })
  assert.deepEqual((await byMethod.finish(onlyMethod)).amr, ['hwk'])
})

test('keys that rotate between two sign-ins, and between leaving and coming back', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  await client.finish(await comeBack(provider, client))
  provider.rotateKeys()
  assert.equal((await client.finish(await comeBack(provider, client))).subject, 'ines')
  const answer = await comeBack(provider, client)
  provider.rotateKeys()
  assert.equal((await client.finish(answer)).subject, 'ines')
  assert.equal(provider.asked.get('/.well-known/openid-configuration'), 1)
})

test('a provider that is down, at each step, and is asked again when it is back', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  provider.isDown = true
  const isAway = (error: unknown) =>
    isCode('provider_unavailable')(error) && (error as IdentityError).transient
  await assert.rejects(client.begin({ purpose: 'sign_in' }), isAway)
  await assert.rejects(client.verifyLogoutToken('a.b.c', { now: new Date() }), isAway)
  provider.isDown = false
  const answer = await comeBack(provider, client)
  provider.isDown = true
  await assert.rejects(client.finish(answer), isAway)
  provider.isDown = false
  // The provider never saw the code.
  assert.equal((await client.finish(answer)).subject, 'ines')
})

const amiss: Record<string, (url: URL, attempt: OidcAttempt) => { url?: URL; attempt?: OidcAttempt }> = {
  'state of another attempt': (_url, attempt) => ({ attempt: { ...attempt, state: 'x'.repeat(43) } }),
  'no state': url => ({ url: changed(url, query => query.delete('state')) }),
  'two states': url => ({ url: changed(url, query => query.append('state', 'x')) }),
  'nonce of another attempt': (_url, attempt) => ({ attempt: { ...attempt, nonce: 'x'.repeat(43) } }),
  'verifier of another attempt': (_url, attempt) => ({
    attempt: { ...attempt, codeVerifier: 'x'.repeat(43) },
  }),
  'no code': url => ({ url: changed(url, query => query.delete('code')) }),
  'an invented code': url => ({ url: changed(url, query => query.set('code', 'invented')) }),
  'two codes': url => ({ url: changed(url, query => query.append('code', 'other')) }),
  'no issuer, where the provider always says it': url => ({
    url: changed(url, query => query.delete('iss')),
  }),
  'answer of another issuer (mix-up)': url => ({
    url: changed(url, query => query.set('iss', 'https://attacker.example')),
  }),
  'an ID token in the address': url => ({ url: changed(url, query => query.set('id_token', 'a.b.c')) }),
  'a signed response in the address': url => ({ url: changed(url, query => query.set('response', 'a.b.c')) }),
  'a query beyond measure': url => ({ url: changed(url, query => query.set('more', 'x'.repeat(9000))) }),
  'nothing at all': url => ({ url: new URL(url.pathname, url) }),
}
for (const [name, change] of Object.entries(amiss)) {
  test(`refused: ${name}`, async () => {
    await using provider = await startTestProvider()
    const client = clientOf(provider)
    const answer = await comeBack(provider, client)
    const { url, attempt } = change(answer.callbackUrl, answer.attempt)
    await assert.rejects(
      client.finish({
        ...answer,
        callbackUrl: url ?? answer.callbackUrl,
        attempt: attempt ?? answer.attempt,
      }),
      isCode('bad_provider_answer'),
    )
  })
}

test('refused: a code that was spent already', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  const answer = await comeBack(provider, client)
  await client.finish(answer)
  await assert.rejects(client.finish(answer), isCode('bad_provider_answer'))
})

test('refused: a code that was stolen, in an attempt of the thief', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  const stolen = await comeBack(provider, client)
  const { attempt } = await client.begin({ purpose: 'sign_in' })
  const callbackUrl = changed(stolen.callbackUrl, query => query.set('state', attempt.state))
  await assert.rejects(client.finish({ ...stolen, callbackUrl, attempt }), isCode('bad_provider_answer'))
})

test('refused: a secret that is not ours', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider, { clientSecret: 'wrong' })
  await assert.rejects(client.finish(await comeBack(provider, client)), isCode('bad_provider_answer'))
})

const refusals: Record<string, IdentityErrorCode> = {
  access_denied: 'not_admitted',
  login_required: 'not_admitted',
  temporarily_unavailable: 'provider_unavailable',
  server_error: 'provider_unavailable',
  unmet_authentication_requirements: 'second_factor_missing',
  invalid_request: 'bad_provider_answer',
  __proto__x: 'bad_provider_answer',
}
test('an error of the provider, in place of a code', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  for (const [error, code] of Object.entries(refusals)) {
    const { attempt } = await client.begin({ purpose: 'sign_in' })
    const callbackUrl = new URL(provider.redirectUri)
    callbackUrl.search = new URLSearchParams({ error, state: attempt.state, iss: provider.issuer }).toString()
    await assert.rejects(client.finish({ callbackUrl, attempt, now: new Date() }), isCode(code))
    // Nobody may say so but the provider that was asked.
    callbackUrl.searchParams.set('state', 'x'.repeat(43))
    await assert.rejects(
      client.finish({ callbackUrl, attempt, now: new Date() }),
      isCode('bad_provider_answer'),
    )
  }
})

test('the provider is told of a sign-out, and tells us of one', async () => {
  await using provider = await startTestProvider()
  const client = clientOf(provider)
  const browser = provider.openBrowser()
  const { url, attempt } = await client.begin({ purpose: 'sign_in' })
  const callbackUrl = await browser.signIn(url, twoFactors)
  const identity = await client.finish({ callbackUrl, attempt, now: new Date() })
  const end = await client.endSessionUrl({ postLogoutRedirectUri: signedOutUri, state: 'bye' })
  assert.ok(end !== null)
  assert.deepEqual(Object.fromEntries(end.searchParams), {
    client_id: 'auricle',
    post_logout_redirect_uri: signedOutUri,
    state: 'bye',
  })
  await browser.signOut(end)
  const [token = '', ...more] = provider.logoutTokens
  assert.equal(more.length, 0)
  const now = new Date()
  const notice = await client.verifyLogoutToken(token, { now })
  assert.equal(notice.subject, 'ines')
  assert.equal(notice.sid, identity.sid)
  assert.ok(notice.jti !== '' && notice.expiresAt > now)
  await assert.rejects(client.verifyLogoutToken(token, { now: notice.expiresAt }), isCode('bad_token'))
  await client.verifyLogoutToken(token, { now: new Date(notice.expiresAt.getTime() - 1000) })
})

test('who stops waiting gets their reason, and the question goes on for the others', async () => {
  await using provider = await startTestProvider()
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const client = createOidcClient(settingsOf(provider), {
    allowInsecureLoopback: true,
    fetch: async (url, init) => {
      await held
      return fetch(url, { ...init, body: init.body ?? null })
    },
  })
  const stop = new AbortController()
  const stopped = client.begin({ purpose: 'sign_in' }, { signal: stop.signal })
  const other = client.begin({ purpose: 'sign_in' })
  const reason = new Error('enough')
  stop.abort(reason)
  await assert.rejects(stopped, error => error === reason)
  await assert.rejects(
    client.begin({ purpose: 'sign_in' }, { signal: stop.signal }),
    error => error === reason,
  )
  release()
  const { attempt, url } = await other
  const callbackUrl = await provider.openBrowser().signIn(url, twoFactors)
  await assert.rejects(
    client.finish({ callbackUrl, attempt, now: new Date() }, { signal: stop.signal }),
    error => error === reason,
  )
})

test('a provider that never ends its answer is away', async () => {
  await using provider = await startTestProvider()
  const client = createOidcClient(settingsOf(provider), {
    allowInsecureLoopback: true,
    timeoutMs: 50,
    fetch: async (_url, { signal }) => {
      const body = new ReadableStream({
        async pull(controller) {
          await setTimeout(5, undefined, signal ? { signal } : {})
          controller.enqueue(new Uint8Array(1))
        },
      })
      return new Response(body, { headers: { 'content-type': 'application/json' } })
    },
  })
  await assert.rejects(client.begin({ purpose: 'sign_in' }), isCode('provider_unavailable'))
})

test('settings that cannot be are refused at once', async () => {
  await using provider = await startTestProvider()
  for (const change of [
    { issuer: 'http://idp.example' },
    { issuer: 'https://user:password@idp.example' },
    { issuer: 'file:///etc/passwd' },
    { issuer: 'nothing' },
    { redirectUri: 'http://vault.example/callback' },
    { redirectUri: 'https://vault.example/callback?a=b' },
    { redirectUri: 'https://vault.example/callback#a' },
    { clientSecret: '' },
    { clientId: '' },
  ]) {
    assert.throws(() => clientOf(provider, change), TypeError, JSON.stringify(change))
  }
  assert.throws(() => createOidcClient(settingsOf(provider)), TypeError)
})

function changed(url: URL, change: (query: URLSearchParams) => void): URL {
  const copy = new URL(url)
  change(copy.searchParams)
  return copy
}
