// Attacks on tokens and sessions, each sent to a started service: refused, counted, and told in the log by a stable word.
//
// What a text must be to be a token is tested in `packages/identity/src/token.test.ts` as well; here the whole service
// answers, and what it says of the refusal is looked at. Long, because each attack is a line of its own.
import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { after, before, test } from 'node:test'
import type { TokenRow } from '@auricle/catalog'
import { newTenantId, newTokenId, newUserId, problems } from '@auricle/contract'
import { createTokenKeys, newTokenKey, totpCode } from '@auricle/identity'
import { createMetrics } from '@auricle/runtime'
import { loadTokenKeys, type TokenKeys } from '@auricle/vault'
import { z } from 'zod'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../test/vault.ts'

const minuteMs = 60_000
const metrics = createMetrics()

let vault: TestVault
let clinic: Clinic
let other: Clinic
let front: Front
let keys: TokenKeys
let signingKey: CryptoKey
/** A session that holds, whose token most attacks start from. */
let token: string
let row: TokenRow

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  other = await makeClinic(vault)
  front = await openFront(vault, { metrics })
  keys = await loadTokenKeys({ ...vault, newKeyPair: newTokenKey }, {})
  signingKey = (await createTokenKeys(keys)).signing.key
  ;({ token, row } = await front.sessionOf(clinic.clinician))
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

type CryptoKey = Awaited<ReturnType<typeof createTokenKeys>>['signing']['key']
type Headers = readonly (readonly [name: string, value: string])[]

interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Headers
  readonly body?: string
}

/** Header by header, as no proper client would send them. */
async function ask({ method = 'GET', path = '/v1/me', headers = [], body }: Ask) {
  const length: Headers = body === undefined ? [] : [['Content-Length', String(Buffer.byteLength(body))]]
  const lines = [['Host', `127.0.0.1:${front.port}`], ...headers, ...length].flat()
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly status: number
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
    readonly text: string
  }>()
  const sent = httpRequest({
    host: '127.0.0.1',
    port: front.port,
    method,
    path,
    headers: lines,
    agent: false,
  })
  sent.on('error', reject).on('response', answer => {
    const pieces: Buffer[] = []
    answer.on('data', piece => pieces.push(piece)).on('error', reject)
    answer.on('end', () =>
      resolve({
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        text: Buffer.concat(pieces).toString(),
      }),
    )
  })
  sent.end(body)
  return promise
}

const bearer = (text: string): Headers => [['Authorization', `Bearer ${text}`]]
const cookie = (text: string): Headers => [['Cookie', `__Host-auricle=${text}`]]
const ownOrigin = () => `http://127.0.0.1:${front.port}`

const Line = z.looseObject({
  level: z.string(),
  requestId: z.string().optional(),
  code: z.string().optional(),
})

