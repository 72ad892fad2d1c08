// The contract on a real database, use case by use case.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { decodeLeaf } from '@auricle/audit'
import {
  newAlertId,
  newEventId,
  newIntakeId,
  newMailboxId,
  newRecordingId,
  newTenantId,
  newTokenId,
  newUserId,
} from '@auricle/contract'
import {
  anEvent,
  anInstant,
  anIntake,
  aRecording,
  archiveRecording,
  aToken,
  createTestTenant,
  someObjects,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog, OutboxRow } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let clock = anInstant

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper(), now: () => clock })
  tenant = await createTestTenant(catalog)
})
after(() => database[Symbol.asyncDispose]())

const signInAt = (totpStep: number) => ({ token: aToken(tenant), totpStep, passwordHash: '$argon2id$' })
const later = (ms: number): Date => new Date(clock.getTime() + ms)
const rejects = (promise: Promise<unknown>, code: string) =>
  assert.rejects(promise, { name: 'CatalogError', code })

async function countEvents(tenantId = tenant.tenantId): Promise<number> {
  const { rows } = await database.superuserPool.query(
    'select from auricle.audit_event where tenant_id = $1',
    [tenantId],
  )
  return rows.length
}

describe('directory and people', () => {
  test('a tenant is found by slug and by id, and its slug is taken', async () => {
    const found = await catalog.findTenantBySlug(tenant.slug)
    assert.equal(found?.id, tenant.tenantId)
    assert.deepEqual(await catalog.findTenant(tenant.tenantId), found)
    assert.equal(await catalog.findTenantBySlug('nobody'), null)
    assert.equal(await catalog.findTenant(newTenantId()), null)
    assert.ok((await catalog.listTenants()).some(({ id }) => id === tenant.tenantId))
    const id = newTenantId()
    const again = catalog.createTenant({ ...(found ?? assert.fail()), id }, anEvent(id))
    await rejects(again, 'taken')
    assert.equal(await countEvents(id), 0)
  })

  test('credentials open with the column keys and with no others', async () => {
    const credentials = await catalog.findCredentials(tenant.tenantId, 'clinician', tenant.columns)
    assert.equal(credentials?.totpSecret, 'JBSWY3DPEHPK3PXP')
    assert.equal(credentials?.totpLastStep, null)
    assert.equal(await catalog.findCredentials(tenant.tenantId, 'nobody', tenant.columns), null)
    await rejects(
      catalog.findCredentials(tenant.tenantId, 'clinician', catalog.columnKeys(randomBytes(32))),
      'damaged',
    )
    assert.equal((await catalog.findUserByLogin(tenant.tenantId, 'clinician'))?.id, tenant.userId)
    assert.equal((await catalog.listUsers(tenant.tenantId)).length, 1)
  })

  test('a TOTP step is spent once, however many try at the same time', async () => {
    const tries = Array.from({ length: 12 }, () => {
      return catalog.commitSignIn(signInAt(58_000_000), anEvent(tenant.tenantId))
    })
    const results = await Promise.all(tries)
    assert.equal(results.filter(Boolean).length, 1)
    assert.equal(await catalog.commitSignIn(signInAt(57_999_999), anEvent(tenant.tenantId)), false)
    const stale = { ...signInAt(58_000_001), passwordHash: 'of the password before' }
    assert.equal(await catalog.commitSignIn(stale, anEvent(tenant.tenantId)), false)
    assert.equal(await catalog.commitSignIn(signInAt(58_000_001), anEvent(tenant.tenantId)), true)
    assert.equal((await catalog.listTokens(tenant.tenantId)).length, 2)
  })

  test('failures lock the account at the limit, and a sign-in resets them', async () => {
    const lockedUntil = later(60_000)
    const lockout = (failures: number) => (failures >= 3 ? lockedUntil : null)
    const fail = () => {
      const { tenantId, userId } = tenant
      const event = anEvent(tenantId)
      const subject = { type: 'event', id: event.id }
      const alert = { id: newAlertId(), tenantId, kind: 'sign_in_locked', subject, raisedAt: clock }
      const raised = { alert, event: anEvent(tenantId) }
      return catalog.commitSignInFailure({ tenantId, userId, lockout, raised }, event)
    }
    assert.deepEqual(await Promise.all([fail(), fail()]), [false, false])
    const twice = await catalog.findCredentials(tenant.tenantId, 'clinician', tenant.columns)
    assert.deepEqual([twice?.failedAttempts, twice?.lockedUntil], [2, null])
    assert.equal(await fail(), true)
    assert.equal(await fail(), false)
    const locked = await catalog.findCredentials(tenant.tenantId, 'clinician', tenant.columns)
    assert.deepEqual([locked?.failedAttempts, locked?.lockedUntil], [4, lockedUntil])
    await catalog.commitSignIn(signInAt(58_000_100), anEvent(tenant.tenantId))
    const reset = await catalog.findCredentials(tenant.tenantId, 'clinician', tenant.columns)
    assert.deepEqual([reset?.failedAttempts, reset?.lockedUntil], [0, null])
  })

  test('a bearer is the person behind a live token', async () => {
    const token = aToken(tenant)
    await catalog.addToken(token, anEvent(tenant.tenantId))
    const bearer = await catalog.findBearer(tenant.tenantId, token.id, clock)
    assert.equal(bearer?.user.id, tenant.userId)
    const relation = { mailboxId: tenant.mailboxId, kind: 'owner', until: null }
    assert.deepEqual(bearer?.access, { roles: ['clinician'], mailboxes: [relation], breakGlass: null })
    assert.equal(await catalog.findBearer(tenant.tenantId, token.id, token.expiresAt), null)
    assert.equal(await catalog.findBearer(tenant.tenantId, newTokenId(), clock), null)
    assert.equal(await catalog.findBearer(newTenantId(), token.id, clock), null)
    assert.equal(await catalog.revokeToken(tenant.tenantId, token.id, anEvent(tenant.tenantId)), true)
    assert.equal(await catalog.revokeToken(tenant.tenantId, token.id, anEvent(tenant.tenantId)), false)
    assert.equal(await catalog.findBearer(tenant.tenantId, token.id, clock), null)
  })

  test('mailboxes: taken, not found, owned once', async () => {
    const event = () => anEvent(tenant.tenantId)
    const box = { id: newMailboxId(), tenantId: tenant.tenantId, address: '1001', name: 'Twin' }
    await rejects(catalog.createMailbox(box, event()), 'taken')
    await rejects(
      catalog.addMailboxOwner(tenant.tenantId, newMailboxId(), tenant.userId, event()),
      'not_found',
    )
    await rejects(
      catalog.addMailboxOwner(tenant.tenantId, tenant.mailboxId, newUserId(), event()),
      'not_found',
    )
    const events = await countEvents()
    await catalog.addMailboxOwner(tenant.tenantId, tenant.mailboxId, tenant.userId, event())
    assert.equal(await countEvents(), events)
    const found = await catalog.findMailboxByAddress(tenant.tenantId, '1001')
    assert.deepEqual(found?.ownerIds, [tenant.userId])
    assert.deepEqual(await catalog.listMailboxes(tenant.tenantId), [found])
    assert.equal(await catalog.findMailboxByAddress(tenant.tenantId, '9'), null)
  })

  test('a connector is found without knowing its tenant', async () => {
    const found = await catalog.findConnector(tenant.connectorId)
    assert.equal(found?.tenantId, tenant.tenantId)
    assert.equal(found?.maxBytes, 2 ** 40)
    assert.deepEqual(await catalog.listConnectors(tenant.tenantId), [found])
  })

  test('of several first signing keys one wins', async () => {
    const keys = Array.from({ length: 6 }, (_, index) => {
      return {
        kid: `key-${index}`,
        publicJwk: { kty: 'OKP', x: String(index) },
        sealedPrivateJwk: new Uint8Array(randomBytes(64)),
        createdAt: anInstant,
        retiredAt: null,
      }
    })
    const seen = await Promise.all(keys.map(key => catalog.addFirstSigningKey(key)))
    assert.deepEqual(new Set(seen.map(list => list.map(({ kid }) => kid).join())).size, 1)
    assert.deepEqual(await catalog.listSigningKeys(), seen[0])
    assert.deepEqual(seen[0], [keys.find(({ kid }) => kid === seen[0]?.[0]?.kid)])
  })
})

