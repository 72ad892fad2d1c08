// Sessions in the database: when they hold, what counts as use, how they are listed, ended and verified.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { newTokenId, newUserId, type TokenId } from '@auricle/contract'
import { anEvent, aToken, createTestTenant, type TestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog, TokenRow } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import { createDatabase } from './database.ts'
import { endTokensOf } from './tokens.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const idleMs = 15 * minuteMs

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
const begun = new Date('2026-03-01T12:00:00.000Z')
const at = (ms: number) => new Date(begun.getTime() + ms)

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper(), now: () => begun })
})
after(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  tenant = await createTestTenant(catalog)
})

async function addSession(change: Partial<TokenRow> = {}): Promise<TokenRow> {
  const ends = { createdAt: begun, expiresAt: at(12 * 60 * minuteMs), idleMs }
  const row = { ...aToken(tenant), ...ends, ...change }
  await catalog.addToken(row, anEvent(tenant.tenantId))
  return row
}

const holds = async (id: TokenId, ms: number) =>
  (await catalog.findBearer(tenant.tenantId, id, at(ms))) !== null
const stateOf = async (id: TokenId, ms: number) =>
  (await catalog.findTokenState(tenant.tenantId, id, at(ms)))?.ended

test('a session ends when it was idle for its time, and use puts that off', async () => {
  const { id } = await addSession()
  assert.equal(await holds(id, idleMs - secondMs), true)
  assert.equal(await stateOf(id, 2 * idleMs - secondMs - 1), null)
  assert.equal(await holds(id, 2 * idleMs), false)
  assert.equal(await stateOf(id, 2 * idleMs), 'idle')
  const other = await addSession()
  assert.equal(await holds(other.id, idleMs + secondMs), false)
})

test('a session ends at its absolute end, however busy', async () => {
  const { id } = await addSession({ expiresAt: at(30 * minuteMs) })
  for (let ms = 0; ms < 30 * minuteMs; ms += minuteMs) assert.equal(await holds(id, ms), true)
  assert.equal(await holds(id, 30 * minuteMs), false)
  assert.equal(await stateOf(id, 30 * minuteMs), 'expired')
})

test('use is noted at most twice a minute, and a look at a stream is use only where it says so', async () => {
  const { id } = await addSession()
  const seenAt = async () => {
    const { rows } = await database.superuserPool.query('select seen_at from auricle.token where id = $1', [
      id,
    ])
    return rows[0].seen_at.getTime() - begun.getTime()
  }
  await holds(id, 30 * secondMs)
  assert.equal(await seenAt(), 0)
  await holds(id, 31 * secondMs)
  assert.equal(await seenAt(), 31 * secondMs)
  const { tenantId } = tenant
  const recordingId = id.replace('tok_', 'rec_') as never
  const look = (ms: number, isUse: boolean) =>
    catalog.findPlayFacts({ tenantId, tokenId: id, recordingId, role: 'original', now: at(ms), isUse })
  assert.ok(await look(2 * minuteMs, false))
  assert.equal(await seenAt(), 31 * secondMs)
  assert.ok(await look(2 * minuteMs, true))
  assert.equal(await seenAt(), 2 * minuteMs)
})

test('somebody sees and ends what is theirs, and nothing else', async () => {
  const origin = { ip: '192.0.2.7', userAgent: 'a browser' }
  const id = newTokenId()
  const { tenantId, userId, columns } = tenant
  await addSession({ id, origin: catalog.sealOrigin(columns, { tenantId, id }, origin) })
  const idle = await addSession({ idleMs: minuteMs })
  const list = async (ms: number, whose = userId) =>
    (await catalog.listSessions({ tenantId, userId: whose, now: at(ms), limit: 10 }, columns)).map(
      row => row.id,
    )
  const [first] = await catalog.listSessions({ tenantId, userId, now: at(2 * minuteMs), limit: 10 }, columns)
  assert.deepEqual([first?.id, first?.origin, first?.kind], [id, origin, 'session'])
  assert.deepEqual((await list(secondMs)).sort(), [id, idle.id].sort())
  assert.deepEqual(await list(secondMs, newUserId()), [])
  const other = await createTestTenant(catalog)
  const elsewhere = { tenantId: other.tenantId, userId, now: at(secondMs), limit: 10 }
  assert.deepEqual(await catalog.listSessions(elsewhere, other.columns), [])

  const end = (tokenId: TokenId, whose = userId, of = tenantId) => {
    const ending = { tenantId: of, userId: whose, tokenId, reason: 'ended_by_owner', now: at(secondMs) }
    return catalog.endToken(ending, anEvent(of))
  }
  assert.equal(await end(id, newUserId()), false)
  assert.equal(await end(id, userId, other.tenantId), false)
  assert.equal(await end(id), true)
  assert.equal(await end(id), false)
  assert.equal(await stateOf(id, secondMs), 'revoked')
})

