// Attacks what comes from, or seems to come from, an OpenID provider: ID tokens, metadata, keys and logout tokens.
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import {
  encode,
  type ForgedProvider,
  hmacJwt,
  newEcKey,
  newRsaKey,
  signJwt,
  startForgedProvider,
} from '../../../../test/forged-provider.ts'
import { IdentityError, type IdentityErrorCode } from '../error.ts'
import { createOidcClient, type OidcClient } from './provider.ts'
import type { OidcSettings } from './settings.ts'

const isCode = (code: IdentityErrorCode) => (error: unknown) =>
  error instanceof IdentityError && error.code === code

type Json = Readonly<Record<string, unknown>>

const key = newRsaKey('one')
const stranger = newRsaKey('one')
const elliptic = newEcKey('two')
const publicPem = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' })
const header = { alg: 'RS256', kid: 'one' }
const clientSecret = 'the secret of the client, which an HS256 token would be signed with'
const redirectUri = 'https://vault.example/callback'
const now = new Date('2026-11-26T09:00:00Z')
const seconds = now.getTime() / 1000
const later = (ms: number) => new Date(now.getTime() + ms)

const settingsOf = (provider: ForgedProvider): OidcSettings => ({
  id: 'main',
  issuer: provider.issuer,
  clientId: 'auricle',
  clientSecret,
  scopes: [],
  acrValues: [],
  requiredAcr: [],
  requiredAmr: ['otp'],
  groupsClaim: 'groups',
  loginClaim: 'preferred_username',
  nameClaim: 'name',
  redirectUri,
})

async function startProvider() {
  const provider = await startForgedProvider()
  provider.keys = [key.publicJwk, elliptic.publicJwk]
  return { provider, client: createOidcClient(settingsOf(provider), { allowInsecureLoopback: true }) }
}

interface Attempted {
  readonly provider: ForgedProvider
  readonly claims: Json
}

/** Begins, and lets the provider answer with the ID token that `make` makes of the right claims. */
async function finishWith(
  client: OidcClient,
  provider: ForgedProvider,
  make: (attempted: Attempted) => string | undefined,
  purpose: 'sign_in' | 'step_up' = 'sign_in',
) {
  const { attempt } = await client.begin({ purpose })
  const claims = {
    iss: provider.issuer,
    aud: 'auricle',
    sub: 'person-1',
    preferred_username: 'ines',
    amr: ['pwd', 'otp'],
    nonce: attempt.nonce,
    auth_time: seconds - 5,
    iat: seconds - 1,
    exp: seconds + 300,
  }
  provider.tokens = { access_token: 'a', token_type: 'Bearer', id_token: make({ provider, claims }) }
  const callbackUrl = new URL(redirectUri)
  callbackUrl.search = new URLSearchParams({ code: 'c', state: attempt.state }).toString()
  return client.finish({ callbackUrl, attempt, now })
}

const without = (record: Json, ...names: string[]) =>
  Object.fromEntries(Object.entries(record).filter(([each]) => !names.includes(each)))
const signed =
  (headerChange: object, claimsChange: object = {}) =>
  ({ claims }: Attempted) =>
    signJwt(key, { ...header, ...headerChange }, { ...claims, ...claimsChange })

const accepted: Record<string, (attempted: Attempted) => string> = {
  'as it must be': signed({}),
  'type JWT': signed({ typ: 'JWT' }),
  'another algorithm that the provider offers': ({ claims }) =>
    signJwt(elliptic, { alg: 'ES256', kid: 'two' }, claims),
  'audience a list of us': signed({}, { aud: ['auricle'] }),
  'audience a list with us, authorised party us': signed({}, { aud: ['auricle', 'else'], azp: 'auricle' }),
  'expired within the tolerance': signed({}, { exp: seconds - 29 }),
}
for (const [name, make] of Object.entries(accepted)) {
  test(`accepted: ${name}`, async () => {
    const { provider, client } = await startProvider()
    await using _ = provider
    assert.deepEqual(await finishWith(client, provider, make), {
      providerId: 'main',
      subject: 'person-1',
      sid: null,
      login: 'ines',
      name: 'ines',
      groups: [],
      acr: null,
      amr: ['pwd', 'otp'],
      authenticatedAt: later(-5000),
    })
  })
}