describe('in', () => {
  test('of 32 deliveries of one source exactly one commits; the others learn of it', async () => {
    const sourceKey = randomBytes(32)
    const events = await countEvents()
    const intakes = Array.from({ length: 32 }, () => anIntake(tenant, { sourceKey }))
    const results = await Promise.all(
      intakes.map(intake => catalog.commitIntake(intake, anEvent(tenant.tenantId))),
    )
    const winners = intakes.filter((_, index) => results[index]?.status === 'committed')
    assert.equal(winners.length, 1)
    for (const result of results) {
      if (result.status === 'duplicate') assert.equal(result.first.id, winners[0]?.id)
    }
    assert.equal(await countEvents(), events + 1)
    const outbox = await database.superuserPool.query('select from auricle.outbox where intake_id = $1', [
      winners[0]?.id,
    ])
    assert.equal(outbox.rowCount, 1)
    const found = await catalog.findIntakeBySource(tenant.tenantId, tenant.connectorId, sourceKey)
    assert.equal(found?.id, winners[0]?.id)
    assert.equal(found?.state, 'received')
  })

  test('an intake of an unknown connector, or whose event exists, leaves nothing', async () => {
    const lost = anIntake(tenant, { connectorId: (await createTestTenant(catalog)).connectorId })
    await rejects(catalog.commitIntake(lost, anEvent(tenant.tenantId)), 'not_found')
    const event = anEvent(tenant.tenantId)
    await catalog.commitIntake(anIntake(tenant), event)
    const second = anIntake(tenant)
    await rejects(catalog.commitIntake(second, event), 'taken')
    assert.equal(await catalog.findIntake(tenant.tenantId, second.id), null)
    assert.deepEqual(await catalog.findMissingIntakes(tenant.tenantId, [second.id]), [second.id])
  })

  test('an audit record of another tenant is refused with the whole delivery', async () => {
    const other = await createTestTenant(catalog)
    const intake = anIntake(tenant)
    await rejects(catalog.commitIntake(intake, anEvent(other.tenantId)), 'refused')
    assert.equal(await catalog.findIntake(tenant.tenantId, intake.id), null)
  })

  test('every field of an intake comes back as it was given', async () => {
    const intake = anIntake(tenant, { contentMac: null, objectKey: null, audioBytes: null })
    await catalog.commitIntake(intake, anEvent(tenant.tenantId))
    const { state, attempts, nextAttemptAt, lastErrorCode, ...rest } =
      (await catalog.findIntake(tenant.tenantId, intake.id)) ?? assert.fail()
    assert.deepEqual([state, attempts, nextAttemptAt, lastErrorCode], ['received', 0, anInstant, null])
    const plain = (bytes: Uint8Array) => new Uint8Array(bytes)
    assert.deepEqual(rest, {
      ...intake,
      sourceKey: plain(intake.sourceKey),
      sealedNotice: plain(intake.sealedNotice ?? assert.fail()),
    })
  })

  test('an archive commits once, also when two run at the same time', async () => {
    const intake = anIntake(tenant)
    await catalog.commitIntake(intake, anEvent(tenant.tenantId))
    const recording = aRecording(tenant, intake)
    const archive = () => {
      return catalog.commitArchive(
        recording,
        someObjects(recording.id),
        tenant.columns,
        anEvent(tenant.tenantId),
      )
    }
    assert.deepEqual((await Promise.all([archive(), archive(), archive()])).sort(), [
      'already',
      'already',
      'archived',
    ])
    assert.equal((await catalog.findIntake(tenant.tenantId, intake.id))?.state, 'archived')
    const lost = aRecording(tenant, anIntake(tenant))
    await rejects(
      catalog.commitArchive(lost, someObjects(lost.id), tenant.columns, anEvent(tenant.tenantId)),
      'not_found',
    )
  })

  test('failures are counted, an intake is set aside, released, and seen when it stalls', async () => {
    const own = await createTestTenant(catalog)
    const intake = anIntake(own)
    await catalog.commitIntake(intake, anEvent(own.tenantId))
    const stalled = async (before: Date): Promise<readonly string[]> => {
      const rows = await catalog.listStalledIntakes(before, 1000)
      return rows.filter(row => row.tenantId === own.tenantId).map(row => row.intakeId)
    }
    assert.deepEqual(await stalled(clock), [])
    clock = later(1000)
    assert.deepEqual(await stalled(clock), [intake.id])
    const nextAttemptAt = later(5000)
    await catalog.commitArchiveFailure({
      tenantId: own.tenantId,
      intakeId: intake.id,
      errorCode: 'not_audio',
      nextAttemptAt,
    })
    const failed = await catalog.findIntake(own.tenantId, intake.id)
    assert.deepEqual(
      [failed?.attempts, failed?.lastErrorCode, failed?.nextAttemptAt],
      [1, 'not_audio', nextAttemptAt],
    )
    clock = later(2000)
    assert.deepEqual(await stalled(clock), [], 'not before it is due')
    clock = later(4000)
    assert.deepEqual(await stalled(clock), [intake.id])

    const events = await countEvents(own.tenantId)
    await catalog.commitQuarantine(own.tenantId, intake.id, 'not_audio', anEvent(own.tenantId))
    await catalog.commitQuarantine(own.tenantId, intake.id, 'not_audio', anEvent(own.tenantId))
    assert.equal(await countEvents(own.tenantId), events + 1)
    assert.deepEqual(
      (await catalog.listIntakes(own.tenantId, 'quarantined', 10)).map(({ id }) => id),
      [intake.id],
    )
    await rejects(
      catalog.commitQuarantine(own.tenantId, newIntakeId(), 'not_audio', anEvent(own.tenantId)),
      'not_found',
    )
    assert.equal(await catalog.releaseQuarantine(own.tenantId, intake.id), true)
    assert.equal(await catalog.releaseQuarantine(own.tenantId, intake.id), false)
    assert.equal((await catalog.findIntake(own.tenantId, intake.id))?.state, 'received')
  })

  test('every outbox row is handed over once, although relays fail and callers compete', async () => {
    await catalog.drainOutbox(10_000, async () => {})
    const intakes = Array.from({ length: 60 }, () => anIntake(tenant))
    for (const intake of intakes) await catalog.commitIntake(intake, anEvent(tenant.tenantId))
    const handed: string[] = []
    const failure = new Error('the queue is away')
    let calls = 0
    const relay = async (rows: readonly OutboxRow[]): Promise<void> => {
      if (calls++ % 3 === 0) throw failure
      handed.push(...rows.map(row => row.intakeId))
    }
    const drain = async (): Promise<void> => {
      for (;;) {
        try {
          if ((await catalog.drainOutbox(7, relay)) === 0) return
        } catch (error) {
          assert.equal(error, failure)
        }
      }
    }
    await Promise.all([drain(), drain(), drain()])
    // A drain that finds only rows that another holds ends early; what that one gave back is left to a later drain.
    await drain()
    assert.deepEqual(handed.sort(), intakes.map(({ id }) => id).sort())
  })
})

