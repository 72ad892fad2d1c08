// Attacks tokens: each of these must be `bad_token`, whoever made it and however close it comes.
import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { newTenantId, newTokenId, newUserId } from '@auricle/contract'
import fc from 'fast-check'
import { generateKeyPair, SignJWT } from 'jose'
import { IdentityError, type IdentityErrorCode } from './error.ts'
import { RefusedToken } from './refused-token.ts'
import { type NewToken, signToken, verifyToken } from './token.ts'
import { createTokenKeys, newTokenKey } from './token-key.ts'
import { createTokenVerifier } from './token-verifier.ts'

const pair = await newTokenKey()
const retired = await newTokenKey()
const keys = await createTokenKeys({ current: pair, all: [pair, retired] })
const retiredKeys = await createTokenKeys({ current: retired, all: [] })
const strangerKeys = await createTokenKeys({ current: await newTokenKey(), all: [] })

const now = new Date('2026-11-22T11:00:00Z')
const seconds = now.getTime() / 1000
const parties = { issuer: 'https://vault.example', audience: 'auricle-api' }
const facts: NewToken = {
  ...parties,
  key: keys.signing,
  tenantId: newTenantId(),
  userId: newUserId(),
  tokenId: newTokenId(),
  purpose: 'session',
  expiresAt: new Date(now.getTime() + 3_600_000),
  now,
}
const check = { ...parties, keys, now }
const token = await signToken(facts)
const [head = '', body = '', signature = ''] = token.split('.')

const isCode = (code: IdentityErrorCode) => (error: unknown) =>
  error instanceof IdentityError && error.code === code
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const decode = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString())
const header = decode(head)
const claims = decode(body)

/** Any text for header and claims, really signed with our own key. */
async function signedByUs(headerText: unknown, claimsText: unknown): Promise<string> {
  const input = `${encode(headerText)}.${encode(claimsText)}`
  const made = await crypto.subtle.sign('Ed25519', keys.signing.key, Buffer.from(input))
  return `${input}.${Buffer.from(made).toString('base64url')}`
}
const without = (record: Record<string, unknown>, name: string) =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name))

test('a token comes back as what it was signed for', async () => {
  assert.deepEqual(header, { alg: 'Ed25519', typ: 'at+jwt', kid: pair.kid })
  assert.deepEqual(await verifyToken(token, check), {
    tenantId: facts.tenantId,
    userId: facts.userId,
    tokenId: facts.tokenId,
    purpose: 'session',
    issuedAt: now,
    expiresAt: facts.expiresAt,
  })
})

test('a token of a key that no longer signs still holds', async () => {
  const old = await signToken({ ...facts, key: retiredKeys.signing, purpose: 'program' })
  assert.equal((await verifyToken(old, check)).purpose, 'program')
})

test('the harness signs as we do, so that what it forges is refused for its content alone', async () => {
  assert.equal(await signedByUs(header, claims), token)
})