test('a sealed origin opens for its own row alone', async () => {
  const { tenantId, userId, columns } = tenant
  const sealed = catalog.sealOrigin(
    columns,
    { tenantId, id: newTokenId() },
    { ip: '192.0.2.7', userAgent: null },
  )
  await addSession({ origin: sealed })
  const whose = { tenantId, userId, now: at(0), limit: 10 }
  await assert.rejects(catalog.listSessions(whose, columns), { name: 'CatalogError', code: 'damaged' })
})

test('everywhere: sessions end but the one that is excepted; all tokens where everything must end', async () => {
  const { tenantId, userId } = tenant
  const kept = await addSession()
  const ended = [await addSession(), await addSession()]
  const program = await addSession({ purpose: 'personal', scopes: ['recordings.read'], idleMs: null })
  const everywhere = { tenantId, userId, except: kept.id, reason: 'signed_out_everywhere', now: at(secondMs) }
  assert.equal(await catalog.endSessions(everywhere, anEvent(tenantId)), 2)
  for (const { id } of ended) assert.equal(await holds(id, secondMs), false)
  for (const { id } of [kept, program]) assert.equal(await holds(id, secondMs), true)
  const disabled = { reason: 'disabled', now: at(2 * secondMs) }
  const all = await createDatabase(database.appPool, aStamper()).inTenant(tenantId, session =>
    endTokensOf(tenantId, userId, disabled, session),
  )
  assert.deepEqual([...all].sort(), [kept.id, program.id].sort())
  const { rows } = await database.superuserPool.query(
    'select end_reason, count(*)::int from auricle.token where user_id = $1 group by 1 order by 1',
    [userId],
  )
  assert.deepEqual(rows, [
    { end_reason: 'disabled', count: 2 },
    { end_reason: 'signed_out_everywhere', count: 2 },
  ])
})

test('a factor that is shown again is noted once a code, while the session holds', async () => {
  const { tenantId, userId } = tenant
  const { id } = await addSession({ factors: ['pwd'], verifiedAt: null })
  const verify = (totpStep: number | null, ms: number, tokenId = id) => {
    const verification = { tenantId, userId, tokenId, factors: ['otp'] as const, at: at(ms), totpStep }
    return catalog.commitVerification(verification, anEvent(tenantId))
  }
  const tries = await Promise.all(Array.from({ length: 6 }, () => verify(58_000_000, secondMs)))
  assert.equal(tries.filter(Boolean).length, 1)
  const bearer = await catalog.findBearer(tenantId, id, at(secondMs))
  assert.deepEqual(bearer?.token.verifiedAt, at(secondMs))
  assert.deepEqual((await catalog.listTokens(tenantId))[0]?.factors, ['otp', 'pwd'])
  assert.equal(await verify(null, 2 * secondMs), true)
  assert.equal(await verify(null, 2 * secondMs, newTokenId()), false)
  assert.equal(await verify(null, 2 * idleMs), false)
  const program = await addSession({ purpose: 'personal', scopes: [], idleMs: null, verifiedAt: null })
  assert.equal(await verify(null, 2 * secondMs, program.id), false)
})

test('a disabled person’s token says so, whatever else is true of it', async () => {
  const { id } = await addSession()
  await database.superuserPool.query('update auricle.app_user set disabled_at = now() where id = $1', [
    tenant.userId,
  ])
  assert.equal(await holds(id, 0), false)
  assert.equal(await stateOf(id, 0), 'disabled')
  assert.equal(await catalog.findTokenState(tenant.tenantId, newTokenId(), at(0)), null)
})