const attacks: Record<string, (attempted: Attempted) => string | undefined> = {
  'no ID token': () => undefined,
  'not a token': () => 'x',
  'alg none': ({ claims }) => `${encode({ alg: 'none' })}.${encode(claims)}.`,
  'alg none, with a signature': signed({ alg: 'none' }),
  'HS256 with the secret of the client': ({ claims }) => hmacJwt(clientSecret, { alg: 'HS256' }, claims),
  'HS256 with the public key as PEM': ({ claims }) =>
    hmacJwt(publicPem.toString(), { ...header, alg: 'HS256' }, claims),
  'HS256 with the public key as JWK': ({ claims }) =>
    hmacJwt(JSON.stringify(key.publicJwk), { ...header, alg: 'HS256' }, claims),
  'an algorithm that the provider does not offer': signed({ alg: 'PS256' }),
  'signature of a stranger': ({ claims }) => signJwt(stranger, header, claims),
  'signature of a stranger without a kid': ({ claims }) => signJwt(stranger, { alg: 'RS256' }, claims),
  'signature empty': attempted => signed({})(attempted).replace(/[^.]+$/, ''),
  'kid unknown': signed({ kid: 'unknown' }),
  'kid a path': signed({ kid: '../../../../dev/null' }),
  'kid of an object member': signed({ kid: '__proto__' }),
  'jku of an attacker': ({ claims }) =>
    signJwt(stranger, { ...header, jku: 'https://attacker.example/keys' }, claims),
  'jwk embedded, signed by it': ({ claims }) =>
    signJwt(stranger, { ...header, jwk: stranger.publicJwk }, claims),
  'jwk embedded, signed rightly': signed({ jwk: key.publicJwk }),
  'x5u of an attacker': signed({ x5u: 'https://attacker.example/chain' }),
  crit: signed({ crit: ['exp'] }),
  'an access token in its place': signed({ typ: 'at+jwt' }),
  'a logout token in its place': signed({ typ: 'logout+jwt' }),
  'issuer of somebody else': signed({}, { iss: 'https://attacker.example' }),
  'issuer with a slash more': ({ provider, claims }) =>
    signJwt(key, header, { ...claims, iss: `${provider.issuer}/` }),
  'audience of somebody else': signed({}, { aud: 'other' }),
  'audience a list without us': signed({}, { aud: ['other', 'else'] }),
  'audience a list with us and others, no authorised party': signed({}, { aud: ['auricle', 'else'] }),
  'audience a list with us and others, another authorised party': signed(
    {},
    { aud: ['auricle', 'else'], azp: 'else' },
  ),
  'authorised party of somebody else': signed({}, { azp: 'else' }),
  'nonce of another attempt': signed({}, { nonce: 'x'.repeat(43) }),
  'nonce a list': ({ claims }) => signJwt(key, header, { ...claims, nonce: [claims['nonce']] }),
  expired: signed({}, { exp: seconds - 31 }),
  'not valid yet': signed({}, { nbf: seconds + 31 }),
  'issued in the future': signed({}, { iat: seconds + 31 }),
  'signed in only in the future': signed({}, { auth_time: seconds + 31 }),
  'signed in at no number': signed({}, { auth_time: 'now' }),
  'login missing': ({ claims }) => signJwt(key, header, without(claims, 'preferred_username')),
  'login a list': signed({}, { preferred_username: ['ines'] }),
  'login with a line feed': signed({}, { preferred_username: 'a\nb' }),
  'login beyond measure': signed({}, { preferred_username: 'a'.repeat(129) }),
  'subject empty': signed({}, { sub: '' }),
  'subject with a zero byte': signed({}, { sub: 'a\0' }),
  'subject a number': signed({}, { sub: 7 }),
  'subject beyond measure': signed({}, { sub: 'a'.repeat(256) }),
  'sid a number': signed({}, { sid: 7 }),
  'amr a text that holds the method': signed({}, { amr: 'pwd otp' }),
  'amr an object': signed({}, { amr: { 0: 'otp' } }),
  'groups an object': signed({}, { groups: { clinic: true } }),
  'groups with a number': signed({}, { groups: ['a', 1] }),
  'groups beyond measure': signed({}, { groups: Array.from({ length: 501 }, (_, index) => `g${index}`) }),
  'a group beyond measure': signed({}, { groups: ['g'.repeat(257)] }),
  ...Object.fromEntries(
    ['iss', 'aud', 'sub', 'exp', 'iat', 'nonce'].map(name => [
      `claim ${name} missing`,
      ({ claims }: Attempted) => signJwt(key, header, without(claims, name)),
    ]),
  ),
}
for (const [name, make] of Object.entries(attacks)) {
  test(`ID token refused: ${name}`, async () => {
    const { provider, client } = await startProvider()
    await using _ = provider
    await finishWith(client, provider, signed({}))
    await assert.rejects(finishWith(client, provider, make), isCode('bad_provider_answer'))
  })
}

