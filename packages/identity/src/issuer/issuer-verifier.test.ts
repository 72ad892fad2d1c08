// Attacks bearer tokens of other issuers: each is refused as `bad_token`, and nothing it names is ever asked.
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import {
  encode,
  type ForgedProvider,
  hmacJwt,
  newEcKey,
  newEdKey,
  newRsaKey,
  signJwt,
  startForgedProvider,
  type TestKey,
} from '../../../../test/forged-provider.ts'
import { IdentityError, type IdentityErrorCode } from '../error.ts'
import { createIssuerVerifier, type IssuerSettings } from './issuer-verifier.ts'
import { claimedOf } from './peek.ts'

const isCode = (code: IdentityErrorCode) => (error: unknown) =>
  error instanceof IdentityError && error.code === code

const now = new Date('2026-11-26T09:00:00Z')
const seconds = now.getTime() / 1000
const key = newRsaKey('one')
const elliptic = newEcKey('two')
const edwards = newEdKey('three')
const stranger = newRsaKey('one')
const issuer = 'https://issuer.example/realms/a'
const audience = 'https://vault.example'
const claims = {
  iss: issuer,
  aud: audience,
  sub: 'program-7',
  jti: 'first',
  org: 'tenant-a',
  scope: 'recordings:read recordings:list recordings:read',
  iat: seconds - 60,
  nbf: seconds - 60,
  exp: seconds + 600,
}
const header = { alg: 'RS256', typ: 'at+jwt', kid: 'one' }
const publicPem = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' })

const settingsOf = (provider: ForgedProvider, change: Partial<IssuerSettings> = {}): IssuerSettings => ({
  id: 'machines',
  issuer,
  audience,
  jwksUri: `${provider.issuer}/keys`,
  algorithms: ['RS256', 'ES256', 'EdDSA'],
  tenantClaim: { name: 'org', value: 'tenant-a' },
  clockToleranceSeconds: 30,
  maxLifetimeSeconds: 3600,
  ...change,
})
const verifierOf = (provider: ForgedProvider, ...changes: Partial<IssuerSettings>[]) =>
  createIssuerVerifier(
    (changes.length === 0 ? [{}] : changes).map(change => settingsOf(provider, change)),
    { now: () => now, allowInsecureLoopback: true },
  )

async function startIssuer(...keys: TestKey[]) {
  const provider = await startForgedProvider()
  provider.keys = (keys.length === 0 ? [key, elliptic, edwards] : keys).map(one => one.publicJwk)
  return provider
}

const issuerOf = (token: string) => claimedOf(token)?.issuer ?? null
const without = (record: Readonly<Record<string, unknown>>, name: string) =>
  Object.fromEntries(Object.entries(record).filter(([each]) => each !== name))

test('a token says whose it is', async () => {
  await using provider = await startIssuer()
  assert.deepEqual(await verifierOf(provider).verify(signJwt(key, header, claims)), {
    issuerId: 'machines',
    subject: 'program-7',
    jti: 'first',
    scopes: ['recordings:read', 'recordings:list'],
    expiresAt: new Date('2026-11-26T09:10:00Z'),
  })
})

const accepted: Record<string, () => string> = {
  'type JWT': () => signJwt(key, { ...header, typ: 'JWT' }, claims),
  'type with application/': () => signJwt(key, { ...header, typ: 'application/AT+JWT' }, claims),
  'no type': () => signJwt(key, without(header, 'typ'), claims),
  'audience among others': () => signJwt(key, header, { ...claims, aud: ['else', audience] }),
  'no jti, no nbf': () => signJwt(key, header, without(without(claims, 'jti'), 'nbf')),
  ES256: () => signJwt(elliptic, { ...header, alg: 'ES256', kid: 'two' }, claims),
  EdDSA: () => signJwt(edwards, { ...header, alg: 'EdDSA', kid: 'three' }, claims),
  'expired within the tolerance': () => signJwt(key, header, { ...claims, exp: seconds - 29 }),
  'issued ahead within the tolerance': () =>
    signJwt(key, header, { ...claims, iat: seconds + 30, nbf: seconds + 30 }),
}
for (const [name, make] of Object.entries(accepted)) {
  test(`accepted: ${name}`, async () => {
    await using provider = await startIssuer()
    assert.equal((await verifierOf(provider).verify(make())).subject, 'program-7')
  })
}