async function countOf(reason: string): Promise<number> {
  const text = await metrics.render()
  const found = new RegExp(`^auricle_refused_tokens_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(text)
  return Number(found?.[1] ?? 0)
}

/** The attack fails, with one line and one count that say why, and neither repeats what was sent. */
async function assertRefused(attack: Ask, reason: string): Promise<void> {
  const [from, counted] = [front.log.lines.length, await countOf(reason)]
  const { status, headers, text } = await ask(attack)
  const isDenied = reason === 'cross_origin'
  assert.equal(status, isDenied ? problems.denied.status : problems.unauthenticated.status, text)
  if (isDenied) assert.match(text, /"detail":"Not allowed: cross_origin"/)
  else assert.match(String(headers['www-authenticate']), /^Bearer realm="auricle"/)
  assert.equal(headers['set-cookie'], undefined)
  const lines = front.log.lines.slice(from)
  const told = lines
    .map(line => Line.parse(JSON.parse(line)))
    .filter(({ code, requestId }) => code !== undefined && requestId === headers['x-request-id'])
  assert.deepEqual(
    told.map(({ code, level }) => [code, level]),
    [[reason, reason === 'absent' ? 'info' : 'warn']],
  )
  assert.equal(await countOf(reason), counted + 1)
  for (const value of [token, ...(attack.headers ?? []).map(([, sent]) => sent.replace(/^Bearer +/i, ''))]) {
    if (value.length > 40) assert.ok(!lines.join('').includes(value) && !text.includes(value))
  }
}

// --- what is sent as a token ---

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const header = () => ({ alg: 'Ed25519', typ: 'at+jwt', kid: keys.current.kid })

function claims(change: Readonly<Record<string, unknown>> = {}) {
  const issuedAt = Math.floor(row.createdAt.getTime() / 1000)
  return {
    iss: 'urn:auricle:deployment',
    aud: 'urn:auricle:api',
    sub: row.userId,
    jti: row.id,
    tenant: row.tenantId,
    purpose: 'session',
    iat: issuedAt,
    nbf: issuedAt,
    exp: Math.floor(row.expiresAt.getTime() / 1000),
    ...change,
  }
}

/** Signed with the deployment's own key: refused for what it says alone. */
async function signed(head: unknown, payload: unknown = claims()): Promise<string> {
  const input = `${encode(head)}.${encode(payload)}`
  const signature = await crypto.subtle.sign('Ed25519', signingKey, Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

const parts = () => {
  const [head = '', payload = '', signature = ''] = token.split('.')
  return { head, payload, signature }
}
const publicBytes = () => Buffer.from(String(keys.current.publicJwk['x']), 'base64url')
const publicPem = () =>
  createPublicKey({ key: { ...keys.current.publicJwk }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString()

function hmac(secret: string | Buffer, head: unknown): string {
  const input = `${encode(head)}.${encode(claims())}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

const stranger = generateKeyPairSync('ed25519')
function byStranger(head: unknown, payload: unknown = claims()): string {
  const input = `${encode(head)}.${encode(payload)}`
  return `${input}.${sign(null, Buffer.from(input), stranger.privateKey).toString('base64url')}`
}
const strangerJwk = () => stranger.publicKey.export({ format: 'jwk' })

const inSeconds = (ms: number) => Math.floor((Date.now() + ms) / 1000)
const doubled = (name: string, value: string) => `{"${name}":"${value}",${JSON.stringify(claims()).slice(1)}`

const forged: Readonly<Record<string, readonly [reason: string, make: () => string | Promise<string>]>> = {
  'alg none, no signature': [
    'not_base64url',
    () => `${encode({ ...header(), alg: 'none' })}.${parts().payload}.`,
  ],
  ...Object.fromEntries(
    ['none', 'None', 'NONE', 'nOnE', 'none ', ''].map(alg => [
      `alg "${alg}", our signature`,
      ['wrong_algorithm', () => signed({ ...header(), alg })] as const,
    ]),
  ),
  'alg null': ['wrong_algorithm', () => signed({ ...header(), alg: null })],
  'alg missing': ['wrong_algorithm', () => signed({ typ: 'at+jwt', kid: keys.current.kid })],
  'alg a list': ['wrong_algorithm', () => signed({ ...header(), alg: ['Ed25519'] })],
  'alg EdDSA': ['wrong_algorithm', () => signed({ ...header(), alg: 'EdDSA' })],
  'HS256 with the public key as PEM': [
    'wrong_algorithm',
    () => hmac(publicPem(), { ...header(), alg: 'HS256' }),
  ],
  'HS256 with the public key as bytes': [
    'wrong_algorithm',
    () => hmac(publicBytes(), { ...header(), alg: 'HS256' }),
  ],
  'an HMAC under the name of our algorithm': ['wrong_signature', () => hmac(publicBytes(), header())],
  'RS256 in name': ['wrong_algorithm', () => signed({ ...header(), alg: 'RS256' })],
  'kid unknown': ['unknown_key', () => signed({ ...header(), kid: 'unknown' })],
  'kid a path': ['unknown_key', () => signed({ ...header(), kid: '../../../../dev/null' })],
  'kid an SQL text': ['unknown_key', () => signed({ ...header(), kid: "x' union select '1'--" })],
  'kid of an object member': ['unknown_key', () => signed({ ...header(), kid: '__proto__' })],
  'kid empty': ['wrong_key_id', () => signed({ ...header(), kid: '' })],
  'kid a list': ['wrong_key_id', () => signed({ ...header(), kid: [keys.current.kid] })],
  'kid too long': ['wrong_key_id', () => signed({ ...header(), kid: 'k'.repeat(65) })],
  'kid missing': ['wrong_key_id', () => signed({ alg: 'Ed25519', typ: 'at+jwt' })],
  'a stranger under our kid': ['wrong_signature', () => byStranger(header())],
  'a stranger with an embedded jwk': ['wrong_header', () => byStranger({ ...header(), jwk: strangerJwk() })],
  'jku of a stranger': ['wrong_header', () => byStranger({ ...header(), jku: `${front.url}/keys` })],
  'x5u of a stranger': ['wrong_header', () => byStranger({ ...header(), x5u: `${front.url}/chain` })],
  'x5c of a stranger': ['wrong_header', () => byStranger({ ...header(), x5c: ['AAAA'] })],
  'our key, with jku': ['wrong_header', () => signed({ ...header(), jku: `${front.url}/keys` })],
  'our key, with crit': ['wrong_header', () => signed({ ...header(), crit: ['exp'] })],
  'our key, b64 false': ['wrong_header', () => signed({ ...header(), b64: false, crit: ['b64'] })],
  'our key, with zip': ['wrong_header', () => signed({ ...header(), zip: 'DEF' })],
  'typ JWT': ['wrong_type', () => signed({ ...header(), typ: 'JWT' })],
  'typ of a logout token': ['wrong_type', () => signed({ ...header(), typ: 'logout+jwt' })],
  'typ missing': ['wrong_type', () => signed({ alg: 'Ed25519', kid: keys.current.kid })],
  'header a list': ['wrong_header', () => signed('[]')],
  'header with alg twice': [
    'not_canonical',
    () => signed(`{"alg":"none",${JSON.stringify(header()).slice(1)}`),
  ],
  'header with white space': ['not_canonical', () => signed(`${JSON.stringify(header())} `)],
  'header not JSON': ['not_json', () => signed('{')],
  'tenant twice': ['not_canonical', () => signed(header(), doubled('tenant', other.tenant.id))],
  'tenant twice, one escaped': [
    'not_canonical',
    () => signed(header(), doubled('t\\u0065nant', other.tenant.id)),
  ],
  'claims with white space': ['not_canonical', () => signed(header(), JSON.stringify(claims(), null, 1))],
  'an unknown claim': ['wrong_claims', () => signed(header(), claims({ roles: ['administrator'] }))],
  'a claim of scope': ['wrong_claims', () => signed(header(), claims({ scope: 'people.manage' }))],
  'purpose unknown': ['wrong_claims', () => signed(header(), claims({ purpose: 'root' }))],
  'subject with a quote': ['wrong_claims', () => signed(header(), claims({ sub: "usr_' or 1=1" }))],
  'audience a list with ours': ['wrong_claims', () => signed(header(), claims({ aud: ['urn:auricle:api'] }))],
  'audience another': ['wrong_audience', () => signed(header(), claims({ aud: 'urn:auricle:ingest' }))],
  'issuer another': ['wrong_issuer', () => signed(header(), claims({ iss: 'https://issuer.example' }))],
  'issuer with a slash': ['wrong_issuer', () => signed(header(), claims({ iss: 'urn:auricle:deployment/' }))],
  'tenant altered': [
    'wrong_signature',
    () => `${parts().head}.${encode(claims({ tenant: other.tenant.id }))}.${parts().signature}`,
  ],
  'person altered': [
    'wrong_signature',
    () => `${parts().head}.${encode(claims({ sub: newUserId() }))}.${parts().signature}`,
  ],
  'expiry altered': [
    'wrong_signature',
    () => `${parts().head}.${encode(claims({ exp: inSeconds(1000 * minuteMs) }))}.${parts().signature}`,
  ],
  'issued in the future': ['not_yet_valid', () => signed(header(), claims({ iat: inSeconds(minuteMs) }))],
  'not valid before the future': [
    'not_yet_valid',
    () => signed(header(), claims({ nbf: inSeconds(minuteMs) })),
  ],
  'expired at the epoch': [
    'unknown',
    () => signed(header(), claims({ iat: 0, nbf: 0, exp: 1, jti: newTokenId() })),
  ],
  'expiry as text': ['wrong_claims', () => signed(header(), claims({ exp: '9999999999' }))],
  'expiry as a fraction': ['wrong_claims', () => signed(header(), claims({ exp: 9999999999.5 }))],
  'signature cut': ['wrong_signature', () => token.slice(0, -6)],
  'signature of zeros': [
    'wrong_signature',
    () => `${parts().head}.${parts().payload}.${Buffer.alloc(64).toString('base64url')}`,
  ],
  'signature in other spare bits': ['not_base64url', () => sparedBits(token)],
  'padding after it': ['not_base64url', () => `${token}==`],
  'a fourth part after it': ['not_three_parts', () => `${token}.${parts().signature}`],
  'five parts, as if encrypted': ['not_three_parts', () => `${token}.a.b`],
  'oversize, of letters': ['too_long', () => 'A'.repeat(2049)],
  'oversize, signed by us': ['too_long', () => signed(header(), claims({ iss: 'x'.repeat(2000) }))],
  'a word': ['not_three_parts', () => 'nonsense'],
  "another tenant's id with our token's": [
    'unknown',
    () => signed(header(), claims({ tenant: other.tenant.id })),
  ],
  'a tenant that is none': ['unknown', () => signed(header(), claims({ tenant: newTenantId() }))],
  "another person's id with our token's": [
    'unknown',
    () => signed(header(), claims({ sub: clinic.administrator.row.id })),
  ],
  'a token that was never made': ['unknown', () => signed(header(), claims({ jti: newTokenId() }))],
}

/** The same bytes in another spelling: 64 bytes leave four bits of the last character unused. */
function sparedBits(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const at = alphabet.indexOf(text.at(-1) ?? '')
  return text.slice(0, -1) + alphabet.charAt(at ^ 1)
}

test('the harness signs as the service does: what it forges is refused for its content alone', async () => {
  assert.equal(await signed(header()), token)
  assert.equal((await ask({ headers: bearer(token) })).status, 200)
  assert.equal((await ask({ headers: cookie(token) })).status, 200)
})

for (const [name, [reason, make]] of Object.entries(forged)) {
  test(`token: ${name}`, async () => {
    const text = await make()
    assert.notEqual(text, token)
    await assertRefused({ headers: bearer(text) }, reason)
    if (!/[ "=]/.test(text)) await assertRefused({ headers: cookie(text) }, reason)
    // Where the player decides by itself, the same is said.
    await assertRefused(
      { path: '/v1/recordings/rec_01jd3w8h9k6n2q4s5t7v8x9y0z/audio', headers: bearer(text) },
      reason,
    )
  })
}

// --- tokens whose row says no: an event besides ---

const ended: Readonly<
  Record<string, readonly [reason: string, change: () => Partial<TokenRow>, after?: string]>
> = {
  revoked: ['revoked', () => ({}), 'update auricle.token set revoked_at = now() where id = $1'],
  'expired, by its own account': [
    'expired',
    () => ({ createdAt: new Date(Date.now() - 2 * minuteMs), expiresAt: new Date(Date.now() - minuteMs) }),
  ],
  'expired, by its row': [
    'expired',
    () => ({}),
    "update auricle.token set expires_at = now() - interval '1 second' where id = $1",
  ],
  'idle too long': [
    'idle',
    () => ({ createdAt: new Date(Date.now() - 16 * minuteMs), idleMs: 15 * minuteMs }),
  ],
  'of somebody who is disabled': [
    'disabled',
    () => ({}),
    'update auricle.app_user set disabled_at = now() where id = (select user_id from auricle.token where id = $1)',
  ],
}

for (const [name, [reason, change, statement]] of Object.entries(ended)) {
  test(`ended token: ${name}`, async () => {
    const { tenant, clinician } = await makeClinic(vault)
    const session = await front.sessionOf(clinician, change())
    if (statement !== undefined) await vault.database.superuserPool.query(statement, [session.row.id])
    for (const headers of [bearer(session.token), cookie(session.token)])
      await assertRefused({ headers }, reason)
    await assertRefused(
      { path: '/v1/recordings/rec_01jd3w8h9k6n2q4s5t7v8x9y0z/audio', headers: bearer(session.token) },
      reason,
    )
    // One event a minute, however often it is tried.
    const events = (await auditEvents(vault, tenant.id)).filter(({ action }) => action === 'token.refused')
    assert.deepEqual(
      events.map(({ actor, object, outcome, reasons }) => [actor.id, object?.id, outcome, reasons.join()]),
      [[clinician.row.id, session.row.id, 'denied', reason]],
    )
  })
}

// --- how a token is sent ---

const badlySent: Readonly<Record<string, readonly [reason: string, attack: () => Ask]>> = {
  'two Authorization headers': ['two_headers', () => ({ headers: [...bearer(token), ...bearer(token)] })],
  'two Authorization headers, the second forged': [
    'two_headers',
    () => ({ headers: [...bearer(token), ...bearer(byStranger(header()))] }),
  ],
  'two tokens in one header': ['malformed_header', () => ({ headers: bearer(`${token}, Bearer ${token}`) })],
  'another scheme': ['malformed_header', () => ({ headers: [['Authorization', `Basic ${encode('a:b')}`]] })],
  'the token without its scheme': ['malformed_header', () => ({ headers: [['Authorization', token]] })],
  'in the address': ['in_address', () => ({ path: `/v1/me?access_token=${token}` })],
  'in the address, beside a good header': [
    'in_address',
    () => ({ path: `/v1/me?access_token=${token}`, headers: bearer(token) }),
  ],
  'in a JSON body': [
    'in_body',
    () => ({
      method: 'PATCH',
      path: '/v1/recordings/rec_01jd3w8h9k6n2q4s5t7v8x9y0z',
      headers: [['Content-Type', 'application/json']],
      body: JSON.stringify({ access_token: token }),
    }),
  ],
  'in a form': [
    'absent',
    () => ({
      method: 'PATCH',
      path: '/v1/recordings/rec_01jd3w8h9k6n2q4s5t7v8x9y0z',
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
      body: `access_token=${token}`,
    }),
  ],
  'cookie and header': ['header_and_cookie', () => ({ headers: [...cookie(token), ...bearer(token)] })],
  'cookie and a header of another scheme': [
    'header_and_cookie',
    () => ({ headers: [...cookie(token), ['Authorization', 'Basic YTpi']] }),
  ],
  'two cookies in one header': [
    'two_cookies',
    () => ({ headers: [['Cookie', `__Host-auricle=${token}; __Host-auricle=${token}`]] }),
  ],
  'two cookies in two headers': ['two_cookies', () => ({ headers: [...cookie(token), ...cookie('x')] })],
  'a second cookie hidden by a space': [
    'two_cookies',
    () => ({ headers: [['Cookie', `__Host-auricle =x; __Host-auricle=${token}`]] }),
  ],
  'a cookie without the prefix': ['cookie_name', () => ({ headers: [['Cookie', `auricle=${token}`]] })],
  'a cookie of a weaker prefix': [
    'cookie_name',
    () => ({ headers: [['Cookie', `__Secure-auricle=${token}`]] }),
  ],
  'a cookie in other letters': ['cookie_name', () => ({ headers: [['Cookie', `__HOST-auricle=${token}`]] })],
  'a cookie in quotes': ['not_base64url', () => ({ headers: cookie(`"${token}"`) })],
  'an empty cookie': ['not_three_parts', () => ({ headers: cookie('') })],
}

for (const [name, [reason, attack]] of Object.entries(badlySent)) {
  test(`sent: ${name}`, () => assertRefused(attack(), reason))
}

test("sent: a program's token as a cookie", async () => {
  await assertRefused({ headers: cookie(await front.tokenOf(clinic.clinician)) }, 'not_a_session')
})

// --- other sites ---

const json: Headers = [['Content-Type', 'application/json']]
const site = (value: string): Headers => [['Sec-Fetch-Site', value]]
const origin = (value: string): Headers => [['Origin', value]]
const everywhere = { method: 'DELETE', path: '/v1/me/sessions' } as const
const verification = {
  method: 'POST',
  path: '/v1/sessions/current/verification',
  body: '{"code":"123456"}',
} as const

const crossSite: Readonly<Record<string, () => Ask>> = {
  'a form post': () => ({
    ...verification,
    headers: [
      ['Content-Type', 'application/x-www-form-urlencoded'],
      ...site('cross-site'),
      ...origin('https://a.example'),
    ],
    body: 'code=123456',
  }),
  'a form post of our own site': () => ({
    ...verification,
    headers: [['Content-Type', 'application/x-www-form-urlencoded'], ...site('same-origin')],
    body: 'code=123456',
  }),
  'a form that looks like JSON, text/plain': () => ({
    ...verification,
    headers: [['Content-Type', 'text/plain'], ...site('same-origin'), ...origin(ownOrigin())],
  }),
  'fetch with text/plain from elsewhere': () => ({
    ...verification,
    headers: [['Content-Type', 'text/plain'], ...origin('https://a.example')],
  }),
  'JSON without a content type': () => ({ ...verification, headers: site('same-origin') }),
  'two content types': () => ({
    ...verification,
    headers: [...json, ['Content-Type', 'text/plain'], ...site('same-origin')],
  }),
  'JSON from another site': () => ({ ...verification, headers: [...json, ...site('cross-site')] }),
  'JSON from a sibling host': () => ({ ...verification, headers: [...json, ...site('same-site')] }),
  'JSON typed into the address bar': () => ({ ...verification, headers: [...json, ...site('none')] }),
  'two words for the site': () => ({
    ...verification,
    headers: [...json, ...site('same-origin'), ...site('cross-site')],
  }),
  'the site in other letters': () => ({ ...verification, headers: [...json, ...site('Same-Origin')] }),
  'a site from elsewhere, our origin': () => ({
    ...verification,
    headers: [...json, ...site('cross-site'), ...origin(ownOrigin())],
  }),
  'Origin null': () => ({ ...verification, headers: [...json, ...origin('null')] }),
  'Origin of another': () => ({ ...verification, headers: [...json, ...origin('https://a.example')] }),
  'Origin that begins as ours': () => ({
    ...verification,
    headers: [...json, ...origin(`${ownOrigin()}.a.example`)],
  }),
  'Origin of another port': () => ({ ...verification, headers: [...json, ...origin('http://127.0.0.1:1')] }),
  'Origin by another scheme': () => ({
    ...verification,
    headers: [...json, ...origin(ownOrigin().replace('http', 'https'))],
  }),
  'two Origins': () => ({
    ...verification,
    headers: [...json, ...origin(ownOrigin()), ...origin('https://a.example')],
  }),
  'no Origin and no site': () => ({ ...verification, headers: json }),
  'a DELETE without either': () => everywhere,
  'a DELETE from another site': () => ({ ...everywhere, headers: site('cross-site') }),
  'a GET from another site': () => ({ headers: site('cross-site') }),
  'a GET from a sibling host': () => ({ headers: site('same-site') }),
  'a link of another site': () => ({
    headers: [...site('cross-site'), ['Sec-Fetch-Mode', 'navigate'], ['Sec-Fetch-Dest', 'document']],
  }),
  'a GET by a script of another origin': () => ({ headers: origin('https://a.example') }),
  'an audio element of another site': () => ({
    path: '/v1/recordings/rec_01jd3w8h9k6n2q4s5t7v8x9y0z/audio',
    headers: [...site('cross-site'), ['Sec-Fetch-Dest', 'audio']],
  }),
}

for (const [name, attack] of Object.entries(crossSite)) {
  test(`another site: ${name}`, async () => {
    const { headers = [], ...rest } = attack()
    await assertRefused({ ...rest, headers: [...headers, ...cookie(token)] }, 'cross_origin')
  })
}

test('after all of that the session is as it was, and nobody was verified or signed out', async () => {
  const list = z.object({ sessions: z.array(z.object({ id: z.string() })) })
  const { text } = await ask({ path: '/v1/me/sessions', headers: bearer(token) })
  assert.ok(list.parse(JSON.parse(text)).sessions.some(({ id }) => id === row.id))
  const events = await auditEvents(vault, clinic.tenant.id)
  assert.ok(!events.some(({ action }) => action === 'session.verified' || action === 'session.ended'))
})

// --- sign-in ---

const stepMs = 30_000

function credentialsOf({ tenant, clinician }: Clinic, at = new Date()) {
  const { row: person, password, totpSecret } = clinician
  return { tenant: tenant.slug, login: person.login, password, code: totpCode(totpSecret, at) }
}

const signIn = (body: unknown, headers: Headers = []) =>
  ask({ method: 'POST', path: '/v1/sessions', headers: [...json, ...headers], body: JSON.stringify(body) })

const cookieOf = (headers: Awaited<ReturnType<typeof ask>>['headers']) => {
  const [set = ''] = [headers['set-cookie'] ?? []].flat()
  return /^__Host-auricle=([^;]*)/.exec(set)?.[1] ?? ''
}

test('fixation: a session that was there before is never the one that is signed in', async () => {
  const place = await makeClinic(vault)
  // The attacker's own, and one that the browser made up.
  const planted = (await front.sessionOf(place.stranger)).token
  for (const [value, at] of [
    [planted, Date.now() - stepMs],
    ['x.y.z', Date.now()],
  ] as const) {
    const credentials = { ...credentialsOf(place, new Date(at)), cookie: true }
    const answer = await signIn(credentials, [...cookie(value), ...site('same-origin')])
    assert.equal(answer.status, 201, answer.text)
    const given = cookieOf(answer.headers)
    assert.notEqual(given, value)
    assert.match(answer.text, new RegExp(place.clinician.row.id))
    const me = await ask({ headers: cookie(given) })
    assert.match(me.text, new RegExp(place.clinician.row.id))
  }
  const still = await ask({ headers: cookie(planted) })
  assert.match(still.text, new RegExp(place.stranger.row.id))
})

test('another site cannot put a session into a browser, and its attempt costs nobody a code', async () => {
  const place = await makeClinic(vault)
  const body = { ...credentialsOf(place), cookie: true }
  for (const headers of [
    site('cross-site'),
    site('same-site'),
    origin('https://a.example'),
    origin('null'),
    [],
  ]) {
    const counted = await countOf('cross_origin')
    const answer = await signIn(body, headers)
    assert.equal(answer.status, problems.denied.status)
    assert.equal(answer.headers['set-cookie'], undefined)
    assert.equal(await countOf('cross_origin'), counted + 1)
  }
  assert.equal((await signIn(body, origin(ownOrigin()))).status, 201)
})

test('a code of the authenticator app that was used is refused, here and there', async () => {
  const place = await makeClinic(vault)
  const credentials = credentialsOf(place)
  const first = await signIn(credentials)
  assert.equal(first.status, 201)
  assert.equal((await signIn(credentials)).status, problems.badCredentials.status)
  const { token: own } = z.object({ token: z.string() }).parse(JSON.parse(first.text))
  const again = await ask({
    ...verification,
    headers: [...json, ...bearer(own)],
    body: JSON.stringify({ code: credentials.code }),
  })
  assert.equal(again.status, problems.badCredentials.status)
  const events = (await auditEvents(vault, place.tenant.id)).filter(({ outcome }) => outcome === 'denied')
  assert.deepEqual(
    events.map(({ action, reasons }) => `${action} ${reasons}`),
    ['session.refused bad_credentials', 'session.verified bad_credentials'],
  )
})

test('six bad sign-ins are six events, a lockout and one alert', async () => {
  const place = await makeClinic(vault)
  const wrong = { ...credentialsOf(place), password: 'not the password' }
  const statuses: number[] = []
  for (let tries = 0; tries < 6; tries++) statuses.push((await signIn(wrong)).status)
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429])
  const right = await signIn(credentialsOf(place))
  assert.equal(right.status, problems.tooManyAttempts.status)
  const waitSeconds = Number(right.headers['retry-after'])
  assert.ok(waitSeconds >= 1 && waitSeconds <= 30)
  const events = (await auditEvents(vault, place.tenant.id)).filter(
    ({ action }) => action === 'session.refused',
  )
  assert.deepEqual(
    events.map(({ reasons }) => reasons.join()),
    [...Array.from({ length: 5 }, () => 'bad_credentials'), 'locked', 'locked'],
  )
  assert.ok(events.every(({ actor, outcome }) => actor.id === place.clinician.row.id && outcome === 'denied'))
  const alerts = await vault.catalog.listAlerts(place.tenant.id, { open: true, beforeId: null, limit: 10 })
  assert.deepEqual(
    alerts.map(({ kind, subject }) => `${kind} ${subject.id}`),
    [`sign_in_locked ${events[4]?.id}`],
  )
})

test('nothing of all this was a failure of ours', () => {
  const errors = front.log.lines.filter(line => Line.parse(JSON.parse(line)).level === 'error')
  assert.deepEqual(errors, [])
})