test('factors: the amr that was demanded must be there, letter by letter', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  for (const amr of [undefined, [], ['pwd'], ['OTP'], ['otp2'], ['pwd otp']])
    await assert.rejects(
      finishWith(client, provider, signed({}, { amr })),
      isCode('second_factor_missing'),
      String(amr),
    )
})

test('a step-up needs a fresh proof, said by the provider', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  const stepUp = (make: (attempted: Attempted) => string) => finishWith(client, provider, make, 'step_up')
  assert.deepEqual((await stepUp(signed({}))).authenticatedAt, later(-5000))
  await assert.rejects(stepUp(signed({}, { auth_time: seconds - 151 })), isCode('bad_provider_answer'))
  await assert.rejects(
    stepUp(({ claims }) => signJwt(key, header, without(claims, 'auth_time'))),
    isCode('bad_provider_answer'),
  )
})

test('groups: as many as there may be, one as a text, and by any name of the claim', async () => {
  const { provider } = await startProvider()
  await using _ = provider
  const most = Array.from({ length: 500 }, (_unused, index) => `${index}`.padStart(256, 'g'))
  const client = createOidcClient(
    { ...settingsOf(provider), groupsClaim: 'https://idp.example/groups' },
    { allowInsecureLoopback: true },
  )
  const groupsOf = async (groups: unknown) =>
    (await finishWith(client, provider, signed({}, { 'https://idp.example/groups': groups }))).groups
  assert.deepEqual(await groupsOf(most), most)
  assert.deepEqual(await groupsOf('clinic'), ['clinic'])
  assert.deepEqual(await groupsOf(undefined), [])
})

test('keys without an id that rotate', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  const anonymous = (jwk: Json) => [without(jwk, 'kid')]
  const by = (signer: typeof key) => (attempted: Attempted) =>
    signJwt(signer, { alg: 'RS256' }, attempted.claims)
  provider.keys = anonymous(key.publicJwk)
  await finishWith(client, provider, by(key))
  provider.keys = anonymous(stranger.publicJwk)
  await finishWith(client, provider, by(stranger))
  await assert.rejects(finishWith(client, provider, by(key)), isCode('bad_provider_answer'))
})

const badMetadata: Record<string, (metadata: Json) => Json | string> = {
  'not JSON': () => '<html>',
  'a list': () => '[]',
  'issuer of somebody else': metadata => ({ ...metadata, issuer: 'https://attacker.example' }),
  'issuer missing': metadata => without(metadata, 'issuer'),
  'no keys': metadata => without(metadata, 'jwks_uri'),
  'keys in a file': metadata => ({ ...metadata, jwks_uri: 'file:///etc/passwd' }),
  'keys over plain HTTP elsewhere': metadata => ({ ...metadata, jwks_uri: 'http://idp.example/keys' }),
  'nothing but symmetric algorithms': metadata => ({
    ...metadata,
    id_token_signing_alg_values_supported: ['HS256', 'none'],
  }),
  'no authorization endpoint': metadata => without(metadata, 'authorization_endpoint'),
  'beyond measure': metadata => ({ ...metadata, more: 'x'.repeat(600_000) }),
}
for (const [name, change] of Object.entries(badMetadata)) {
  test(`metadata refused: ${name}`, async () => {
    const { provider, client } = await startProvider()
    await using _ = provider
    const right = provider.metadata
    assert.ok(typeof right === 'object')
    provider.metadata = change(right)
    await assert.rejects(client.begin({ purpose: 'sign_in' }), isCode('bad_provider_answer'))
  })
}