const publicPem = createPublicKey({ key: { ...pair.publicJwk }, format: 'jwk' }).export({
  type: 'spki',
  format: 'pem',
})
const hmac = (secret: string | Buffer, headerValue: unknown) => {
  const input = `${encode(headerValue)}.${body}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = await generateKeyPair('Ed25519', { extractable: true })
const strangerJwk = await crypto.subtle.exportKey('jwk', stranger.publicKey)
const later = (ms: number) => new Date(now.getTime() + ms)

const attacks: Record<string, string | (() => Promise<string>)> = {
  'empty text': '',
  'two dots': '..',
  'two parts': `${head}.${body}`,
  'four parts': `${token}.${signature}`,
  'five parts, as if encrypted': `${token}.${head}.${body}`,
  'a space before': ` ${token}`,
  'a line feed after': `${token}\n`,
  'white space inside': `${head}.${body}. ${signature}`,
  'padding on the signature': `${token}==`,
  'padding on the header': `${head}=.${body}.${signature}`,
  'standard base64 letters': `${head}.${body}.${signature.slice(0, -2)}+/`,
  'signature spelled with other spare bits': spareBitsFlipped(token),
  'signature cut': token.slice(0, -4),
  'signature empty': `${head}.${body}.`,
  'signature all zero': `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
  'signature of another token': async () => {
    const other = await signToken({ ...facts, tokenId: newTokenId() })
    return `${head}.${body}.${other.split('.')[2] ?? ''}`
  },
  'alg none, no signature': `${encode({ ...header, alg: 'none' })}.${body}.`,
  'alg none, our signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
  'alg None': () => signedByUs({ ...header, alg: 'None' }, claims),
  'alg EdDSA, our key': () => signedByUs({ ...header, alg: 'EdDSA' }, claims),
  'alg missing': () => signedByUs(without(header, 'alg'), claims),
  'alg a list': () => signedByUs({ ...header, alg: ['Ed25519'] }, claims),
  'HS256 with the public key as PEM': hmac(publicPem.toString(), { ...header, alg: 'HS256' }),
  'HS256 with the public key as bytes': hmac(Buffer.from(String(pair.publicJwk['x']), 'base64url'), {
    ...header,
    alg: 'HS256',
  }),
  'HMAC under the name Ed25519': hmac(Buffer.from(String(pair.publicJwk['x']), 'base64url'), header),
  'ES256 of another key': () => {
    const input = `${encode({ ...header, alg: 'ES256' })}.${body}`
    const made = sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
    return Promise.resolve(`${input}.${made.toString('base64url')}`)
  },
  'a stranger under our kid': () =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'Ed25519', typ: 'at+jwt', kid: pair.kid })
      .sign(stranger.privateKey),
  'a stranger under their own kid': () => signToken({ ...facts, key: strangerKeys.signing }),
  'a stranger with an embedded jwk': () =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'Ed25519', typ: 'at+jwt', kid: pair.kid, jwk: strangerJwk })
      .sign(stranger.privateKey),
  'our key, embedded jwk': () => signedByUs({ ...header, jwk: pair.publicJwk }, claims),
  'our key, jku': () => signedByUs({ ...header, jku: 'https://attacker.example/keys' }, claims),
  'our key, x5u': () => signedByUs({ ...header, x5u: 'https://attacker.example/chain' }, claims),
  'our key, x5c': () => signedByUs({ ...header, x5c: ['AAAA'] }, claims),
  'our key, crit': () => signedByUs({ ...header, crit: ['exp'] }, claims),
  'our key, b64 false': () => signedByUs({ ...header, b64: false, crit: ['b64'] }, claims),
  'our key, zip': () => signedByUs({ ...header, zip: 'DEF' }, claims),
  'kid missing': () => signedByUs(without(header, 'kid'), claims),
  'kid unknown': () => signedByUs({ ...header, kid: 'unknown' }, claims),
  'kid a path': () => signedByUs({ ...header, kid: '../../../../dev/null' }, claims),
  'kid of an object member': () => signedByUs({ ...header, kid: '__proto__' }, claims),
  'kid of the other key': () => signedByUs({ ...header, kid: retired.kid }, claims),
  'typ JWT': () => signedByUs({ ...header, typ: 'JWT' }, claims),
  'typ missing': () => signedByUs(without(header, 'typ'), claims),
  'typ in capitals': () => signedByUs({ ...header, typ: 'AT+JWT' }, claims),
  'typ with application/': () => signedByUs({ ...header, typ: 'application/at+jwt' }, claims),
  'header with a duplicate alg': () => signedByUs(`{"alg":"none",${JSON.stringify(header).slice(1)}`, claims),
  'header with white space': () => signedByUs(`${JSON.stringify(header)} `, claims),
  'header not an object': () => signedByUs('[]', claims),
  'header not JSON': () => signedByUs('{', claims),
  'header not UTF-8': () => signedByUs('{', claims).then(made => `_w.${made.split('.').slice(1).join('.')}`),
  'payload altered: other tenant': `${head}.${encode({ ...claims, tenant: newTenantId() })}.${signature}`,
  'payload altered: other user': `${head}.${encode({ ...claims, sub: newUserId() })}.${signature}`,
  'payload altered: later expiry': `${head}.${encode({ ...claims, exp: seconds * 2 })}.${signature}`,
  'payload empty': () => signedByUs(header, ''),
  'payload null': () => signedByUs(header, 'null'),
  'payload with a byte order mark': () => signedByUs(header, `\ufeff${JSON.stringify(claims)}`),
  'payload with a duplicate tenant': () =>
    signedByUs(header, `{"tenant":"${newTenantId()}",${JSON.stringify(claims).slice(1)}`),
  'payload with an escaped duplicate': () =>
    signedByUs(header, `{"t\\u0065nant":"${newTenantId()}",${JSON.stringify(claims).slice(1)}`),
  'payload with white space': () => signedByUs(header, JSON.stringify(claims, null, 1)),
  'an unknown claim': () => signedByUs(header, { ...claims, roles: ['administrator'] }),
  'a polluting claim': () => signedByUs(header, `{"__proto__":{"a":1},${JSON.stringify(claims).slice(1)}`),
  'other issuer': () => signToken({ ...facts, issuer: 'https://other.example' }),
  'issuer with a slash': () => signToken({ ...facts, issuer: `${parties.issuer}/` }),
  'other audience': () => signToken({ ...facts, audience: 'other-api' }),
  'audience a list with ours': () => signedByUs(header, { ...claims, aud: [parties.audience] }),
  'subject of another kind': () => signedByUs(header, { ...claims, sub: facts.tenantId }),
  'subject with a quote': () => signedByUs(header, { ...claims, sub: "usr_' or 1=1" }),
  'purpose unknown': () => signedByUs(header, { ...claims, purpose: 'root' }),
  'expiry as text': () => signedByUs(header, { ...claims, exp: String(claims['exp']) }),
  'expiry as a fraction': () => signedByUs(header, { ...claims, exp: seconds + 0.5 }),
  'expiry beyond all numbers': () =>
    signedByUs(header, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400')),
  expired: () => signToken({ ...facts, expiresAt: now }),
  'expired a second ago': () => signToken({ ...facts, expiresAt: later(-1000) }),
  'not yet valid': () => signToken({ ...facts, now: later(6000) }),
  'issued later than valid': () => signedByUs(header, { ...claims, iat: seconds + 60 }),
  'huge, of letters': 'A'.repeat(10_000_000),
  'huge, of dots': '.'.repeat(10_000_000),
  'huge claim, signed': () => signedByUs(header, { ...claims, iss: 'x'.repeat(4000) }),
  'not ASCII': token.replace('e', 'е'),
  ...Object.fromEntries(
    Object.keys(claims).map(name => [
      `claim ${name} missing`,
      () => signedByUs(header, without(claims, name)),
    ]),
  ),
}