test('scopes by either name, none, and together', async () => {
  await using provider = await startIssuer()
  const { verify } = verifierOf(provider)
  const scopesOf = async (change: object) =>
    (await verify(signJwt(key, header, { ...without(claims, 'scope'), ...change }))).scopes
  assert.deepEqual(await scopesOf({}), [])
  assert.deepEqual(await scopesOf({ scp: ['a', 'b'] }), ['a', 'b'])
  assert.deepEqual(await scopesOf({ scp: 'a  b' }), ['a', 'b'])
  assert.deepEqual(await scopesOf({ scope: 'a', scp: ['b', 'a'] }), ['a', 'b'])
})

const signed = (headerChange: object, claimsChange: object = {}) =>
  signJwt(key, { ...header, ...headerChange }, { ...claims, ...claimsChange })
const [head = '', body = '', signature = ''] = signJwt(key, header, claims).split('.')

const attacks: Record<string, (attacker: ForgedProvider) => string> = {
  'empty text': () => '',
  'two dots': () => '..',
  'four parts': () => `${head}.${body}.${signature}.${signature}`,
  'five parts, as if encrypted': () => `${head}.${body}.${signature}.${signature}.${signature}`,
  'signature empty': () => `${head}.${body}.`,
  'signature cut': () => `${head}.${body}.${signature.slice(0, -4)}`,
  'signature of other claims': () => `${head}.${encode({ ...claims, sub: 'root' })}.${signature}`,
  'white space inside': () => `${head}.${body}. ${signature}`,
  'letters that are none inside the claims': () => `${head}.${body}!.${signature}`,
  'over 8 KB, and really signed': () => signed({}, { note: 'x'.repeat(8192) }),
  'huge, of letters': () => 'A'.repeat(10_000_000),
  'huge, of dots': () => '.'.repeat(10_000_000),
  'claims nested beyond measure': () => `${head}.${encode('['.repeat(3000))}.${signature}`,
  'claims a list': () => signJwt(key, header, []),
  'claims null': () => signJwt(key, header, 'null'),
  'header a list': () => signJwt(key, [], claims),
  'alg none, no signature': () => `${encode({ ...header, alg: 'none' })}.${body}.`,
  'alg none, our signature': () => `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
  'alg None': () => signed({ alg: 'None' }),
  'alg missing': () => signJwt(key, without(header, 'alg'), claims),
  'alg a list': () => signed({ alg: ['RS256'] }),
  'alg that is not pinned': () => signed({ alg: 'RS512' }),
  'alg of another kind of key': () => signed({ alg: 'ES256' }),
  'HS256 with the public key as PEM': () =>
    hmacJwt(publicPem.toString(), { ...header, alg: 'HS256' }, claims),
  'HS256 with the public key as JWK': () =>
    hmacJwt(JSON.stringify(key.publicJwk), { ...header, alg: 'HS256' }, claims),
  'HMAC under the name RS256': () => hmacJwt(publicPem.toString(), header, claims),
  'HS256 with an empty secret': () => hmacJwt('', { ...header, alg: 'HS256' }, claims),
  'a stranger under their kid': () => signJwt(stranger, header, claims),
  'kid unknown': () => signed({ kid: 'unknown' }),
  'kid a path': () => signed({ kid: '../../../../dev/null' }),
  'kid an address': attacker => signed({ kid: `${attacker.issuer}/keys` }),
  'kid a query of a database': () => signed({ kid: "one' or '1'='1" }),
  'kid of an object member': () => signed({ kid: '__proto__' }),
  'kid a number': () => signed({ kid: 1 }),
  'kid of another kind of key': () => signed({ kid: 'two' }),
  'kid beyond measure': () => signed({ kid: 'k'.repeat(300) }),
  'kid missing where there are several keys of its kind': () =>
    signJwt(stranger, without(header, 'kid'), claims),
  'jku of an attacker, signed by them': attacker =>
    signJwt(stranger, { ...header, jku: `${attacker.issuer}/keys` }, claims),
  'jku of an attacker, signed rightly': attacker => signed({ jku: `${attacker.issuer}/keys` }),
  'x5u of an attacker': attacker => signJwt(stranger, { ...header, x5u: `${attacker.issuer}/keys` }, claims),
  'x5c embedded': () => signJwt(stranger, { ...header, x5c: ['AAAA'] }, claims),
  'jwk embedded, signed by it': () => signJwt(stranger, { ...header, jwk: stranger.publicJwk }, claims),
  'jwk embedded, without a kid': () =>
    signJwt(stranger, { ...without(header, 'kid'), jwk: stranger.publicJwk }, claims),
  'jwk embedded, signed rightly': () => signed({ jwk: key.publicJwk }),
  'crit of a member that is known': () => signed({ crit: ['exp'], exp: 1 }),
  'crit empty': () => signed({ crit: [] }),
  'b64 false': () => signed({ b64: false, crit: ['b64'] }),
  zip: () => signed({ zip: 'DEF' }),
  'typ of a logout token': () => signed({ typ: 'logout+jwt' }),
  'typ of a proof of possession': () => signed({ typ: 'dpop+jwt' }),
  'typ a list': () => signed({ typ: ['JWT'] }),
  'issuer of somebody else': () => signed({}, { iss: 'https://other.example' }),
  'issuer with a slash more': () => signed({}, { iss: `${issuer}/` }),
  'issuer in capitals': () => signed({}, { iss: issuer.toUpperCase() }),
  'issuer a list': () => signed({}, { iss: [issuer] }),
  'audience of somebody else': () => signed({}, { aud: 'https://other.example' }),
  'audience that begins like ours': () => signed({}, { aud: `${audience}.attacker.example` }),
  'audience a list without ours': () => signed({}, { aud: ['a', 'b'] }),
  'audience a list in a list': () => signed({}, { aud: [[audience]] }),
  'audience an object': () => signed({}, { aud: { 0: audience } }),
  'tenant of somebody else': () => signed({}, { org: 'tenant-b' }),
  'tenant a list with ours': () => signed({}, { org: ['tenant-a'] }),
  'tenant twice, ours first': () =>
    signJwt(key, header, `{"org":"tenant-a",${JSON.stringify({ ...claims, org: 'tenant-b' }).slice(1)}`),
  expired: () => signed({}, { exp: seconds - 31 }),
  'expires never': () => signed({}, { exp: null }),
  'expiry as text': () => signed({}, { exp: String(seconds + 600) }),
  'expiry beyond all numbers': () =>
    signJwt(key, header, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400')),
  'expiry as a fraction': () => signed({}, { exp: seconds + 0.5 }),
  'lives too long': () => signed({}, { exp: claims.iat + 3601 }),
  'issued long ago, to make it live long': () => signed({}, { iat: 0 }),
  'not valid yet': () => signed({}, { nbf: seconds + 31 }),
  'issued in the future': () => signed({}, { iat: seconds + 31 }),
  'issued as text': () => signed({}, { iat: String(seconds) }),
  'subject empty': () => signed({}, { sub: '' }),
  'subject with a line feed': () => signed({}, { sub: 'a\nb' }),
  'subject with a zero byte': () => signed({}, { sub: 'a\0b' }),
  'subject beyond measure': () => signed({}, { sub: 'a'.repeat(256) }),
  'subject an object': () => signed({}, { sub: { a: 1 } }),
  'scopes with a quote': () => signed({}, { scope: 'a"b' }),
  'scopes an object': () => signed({}, { scope: { a: 1 } }),
  'scopes beyond measure': () => signed({}, { scp: Array.from({ length: 101 }, (_, index) => `s${index}`) }),
  ...Object.fromEntries(
    ['iss', 'aud', 'sub', 'exp', 'iat', 'org'].map(name => [
      `claim ${name} missing`,
      () => signJwt(key, header, without(claims, name)),
    ]),
  ),
}

for (const [name, make] of Object.entries(attacks)) {
  test(`refused: ${name}`, async () => {
    await using provider = await startIssuer(key, elliptic, edwards, newRsaKey('four'))
    await using attacker = await startIssuer(stranger)
    const { verify } = verifierOf(provider)
    await verify(signJwt(key, header, claims))
    await assert.rejects(verify(make(attacker)), isCode('bad_token'))
    assert.equal(attacker.asked.size, 0)
    assert.deepEqual([...provider.asked.keys()], ['/keys'])
  })
}

test('refused: an algorithm that is not pinned, by a key that is good for any', async () => {
  await using provider = await startIssuer()
  provider.keys = [without(without(key.publicJwk, 'alg'), 'use')]
  const { verify } = verifierOf(provider)
  for (const alg of ['RS384', 'RS512', 'PS256', 'PS512']) {
    const token = await new SignJWT(claims).setProtectedHeader({ ...header, alg }).sign(key.privateKey)
    await assert.rejects(verify(token), isCode('bad_token'), alg)
  }
  await verify(await new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey))
})

test('every refusal reads the same', async () => {
  await using provider = await startIssuer()
  await using attacker = await startIssuer()
  const { verify } = verifierOf(provider)
  const messages = new Set<string>()
  for (const make of Object.values(attacks)) {
    const error = await verify(make(attacker)).catch((reason: unknown) => reason)
    assert.ok(error instanceof IdentityError && error.cause instanceof Error)
    messages.add(error.message)
  }
  assert.equal(messages.size, 1)
})

test('no altered character leaves a token that holds', async () => {
  await using provider = await startIssuer()
  const { verify } = verifierOf(provider)
  const token = signJwt(key, header, claims)
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ']
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...letters), async (index, letter) => {
      fc.pre(token[index] !== letter)
      await assert.rejects(
        verify(token.slice(0, index) + letter + token.slice(index + 1)),
        isCode('bad_token'),
      )
    }),
  )
})

test('any text at all is refused, and never breaks', async () => {
  await using provider = await startIssuer()
  const { verify } = verifierOf(provider)
  const part = fc.oneof(fc.string(), fc.json().map(encode), fc.string().map(encode))
  const text = fc.oneof(
    fc.string(),
    fc.tuple(part, part, part).map(parts => parts.join('.')),
  )
  await fc.assert(
    fc.asyncProperty(text, async token => {
      const issuerClaimed = issuerOf(token)
      assert.ok(issuerClaimed === null || typeof issuerClaimed === 'string')
      await assert.rejects(verify(token), isCode('bad_token'))
    }),
  )
})

test('which issuer a token names, unverified', () => {
  assert.equal(issuerOf(signJwt(stranger, header, claims)), issuer)
  assert.equal(issuerOf(`${head}.${body}.AA`), issuer)
  for (const token of [
    '',
    'aur_pat_0123456789',
    `${head}.${body}`,
    `${head}.${body}.`,
    `${head}.${body}.x`,
    `${head}.${encode({})}.AA`,
    `${head}.${encode({ iss: 1 })}.AA`,
    `${head}.${encode({ iss: '' })}.AA`,
    `${head}.${encode({ iss: 'x'.repeat(1025) })}.AA`,
    `${head}.${encode({ iss: issuer, note: 'x'.repeat(8192) })}.AA`,
    `${head}.${encode('null')}.AA`,
  ]) {
    assert.equal(issuerOf(token), null)
  }
})

test('keys that rotate are fetched, but not for every token that names an unknown one', async () => {
  await using provider = await startIssuer()
  const { verify } = verifierOf(provider)
  await verify(signJwt(key, header, claims))
  for (let count = 0; count < 20; count++)
    await assert.rejects(verify(signed({ kid: `unknown-${count}` })), isCode('bad_token'))
  assert.equal(provider.asked.get('/keys'), 1)
})

test('a new key holds, and a withdrawn one does not', async context => {
  await using provider = await startIssuer()
  const { verify } = verifierOf(provider)
  await verify(signJwt(key, header, claims))
  const next = newRsaKey('next')
  provider.keys = [next.publicJwk]
  // jose reads the machine's clock for how old its keys are.
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 6000 })
  await verify(signJwt(next, { ...header, kid: 'next' }, claims))
  assert.equal(provider.asked.get('/keys'), 2)
  await assert.rejects(verify(signJwt(key, header, claims)), isCode('bad_token'))
})

test('an issuer whose keys cannot be had says nothing about the token', async () => {
  await using provider = await startIssuer()
  const token = signJwt(key, header, claims)
  const isAway = (error: unknown) =>
    isCode('provider_unavailable')(error) && (error as IdentityError).transient
  const { verify } = verifierOf(provider)
  provider.isDown = true
  await assert.rejects(verify(token), isAway)
  provider.isDown = false
  for (const status of [302, 403, 404, 429, 500, 503]) {
    provider.status = status
    await assert.rejects(verify(token), isAway, String(status))
  }
  provider.status = 200
  for (const keys of ['', '{', 'null', '{"keys":{}}', `{"keys":[],"more":"${'x'.repeat(600_000)}"}`]) {
    provider.keys = keys
    await assert.rejects(verify(token), isAway, keys.slice(0, 20))
  }
  provider.keys = [key.publicJwk]
  assert.equal((await verify(token)).subject, 'program-7')
})

test('what is refused for its claims alone asks nobody', async () => {
  await using provider = await startIssuer()
  const { verify } = verifierOf(provider)
  for (const change of [{ iss: 'https://other.example' }, { aud: 'other' }, { org: 'tenant-b' }])
    await assert.rejects(verify(signed({}, change)), isCode('bad_token'))
  assert.equal(provider.asked.size, 0)
})

test('tenants of one issuer are kept apart, and a token never fits two', async () => {
  await using provider = await startIssuer()
  const { verify } = verifierOf(
    provider,
    { id: 'a' },
    { id: 'b', tenantClaim: { name: 'org', value: 'tenant-b' } },
    { id: 'c', tenantClaim: { name: 'realm', value: 'c' } },
  )
  assert.equal((await verify(signed({}))).issuerId, 'a')
  assert.equal((await verify(signed({}, { org: 'tenant-b' }))).issuerId, 'b')
  await assert.rejects(verify(signed({}, { org: 'tenant-d' })), isCode('bad_token'))
  await assert.rejects(verify(signed({}, { realm: 'c' })), isCode('bad_token'))
})

test('a key of one issuer does not sign for another', async () => {
  await using provider = await startIssuer()
  await using other = await startIssuer(newRsaKey('one'))
  const { verify } = verifierOf(
    provider,
    { id: 'a' },
    {
      id: 'b',
      issuer: 'https://b.example',
      jwksUri: `${other.issuer}/keys`,
    },
  )
  await verify(signed({}))
  await assert.rejects(verify(signed({}, { iss: 'https://b.example' })), isCode('bad_token'))
})

test('who stops waiting gets their reason, and the keys come all the same', async () => {
  await using provider = await startIssuer()
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const { verify } = createIssuerVerifier([settingsOf(provider)], {
    now: () => now,
    allowInsecureLoopback: true,
    fetch: async (url, init) => {
      await held
      return fetch(url, { ...init, body: init.body ?? null })
    },
  })
  const stop = new AbortController()
  const stopped = verify(signed({}), { signal: stop.signal })
  const other = verify(signed({}))
  const reason = new Error('enough')
  stop.abort(reason)
  await assert.rejects(stopped, error => error === reason)
  release()
  assert.equal((await other).subject, 'program-7')
  assert.equal(provider.asked.get('/keys'), 1)
})

test('settings that cannot be are refused at once', async () => {
  await using provider = await startIssuer()
  for (const change of [
    { algorithms: [] },
    { algorithms: ['HS256'] },
    { algorithms: ['RS256', 'none'] },
    { clockToleranceSeconds: 61 },
    { clockToleranceSeconds: -1 },
    { clockToleranceSeconds: Number.NaN },
    { maxLifetimeSeconds: 0 },
    { audience: '' },
    { issuer: '' },
    { jwksUri: 'http://issuer.example/keys' },
    { jwksUri: 'http://127.0.0.1.attacker.example/keys' },
    { jwksUri: 'file:///etc/passwd' },
  ]) {
    const row = { ...settingsOf(provider), ...change } as IssuerSettings
    assert.throws(() => createIssuerVerifier([row], { allowInsecureLoopback: true }), TypeError)
  }
  assert.throws(() => createIssuerVerifier([settingsOf(provider)]), TypeError)
})
