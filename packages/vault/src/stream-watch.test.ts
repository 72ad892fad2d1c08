// Ends the right to hear what is being sent, in every way in which it can end, and looks whether the stream is cut.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { Catalog } from '@auricle/catalog'
import { newTokenId, type RecordingId, type TokenId } from '@auricle/contract'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Clinic, makeClinic, openTestVault, sample, type TestVault } from '../../../test/vault.ts'
import { auditRecord } from './audit-record.ts'
import type { EventAppender } from './log/durable-event.ts'
import { createPlayer, type Player, type PlayParts, type PlayRequest } from './play.ts'
import type { Stream } from './stream-watch.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const idleMs = 15 * minuteMs
const sessionMs = 12 * 60 * minuteMs

let vault: TestVault
let clinic: Clinic
let recordingId: RecordingId
let clock: Date
let player: Player
let tokenId: TokenId
/** Put in the place of the catalog's and the log's. */
let change: Partial<Pick<Catalog, 'findPlayFacts'> & EventAppender>
let failures: unknown[]
const pass = (ms: number) => {
  clock = new Date(clock.getTime() + ms)
}

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

beforeEach(async () => {
  clinic = await makeClinic(vault)
  recordingId = await archiveAudio(
    vault,
    clinic,
    await sample('voicemail-short.wav'),
    { sourceId: 'one' },
    { audio: null },
  )
  clock = new Date()
  change = {}
  failures = []
  const catalog: PlayParts['catalog'] = {
    ...vault.catalog,
    findPlayFacts: (...given) => (change.findPlayFacts ?? vault.catalog.findPlayFacts)(...given),
  }
  const log: EventAppender = { append: (...given) => (change.append ?? vault.log.append)(...given) }
  const onStreamFailure = (error: unknown) => failures.push(error)
  // Nobody waits for the timer: the tests look by hand.
  const streams = { recheckMs: 60 * minuteMs }
  player = createPlayer({ ...vault, catalog, log, now: () => clock, streams, onStreamFailure })
  tokenId = await openSession()
})

afterEach(() => player[Symbol.asyncDispose]())

async function openSession(): Promise<TokenId> {
  const { tenantId, id: userId } = clinic.clinician.row
  const id = newTokenId()
  const actor = { type: 'person', userId, tokenId: id } as const
  const opened = {
    tenantId,
    action: 'session.opened',
    outcome: 'allowed',
    actor,
    object: null,
    request: null,
  } as const
  const expiresAt = new Date(clock.getTime() + sessionMs)
  const begins = {
    purpose: 'session',
    createdAt: clock,
    expiresAt,
    idleMs,
    factors: ['pwd', 'otp'],
    verifiedAt: clock,
  } as const
  const token = { id, tenantId, userId, ...begins, scopes: null, name: null, secretHash: null }
  await vault.catalog.addToken(token, await auditRecord(opened, null))
  return id
}

async function follow(facts: Partial<PlayRequest> = {}): Promise<Stream> {
  const { tenantId, id: userId } = clinic.clinician.row
  const playback = await player.open({
    bearer: { tenantId, userId, tokenId, secretHash: null },
    recordingId,
    role: 'original',
    purpose: 'play',
    purposeOfUse: null,
    request: 'r',
    ip: '192.0.2.7',
    userAgent: 'test',
    ...facts,
  })
  return playback.follow()
}

const query = (text: string, ...values: unknown[]) => vault.database.superuserPool.query(text, values)
const cuts = async () =>
  (await auditEvents(vault, clinic.tenant.id)).filter(({ action }) => action === 'recording.cut')

async function assertCut(stream: Stream, ...reasons: string[]): Promise<void> {
  await player.recheck()
  assert.ok(stream.signal.aborted)
  const [event, ...more] = await cuts()
  assert.deepEqual(more, [])
  assert.deepEqual(event?.reasons, reasons)
  assert.deepEqual(
    [event?.outcome, event?.object?.id, event?.actor.session],
    ['denied', recordingId, tokenId],
  )
}

test('while nothing changes it goes on', async () => {
  using stream = await follow()
  for (let look = 0; look < 3; look++) await player.recheck()
  assert.equal(stream.signal.aborted, false)
  assert.deepEqual(await cuts(), [])
})

const user = () => clinic.clinician.row.id

