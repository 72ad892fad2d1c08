// Opaque tokens of programs over HTTP: made, used within their scopes, ended, and what does not pass for one.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { newTokenId, problems, type RecordingId } from '@auricle/contract'
import { newOpaqueToken, parseOpaqueToken } from '@auricle/identity'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { schemas } from './routes-table.ts'

let vault: TestVault
let clinic: Clinic
let front: Front
/** Of the clinic; made once somebody asks for it. */
let recording: Promise<RecordingId> | null

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  recording = null
})

async function call(method: string, path: string, token: string, body?: unknown, headers = {}) {
  const response = await fetch(front.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, bytes, body: isJson ? JSON.parse(bytes.toString()) : null }
}

const sessionOf = async (person: Person) => (await front.sessionOf(person)).token
const me = (token: string) => call('GET', '/v1/me', token)
const archive = async () =>
  archiveAudio(vault, clinic, await sample('voicemail-short.wav'), { sourceId: 'one' })
async function pathOf(): Promise<string> {
  recording ??= archive()
  return `/v1/recordings/${await recording}`
}
const play = async (token: string) =>
  call('GET', `${await pathOf()}/audio`, token, undefined, { range: 'bytes=0-9' })

async function refused(answering: ReturnType<typeof call>, name: keyof typeof problems): Promise<void> {
  const { status, body } = await answering
  assert.deepEqual({ status, type: body?.type }, { status: problems[name].status, type: problems[name].type })
}

async function make(session: string, wanted: object = {}) {
  const body = { name: 'Dashboard', scopes: ['recordings.read', 'recordings.play'], ...wanted }
  const made = await call('POST', '/v1/me/tokens', session, body)
  assert.equal(made.status, 201, made.bytes.toString())
  return schemas.MadeToken.parse(made.body)
}

const list = async (session: string) => {
  const { body } = await call('GET', '/v1/me/tokens', session)
  return schemas.OwnTokenList.parse(body).tokens
}

test('a token is made, shown once, used within its scopes, listed and ended', async () => {
  const session = await sessionOf(clinic.clinician)
  const made = await make(session)
  assert.match(made.token, /^aur_pat_[0-9a-hjkmnp-tv-z]{26}_[0-9a-hjkmnp-tv-z]{39}$/)
  assert.equal(Date.parse(made.expiresAt) - Date.parse(made.createdAt), 90 * 24 * 60 * 60_000)
  assert.equal((await me(made.token)).body.user, clinic.clinician.row.id)
  assert.equal((await play(made.token)).status, 206)
  await refused(call('PATCH', await pathOf(), made.token, { heard: true }), 'denied')
  const [listed] = await list(session)
  const { token, seenAt, ...shown } = made
  assert.deepEqual({ ...listed, seenAt }, { ...shown, seenAt })
  // Not the session, nor what is made by the operator: those are not theirs to see here.
  assert.equal((await list(session)).length, 1)
  assert.equal((await call('DELETE', `/v1/me/tokens/${made.id}`, session)).status, 204)
  await refused(me(made.token), 'unauthenticated')
  await refused(play(made.token), 'unauthenticated')
  await refused(call('DELETE', `/v1/me/tokens/${made.id}`, session), 'notFound')
  const log = (await auditEvents(vault, clinic.tenant.id)).filter(({ action }) => action.startsWith('token.'))
  assert.deepEqual(
    log.map(({ action, object }) => [action, object?.id]),
    [
      ['token.issued', made.id],
      ['token.revoked', made.id],
      // Told once a minute, however often it comes.
      ['token.refused', made.id],
    ],
  )
})

test("somebody else's tokens, sessions and those of other tenants are not found", async () => {
  const mine = await make(await sessionOf(clinic.clinician))
  const stranger = await front.sessionOf(clinic.stranger)
  const other = await sessionOf((await makeClinic(vault)).clinician)
  for (const session of [stranger.token, other]) {
    await refused(call('DELETE', `/v1/me/tokens/${mine.id}`, session), 'notFound')
    assert.deepEqual(await list(session), [])
  }
  await refused(call('DELETE', `/v1/me/tokens/${stranger.row.id}`, stranger.token), 'notFound')
  assert.equal((await me(mine.token)).status, 200)
})