describe('out', () => {
  test('a recording comes back as it was archived', async () => {
    const recording = await archiveRecording(catalog, tenant)
    const found = await catalog.findRecording(tenant.tenantId, recording.id, tenant.columns)
    const { status, keepUntil, dueAt } = recording.decision
    assert.deepEqual(found, {
      ...recording,
      decision: { status, keepUntil, dueAt },
      holdIds: [],
      mailbox: { id: tenant.mailboxId, address: '1001', name: 'Front desk' },
      labels: [],
      heardAt: null,
      heardBy: null,
      originalContentType: 'audio/wav',
      originalBytes: 48_000,
    })
    const nothing = {
      mailboxId: null,
      direction: null,
      from: null,
      fromName: null,
      to: null,
      patientReference: null,
      note: null,
      durationMs: null,
      channels: null,
      codec: null,
    }
    const bare = await archiveRecording(catalog, tenant, nothing)
    const foundBare = await catalog.findRecording(tenant.tenantId, bare.id, tenant.columns)
    const { decision: _, ...facts } = bare
    assert.deepEqual(foundBare, { ...foundBare, ...facts, mailbox: null })
    assert.equal(await catalog.findRecording(tenant.tenantId, newRecordingId(), tenant.columns), null)
  })

  test('play facts: token, person, recording and object in one answer', async () => {
    const recording = await archiveRecording(catalog, tenant)
    const token = aToken(tenant)
    await catalog.addToken(token, anEvent(tenant.tenantId))
    const query = {
      tenantId: tenant.tenantId,
      tokenId: token.id,
      recordingId: recording.id,
      role: 'peaks',
      now: anInstant,
    } as const
    const facts = await catalog.findPlayFacts(query)
    assert.equal(facts?.userId, tenant.userId)
    const relation = { mailboxId: tenant.mailboxId, kind: 'owner', until: null }
    assert.deepEqual(facts?.access, { roles: ['clinician'], mailboxes: [relation], breakGlass: null })
    const { id, mailboxId, durationMs } = recording
    const told = { id, mailboxId, patientId: null, labels: [], audioState: 'ready', durationMs }
    assert.deepEqual(facts?.recording, told)
    const objects = await catalog.listObjects(tenant.tenantId, recording.id)
    assert.deepEqual(
      { ...facts?.object, copy: null },
      objects.find(({ role }) => role === 'peaks'),
    )
    const missing = await catalog.findPlayFacts({ ...query, recordingId: newRecordingId() })
    assert.deepEqual([missing?.recording, missing?.object], [null, null])
    assert.equal(await catalog.findPlayFacts({ ...query, now: token.expiresAt }), null)
    const other = await createTestTenant(catalog)
    assert.equal(await catalog.findPlayFacts({ ...query, tenantId: other.tenantId }), null)
  })

  test('the first who heard it stays, until it is marked unheard', async () => {
    const { id: recordingId } = await archiveRecording(catalog, tenant)
    const mark = (heard: { at: Date; by: typeof tenant.userId } | null, id = recordingId) => {
      return catalog.commitHeard(
        { tenantId: tenant.tenantId, recordingId: id, heard },
        anEvent(tenant.tenantId),
      )
    }
    assert.equal(await mark({ at: anInstant, by: tenant.userId }), true)
    assert.equal(await mark({ at: later(1), by: tenant.userId }), true)
    const heard = await catalog.findRecording(tenant.tenantId, recordingId, tenant.columns)
    assert.deepEqual([heard?.heardAt, heard?.heardBy], [anInstant, tenant.userId])
    await mark(null)
    assert.equal((await catalog.findRecording(tenant.tenantId, recordingId, tenant.columns))?.heardAt, null)
    const events = await countEvents()
    assert.equal(await mark(null, newRecordingId()), false)
    assert.equal(await countEvents(), events)
  })

  test('all recordings, page by page', async () => {
    const own = await createTestTenant(catalog)
    const made = []
    for (let index = 0; index < 5; index++) made.push((await archiveRecording(catalog, own)).id)
    const seen = []
    let afterId = null
    for (;;) {
      const page = await catalog.listAllRecordings(own.tenantId, afterId, 2)
      if (page.length === 0) break
      seen.push(...page.map(({ id, objects }) => `${id} ${objects.length}`))
      afterId = page.at(-1)?.id ?? null
    }
    assert.deepEqual(
      seen,
      made.sort().map(id => `${id} 3`),
    )
  })
})