const ends: Readonly<Record<string, readonly [reason: string, end: () => Promise<unknown>]>> = {
  'the session was ended': [
    'revoked',
    () => query('update auricle.token set revoked_at = now() where id = $1', tokenId),
  ],
  'the person was disabled': [
    'disabled',
    () => query('update auricle.app_user set disabled_at = now() where id = $1', user()),
  ],
  'the role was taken away': [
    'no_hearing_role',
    () => query('update auricle.role_grant set revoked_at = now() where user_id = $1', user()),
  ],
  'the role had an end': [
    'no_hearing_role',
    () => query('update auricle.role_grant set until = $2 where user_id = $1', user(), clock),
  ],
  'the mailbox became somebody else’s': [
    'not_owner',
    () => query('delete from auricle.mailbox_owner where user_id = $1', user()),
  ],
  'a label came upon it': [
    'label_vip',
    () => query("update auricle.recording set labels = '{vip}' where id = $1", recordingId),
  ],
}

for (const [name, [reason, end]] of Object.entries(ends)) {
  test(`cut: ${name}`, async () => {
    using stream = await follow()
    await player.recheck()
    assert.equal(stream.signal.aborted, false)
    await end()
    await player.recheck()
    const [event] = await cuts()
    assert.ok(stream.signal.aborted)
    assert.equal(event?.reasons[0], reason)
    assert.equal(stream.signal.reason.code, 'denied')
  })
}

test('cut: cover that ended', async () => {
  const { tenant, mailbox, stranger } = clinic
  await query('delete from auricle.mailbox_owner where user_id = $1', user())
  await query(
    'insert into auricle.mailbox_owner (tenant_id, mailbox_id, user_id) values ($1, $2, $3)',
    tenant.id,
    mailbox.id,
    stranger.row.id,
  )
  await query(
    `insert into auricle.delegation
       (tenant_id, id, mailbox_id, from_user_id, to_user_id, created_by, created_at, starts_at, until)
     values ($1, $2, $3, $4, $5, $4, $6, $6, $7)`,
    tenant.id,
    tokenId.replace('tok_', 'del_'),
    mailbox.id,
    stranger.row.id,
    user(),
    clock,
    new Date(clock.getTime() + minuteMs),
  )
  using stream = await follow()
  pass(minuteMs - 1)
  await player.recheck()
  assert.equal(stream.signal.aborted, false)
  pass(1)
  await assertCut(stream, 'not_owner')
})

test('cut: emergency access that ended', async () => {
  await query('delete from auricle.mailbox_owner where user_id = $1', user())
  await query(
    `insert into auricle.break_glass (tenant_id, id, user_id, token_id, reason, started_at, until, review_due_at)
     values ($1, $2, $3, $4, '', $5, $6, $6)`,
    clinic.tenant.id,
    tokenId.replace('tok_', 'bgl_'),
    user(),
    tokenId,
    clock,
    new Date(clock.getTime() + minuteMs),
  )
  using stream = await follow()
  pass(minuteMs - 1)
  await player.recheck()
  assert.equal(stream.signal.aborted, false)
  pass(1)
  await assertCut(stream, 'not_owner')
})

test('a stream that advances keeps its session from idleness, and not beyond its absolute end', async () => {
  using stream = await follow()
  for (let passed = 0; passed < sessionMs - minuteMs; passed += minuteMs) {
    pass(minuteMs)
    stream.advance()
    await player.recheck()
  }
  assert.equal(stream.signal.aborted, false)
  pass(minuteMs + secondMs)
  stream.advance()
  await assertCut(stream, 'expired')
})

test('a stream that stalls is no use of its session: it ends with it', async () => {
  using stream = await follow()
  const seenAt = async () =>
    (await query('select seen_at from auricle.token where id = $1', tokenId)).rows[0].seen_at
  const begun = await seenAt()
  const lookFor = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 20 * secondMs) {
      pass(20 * secondMs)
      await player.recheck()
    }
  }
  await lookFor(minuteMs)
  assert.deepEqual(await seenAt(), begun)
  stream.advance()
  await lookFor(20 * secondMs)
  const used = await seenAt()
  assert.deepEqual(used, clock)
  await lookFor(idleMs - 20 * secondMs)
  assert.equal(stream.signal.aborted, false)
  assert.deepEqual(await seenAt(), used)
  pass(20 * secondMs)
  await assertCut(stream, 'idle')
})