test('metadata refused: of an issuer that serves everybody, in place of one tenant', async () => {
  const host = 'https://login.microsoftonline.com'
  const { provider } = await startProvider()
  await using _ = provider
  const client = createOidcClient(
    { ...settingsOf(provider), issuer: `${host}/common/v2.0` },
    {
      fetch: async () =>
        Response.json({
          issuer: `${host}/{tenantid}/v2.0`,
          authorization_endpoint: `${host}/common/oauth2/v2.0/authorize`,
          token_endpoint: `${host}/common/oauth2/v2.0/token`,
          jwks_uri: `${host}/common/discovery/v2.0/keys`,
        }),
      allowInsecureLoopback: true,
    },
  )
  await assert.rejects(client.begin({ purpose: 'sign_in' }), isCode('bad_provider_answer'))
})

test('the code and the secret go to no address but https', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  assert.ok(typeof provider.metadata === 'object')
  provider.metadata = { ...provider.metadata, token_endpoint: 'http://idp.example/token' }
  await assert.rejects(finishWith(client, provider, signed({})), isCode('bad_provider_answer'))
})

test('a provider that fails is away, not wrong; one that redirects is wrong', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  for (const status of [429, 500, 502, 503]) {
    provider.status = status
    await assert.rejects(client.begin({ purpose: 'sign_in' }), isCode('provider_unavailable'))
  }
  provider.status = 302
  await assert.rejects(client.begin({ purpose: 'sign_in' }), isCode('bad_provider_answer'))
  provider.status = 200
  await finishWith(client, provider, signed({}))
})

test('keys that cannot be had when the code is spent', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  provider.keys = '{'
  await assert.rejects(finishWith(client, provider, signed({})), isCode('provider_unavailable'))
})

test('who stops waiting while the code is spent gets their reason', async () => {
  const { provider } = await startProvider()
  await using _ = provider
  const stop = new AbortController()
  const reason = new Error('enough')
  const client = createOidcClient(settingsOf(provider), {
    allowInsecureLoopback: true,
    fetch: async (url, init) => {
      if (url.endsWith('/token')) stop.abort(reason)
      return fetch(url, { ...init, body: init.body ?? null })
    },
  })
  const { attempt } = await client.begin({ purpose: 'sign_in' })
  const callbackUrl = new URL(redirectUri)
  callbackUrl.search = new URLSearchParams({ code: 'c', state: attempt.state }).toString()
  await assert.rejects(
    client.finish({ callbackUrl, attempt, now }, { signal: stop.signal }),
    error => error === reason,
  )
  assert.equal(provider.asked.get('/token'), undefined)
})

test('a provider without a sign-out of its own', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  assert.ok(typeof provider.metadata === 'object')
  provider.metadata = without(provider.metadata, 'end_session_endpoint')
  assert.equal(await client.endSessionUrl({ postLogoutRedirectUri: redirectUri, state: 's' }), null)
})

const logoutEvent = { 'http://schemas.openid.net/event/backchannel-logout': {} }
const logoutClaims = (provider: ForgedProvider) => ({
  iss: provider.issuer,
  aud: 'auricle',
  sub: 'person-1',
  sid: 'session-1',
  jti: 'first',
  events: logoutEvent,
  iat: seconds - 1,
  exp: seconds + 119,
})
const logoutHeader = { ...header, typ: 'logout+jwt' }

test('a logout token says whose session ended', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  const claims = logoutClaims(provider)
  assert.deepEqual(await client.verifyLogoutToken(signJwt(key, logoutHeader, claims), { now }), {
    subject: 'person-1',
    sid: 'session-1',
    jti: 'first',
    expiresAt: later(149_000),
  })
  const bySubject = await client.verifyLogoutToken(signJwt(key, header, without(claims, 'sid')), { now })
  assert.equal(bySubject.sid, null)
  const bySession = await client.verifyLogoutToken(signJwt(key, header, without(claims, 'sub')), { now })
  assert.equal(bySession.subject, null)
  const longLived = signJwt(key, logoutHeader, { ...claims, exp: seconds + 86_400 })
  assert.deepEqual((await client.verifyLogoutToken(longLived, { now })).expiresAt, later(329_000))
  await assert.rejects(client.verifyLogoutToken(longLived, { now: later(329_000) }), isCode('bad_token'))
})