const malformed: Readonly<Record<string, object>> = {
  'no scopes': { scopes: [] },
  'an unknown scope': { scopes: ['everything'] },
  'a scope twice': { scopes: ['recordings.read', 'recordings.read'] },
  'no name': { name: ' ' },
  'a name that is too long': { name: 'x'.repeat(65) },
  'no end': { expiresInDays: 0 },
  'more than a year': { expiresInDays: 367 },
  'a part of a day': { expiresInDays: 1.5 },
  'something more': { userId: 'usr_0' },
}
for (const [name, wanted] of Object.entries(malformed)) {
  test(`a token with ${name} is not made`, async () => {
    const body = { name: 'x', scopes: ['recordings.read'], ...wanted }
    await refused(call('POST', '/v1/me/tokens', await sessionOf(clinic.clinician), body), 'malformed')
  })
}

test('fifty are the most, also of several that come at once', async () => {
  const session = await sessionOf(clinic.clinician)
  for (let made = 0; made < 48; made++) await make(session)
  const body = { name: 'x', scopes: ['recordings.read'] }
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => call('POST', '/v1/me/tokens', session, body)),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 201, 409, 409])
})

test('whoever knows the id of a token does not hold it, also while its owner plays', async () => {
  const { token, id } = await make(await sessionOf(clinic.clinician))
  assert.equal((await play(token)).status, 206)
  // Well formed, with a good checksum, and the id of a live token: all but its secret.
  const guess = newOpaqueToken('personal', id).text
  assert.equal(parseOpaqueToken(guess)?.tokenId, id)
  const asService = newOpaqueToken('service', id).text
  for (const forged of [guess, asService]) {
    await refused(me(forged), 'unauthenticated')
    await refused(play(forged), 'unauthenticated')
    await refused(call('GET', `${await pathOf()}/peaks`, forged), 'unauthenticated')
  }
  assert.equal((await play(token)).status, 206)
})

test('one character more, less or other is no token', async () => {
  const { token } = await make(await sessionOf(clinic.clinician))
  const last = token.endsWith('0') ? '1' : '0'
  const altered = [`${token}0`, token.slice(0, -1), `${token.slice(0, -1)}${last}`, token.toUpperCase()]
  for (const text of altered) {
    await refused(me(text), 'unauthenticated')
    await refused(play(text), 'unauthenticated')
  }
  await refused(me(newOpaqueToken('personal', newTokenId()).text), 'unauthenticated')
})

test('a signed token does not stand for an opaque one, nor an opaque one for a signed one', async () => {
  const session = await front.sessionOf(clinic.clinician)
  const made = await make(session.token)
  const rows = await vault.catalog.listTokens(clinic.tenant.id)
  const row = rows.find(({ id }) => id === made.id)
  assert.ok(row !== undefined)
  // Signed with our own key, for the row of the opaque token.
  const signed = await front.sign(row)
  await refused(me(signed), 'unauthenticated')
  await refused(play(signed), 'unauthenticated')
  // Well formed, for the row of a session.
  const opaque = newOpaqueToken('personal', session.row.id).text
  await refused(me(opaque), 'unauthenticated')
  await refused(play(opaque), 'unauthenticated')
})

test('a signed token of a program, as they were made before, goes on holding', async () => {
  const { row } = await front.sessionOf(clinic.clinician, {
    purpose: 'personal',
    scopes: ['recordings.read', 'recordings.play'],
  })
  const signed = await front.sign(row)
  assert.equal((await me(signed)).status, 200)
  assert.equal((await play(signed)).status, 206)
})

test('a token for programs is none for a cookie, and opens nothing that a session must', async () => {
  const { token } = await make(await sessionOf(clinic.clinician))
  const headers = { cookie: `__Host-auricle=${token}`, 'sec-fetch-site': 'same-origin' }
  const response = await fetch(`${front.url}/v1/me`, { headers })
  assert.equal(response.status, 401)
  await response.arrayBuffer()
  await refused(call('GET', '/v1/me/tokens', token), 'denied')
  await refused(call('GET', '/v1/me/factors', token), 'denied')
})