test('use is noted at most every half a minute', async () => {
  using stream = await follow()
  const seen = new Set<string>()
  for (let looks = 0; looks < 13; looks++) {
    pass(5 * secondMs)
    stream.advance()
    await player.recheck()
    const { rows } = await query('select seen_at from auricle.token where id = $1', tokenId)
    seen.add(String(rows[0].seen_at.getTime()))
  }
  assert.equal(seen.size, 2)
})

test('an export that outlasts its fresh factor goes on', async () => {
  using stream = await follow({ purpose: 'export' })
  for (let looks = 0; looks < 40; looks++) {
    pass(15 * secondMs)
    stream.advance()
    await player.recheck()
  }
  assert.equal(stream.signal.aborted, false)
})

test('an export and a waveform are cut like what is heard, each with its event', async () => {
  using played = await follow()
  using kept = await follow({ purpose: 'export' })
  await query('update auricle.token set revoked_at = now() where id = $1', tokenId)
  await player.recheck()
  assert.ok(played.signal.aborted && kept.signal.aborted)
  assert.deepEqual(
    (await cuts()).map(({ reasons }) => reasons.join()),
    ['revoked', 'revoked'],
  )
})

test('ranges of one playback are decided by one look and cut by one event', async () => {
  const streams = [await follow(), await follow(), await follow()]
  let looks = 0
  change.findPlayFacts = (...given) => {
    looks++
    return vault.catalog.findPlayFacts(...given)
  }
  await player.recheck()
  assert.equal(looks, 1)
  await query('update auricle.token set revoked_at = now() where id = $1', tokenId)
  await player.recheck()
  assert.ok(streams.every(({ signal }) => signal.aborted))
  assert.equal((await cuts()).length, 1)
  // And are then forgotten.
  await player.recheck()
  assert.equal(looks, 2)
})

test('one that has ended by itself is looked at no more, and is not said to have been cut', async () => {
  const stream = await follow()
  stream[Symbol.dispose]()
  await query('update auricle.token set revoked_at = now() where id = $1', tokenId)
  await player.recheck()
  assert.equal(stream.signal.aborted, false)
  assert.deepEqual(await cuts(), [])
})

test('where nobody can say, it goes on for half a minute and no longer', async () => {
  using stream = await follow()
  change.findPlayFacts = () => Promise.reject(new Error('the database is away'))
  pass(29 * secondMs)
  await player.recheck()
  assert.equal(stream.signal.aborted, false)
  pass(secondMs)
  await assertCut(stream, 'undecided')
  assert.match(String(failures[0]), /the database is away/)
})

test('an outage that is over in time cuts nothing', async () => {
  using stream = await follow()
  change.findPlayFacts = () => Promise.reject(new Error('the database is away'))
  pass(29 * secondMs)
  await player.recheck()
  change = {}
  await player.recheck()
  pass(29 * secondMs)
  await player.recheck()
  assert.equal(stream.signal.aborted, false)
})

test('a look that never comes back holds up no cut', async () => {
  using stream = await follow()
  const hanging = Promise.withResolvers<never>()
  change.findPlayFacts = () => hanging.promise
  const first = player.recheck()
  pass(30 * secondMs)
  const second = player.recheck()
  assert.ok(stream.signal.aborted)
  hanging.reject(new Error('at last'))
  await Promise.all([first, second])
  assert.deepEqual((await cuts())[0]?.reasons, ['undecided'])
})

test('where the log is away the bytes stop all the same, and the event follows', async () => {
  using stream = await follow()
  change.append = () => Promise.reject(new Error('the disk is full'))
  await query('update auricle.token set revoked_at = now() where id = $1', tokenId)
  await player.recheck()
  assert.ok(stream.signal.aborted)
  assert.deepEqual(await cuts(), [])
  assert.match(String(failures[0]), /the disk is full/)
  const at = clock
  change = {}
  pass(minuteMs)
  await player.recheck()
  const [event, ...more] = await cuts()
  assert.deepEqual([event?.reasons, event?.at, more], [['revoked'], at.toISOString(), []])
})

test('after a cut the key is gone, and the next to ask is refused', async () => {
  using stream = await follow()
  await query('delete from auricle.mailbox_owner where user_id = $1', user())
  await player.recheck()
  assert.ok(stream.signal.aborted)
  await assert.rejects(follow(), { code: 'denied' })
})