for (const [name, attack] of Object.entries(attacks)) {
  test(`refused: ${name}`, async () => {
    const forged = typeof attack === 'string' ? attack : await attack()
    assert.notEqual(forged, token)
    await assert.rejects(verifyToken(forged, check), isCode('bad_token'))
    const verify = createTokenVerifier({ ...parties, keys, now: () => now })
    await verify(token)
    await assert.rejects(verify(forged), isCode('bad_token'))
  })
}

test('every refusal reads the same, and says why only to the log', async () => {
  const messages = new Set<string>()
  for (const attack of Object.values(attacks)) {
    const forged = typeof attack === 'string' ? attack : await attack()
    const error = await verifyToken(forged, check).catch((reason: unknown) => reason)
    assert.ok(error instanceof RefusedToken && /^[a-z0-9_]+$/.test(error.reason))
    messages.add(error.message)
  }
  assert.equal(messages.size, 1)
})

test('no altered character leaves a token that holds', async () => {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ']
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...letters), async (index, letter) => {
      fc.pre(token[index] !== letter)
      const altered = token.slice(0, index) + letter + token.slice(index + 1)
      await assert.rejects(verifyToken(altered, check), isCode('bad_token'))
    }),
  )
})

test('times: a clock slightly ahead is allowed for, nothing is after expiry', async () => {
  await verifyToken(await signToken({ ...facts, now: later(5000) }), check)
  await verifyToken(token, { ...check, now: later(3_599_999) })
  await assert.rejects(verifyToken(token, { ...check, now: later(3_600_000) }), isCode('bad_token'))
})

test('a remembered token is still checked against the clock', async () => {
  let clock = now
  const verify = createTokenVerifier({ ...parties, keys, now: () => clock })
  const first = await verify(token)
  assert.equal(await verify(token), first)
  clock = later(3_600_000)
  await assert.rejects(verify(token), isCode('bad_token'))
  clock = later(-60_000)
  await assert.rejects(verify(token), isCode('bad_token'))
  clock = now
  assert.deepEqual(await verify(token), first)
})

test('only so many tokens are remembered, the last used longest', async () => {
  const verify = createTokenVerifier({ ...parties, keys, now: () => now, maxEntries: 2 })
  const tokens = await Promise.all([1, 2, 3].map(() => signToken({ ...facts, tokenId: newTokenId() })))
  const [a = '', b = '', c = ''] = tokens
  const first = { a: await verify(a), b: await verify(b) }
  assert.equal(await verify(a), first.a)
  await verify(c)
  assert.equal(await verify(a), first.a)
  // Verified anew: the same claims, another object.
  assert.notEqual(await verify(b), first.b)
  assert.deepEqual(await verify(b), first.b)
  const none = createTokenVerifier({ ...parties, keys, now: () => now, maxEntries: 0 })
  assert.notEqual(await none(a), await none(a))
})

test('a verifier of other parties or keys does not take the token', async () => {
  for (const other of [
    { ...parties, audience: 'x', keys },
    { ...parties, issuer: 'x', keys },
    { ...parties, keys: strangerKeys },
  ]) {
    await assert.rejects(createTokenVerifier({ ...other, now: () => now })(token), isCode('bad_token'))
  }
})

/** The last character of 64 bytes in base64url has four bits that say nothing. */
function spareBitsFlipped(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(text.slice(-1))
  const other = text.slice(0, -1) + alphabet.charAt(last ^ 1)
  assert.deepEqual(
    Buffer.from(other.split('.')[2] ?? '', 'base64url'),
    Buffer.from(text.split('.')[2] ?? '', 'base64url'),
  )
  return other
}