describe('the log', () => {
  test('events of several tenants are appended together or not at all, and listed in order', async () => {
    const [one, two] = [await createTestTenant(catalog), await createTestTenant(catalog)]
    const before = await countEvents(one.tenantId)
    const batch = [
      anEvent(one.tenantId),
      anEvent(two.tenantId),
      { ...anEvent(one.tenantId), sealedPrivate: null },
    ]
    await catalog.appendEvents(batch)
    assert.equal(await countEvents(one.tenantId), before + 2)
    const [first] = batch
    await rejects(catalog.appendEvents([anEvent(two.tenantId), first ?? assert.fail()]), 'taken')
    assert.equal(await countEvents(two.tenantId), before + 1)
    await catalog.appendEvents([])

    const listed = []
    let afterId = null
    for (;;) {
      const page = await catalog.listEvents(one.tenantId, { afterId, limit: 3 })
      if (page.length === 0) break
      listed.push(...page)
      afterId = page.at(-1)?.id ?? null
    }
    assert.deepEqual(
      listed.map(({ id }) => id),
      listed.map(({ id }) => id).sort(),
    )
    const again = listed.find(({ id }) => id === first?.id)
    const { writer, ...event } = decodeLeaf(again?.leaf ?? assert.fail())
    assert.deepEqual(event, first?.event)
    assert.equal(writer?.name, 'test')
    assert.ok(again?.recordedAt instanceof Date)
    const after = await catalog.listEvents(one.tenantId, { afterId: newEventId(), limit: 3 })
    assert.deepEqual(after, [])
  })

  test('the stored leaf hash is that of a Merkle leaf', async () => {
    const { rows } = await database.superuserPool.query(
      `select count(*) filter (where leaf_hash = sha256('\\x00'::bytea || leaf)) as good, count(*) as all
       from auricle.audit_event`,
    )
    assert.equal(rows[0].good, rows[0].all)
  })
})