const logoutAttacks: Record<string, (claims: Json) => string> = {
  'empty text': () => '',
  'alg none': claims => `${encode({ ...logoutHeader, alg: 'none' })}.${encode(claims)}.`,
  'HS256 with the secret of the client': claims =>
    hmacJwt(clientSecret, { ...logoutHeader, alg: 'HS256' }, claims),
  'HS256 with the public key': claims =>
    hmacJwt(publicPem.toString(), { ...logoutHeader, alg: 'HS256' }, claims),
  'signature of a stranger': claims => signJwt(stranger, logoutHeader, claims),
  'jwk embedded, signed by it': claims =>
    signJwt(stranger, { ...logoutHeader, jwk: stranger.publicJwk }, claims),
  'jku of an attacker': claims =>
    signJwt(stranger, { ...logoutHeader, jku: 'https://a.example/keys' }, claims),
  'an access token in its place': claims => signJwt(key, { ...logoutHeader, typ: 'at+jwt' }, claims),
  'an ID token in its place': claims =>
    signJwt(key, header, { ...without(claims, 'events', 'jti'), nonce: 'n', exp: seconds + 300 }),
  'with a nonce': claims => signJwt(key, logoutHeader, { ...claims, nonce: 'n' }),
  'with a nonce of null': claims => signJwt(key, logoutHeader, { ...claims, nonce: null }),
  'events of another kind': claims =>
    signJwt(key, logoutHeader, { ...claims, events: { 'https://attacker.example/event': {} } }),
  'events a list': claims => signJwt(key, logoutHeader, { ...claims, events: Object.keys(logoutEvent) }),
  'an event that is a text': claims =>
    signJwt(key, logoutHeader, {
      ...claims,
      events: { 'http://schemas.openid.net/event/backchannel-logout': 'yes' },
    }),
  'issuer of somebody else': claims =>
    signJwt(key, logoutHeader, { ...claims, iss: 'https://other.example' }),
  'audience of somebody else': claims => signJwt(key, logoutHeader, { ...claims, aud: 'other' }),
  'neither subject nor session': claims => signJwt(key, logoutHeader, without(claims, 'sub', 'sid')),
  'subject empty': claims => signJwt(key, logoutHeader, { ...claims, sub: '' }),
  expired: claims => signJwt(key, logoutHeader, { ...claims, exp: seconds - 31 }),
  'issued too long ago': claims => signJwt(key, logoutHeader, { ...claims, iat: seconds - 331 }),
  'issued in the future': claims => signJwt(key, logoutHeader, { ...claims, iat: seconds + 31 }),
  'beyond measure': claims => signJwt(key, logoutHeader, { ...claims, more: 'x'.repeat(8192) }),
  ...Object.fromEntries(
    ['iss', 'aud', 'jti', 'events', 'iat', 'exp'].map(name => [
      `claim ${name} missing`,
      (claims: Json) => signJwt(key, logoutHeader, without(claims, name)),
    ]),
  ),
}
for (const [name, make] of Object.entries(logoutAttacks)) {
  test(`logout token refused: ${name}`, async () => {
    const { provider, client } = await startProvider()
    await using _ = provider
    await assert.rejects(client.verifyLogoutToken(make(logoutClaims(provider)), { now }), isCode('bad_token'))
  })
}

test('unknown keys in logout tokens do not make us ask the provider again and again', async () => {
  const { provider, client } = await startProvider()
  await using _ = provider
  for (let count = 0; count < 20; count++) {
    const token = signJwt(key, { ...logoutHeader, kid: `unknown-${count}` }, logoutClaims(provider))
    await assert.rejects(client.verifyLogoutToken(token, { now }), isCode('bad_token'))
  }
  assert.equal(provider.asked.get('/keys'), 1)
})
