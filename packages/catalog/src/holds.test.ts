// Legal holds in the database: what they cover, when that ends, and what nobody may read of them in clear.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  Label,
  type MailboxId,
  newMailboxId,
  newRecordingId,
  newUserId,
  type PatientId,
  type RecordingId,
} from '@auricle/contract'
import fc from 'fast-check'
import {
  anEvent,
  anInstant,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { aClause, createHolding, everything, type Holding, noCriteria } from '../../../test/holds.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog, RecordingFacts } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import type { HoldCriteria } from './hold-row.ts'
import type { NewHoldRow } from './holds.ts'

const minuteMs = 60_000
const at = (minutes: number): Date => new Date(anInstant.getTime() + minutes * minuteMs)
let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let holding: Holding

const event = async () => anEvent(tenant.tenantId)

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
})
beforeEach(async () => {
  tenant = await createTestTenant(catalog)
  holding = createHolding(catalog, database.appPool, tenant)
})
after(() => database[Symbol.asyncDispose]())

describe('what a clause covers', () => {
  const numbers = ['+1 202 555 0100', '12025550100', '555-0102', 'anonymous', null]

  test('is what its model says, of any recording and any clause', async () => {
    const second = newMailboxId()
    const mailbox = { id: second, tenantId: tenant.tenantId, address: '1002', name: 'Nurses' }
    await catalog.createMailbox(mailbox, await event())
    const mailboxes = [tenant.mailboxId, second]
    const patients: PatientId[] = []
    for (const reference of ['MRN-1', 'MRN-2']) {
      const id = await catalog.ensurePatient(tenant.tenantId, reference, tenant.columns)
      assert.ok(id !== null)
      patients.push(id)
    }
    const made: (RecordingFacts & { readonly labels: readonly Label[] })[] = []
    for (let index = 0; index < 60; index++) {
      const labels = Label.options.filter((_, bit) => ((index * 7) >> bit) % 2 === 1)
      const recording = await archiveRecording(catalog, tenant, {
        startedAt: at((index * 5) % 9),
        mailboxId: index % 4 === 0 ? null : (mailboxes[index % 2] ?? null),
        patientId: index % 3 === 0 ? null : (patients[index % 2] ?? null),
        kind: index % 5 === 0 ? 'recording' : 'voicemail',
        from: numbers[index % 5] ?? null,
        to: numbers[(index * 3 + 1) % 5] ?? null,
      })
      await holding.inTenant('update auricle.recording set labels = $2 where id = $1', [recording.id, labels])
      made.push({ ...recording, labels })
    }

    const criteria = fc.record({
      mailboxId: fc.constantFrom<(MailboxId | null)[]>(null, null, ...mailboxes),
      patientId: fc.constantFrom<(PatientId | null)[]>(null, null, ...patients),
      number: fc.constantFrom(null, null, '+12025550100', '(555) 0102', '999'),
      kind: fc.constantFrom(null, null, 'voicemail' as const, 'recording' as const),
      label: fc.constantFrom(null, null, ...Label.options),
      after: fc.constantFrom(null, ...[-1, 0, 3, 8].map(at)),
      before: fc.constantFrom(null, ...[0, 4, 8, 9].map(at)),
    })
    const digits = (number: string | null) => number?.replaceAll(/\D/g, '') ?? ''
    const expected = (clauses: readonly HoldCriteria[]) =>
      made.filter(recording =>
        clauses.some(asked => {
          if (asked.mailboxId !== null && asked.mailboxId !== recording.mailboxId) return false
          if (asked.patientId !== null && asked.patientId !== recording.patientId) return false
          if (asked.kind !== null && asked.kind !== recording.kind) return false
          if (asked.label !== null && !recording.labels.includes(asked.label)) return false
          if (asked.after !== null && recording.startedAt < asked.after) return false
          if (asked.before !== null && !(recording.startedAt < asked.before)) return false
          if (asked.number === null) return true
          return [recording.from, recording.to].some(party => digits(party) === digits(asked.number))
        }),
      )

    const found = new Set<number>()
    await fc.assert(
      fc.asyncProperty(fc.array(criteria, { minLength: 1, maxLength: 3 }), async clauses => {
        const wanted = expected(clauses).map(({ id }) => id)
        found.add(wanted.length)
        const preview = await catalog.previewHold(
          tenant.tenantId,
          { clauses, recordings: [] },
          tenant.columns,
        )
        assert.equal(preview.recordings, wanted.length)
        assert.equal(preview.bytes, wanted.length * 48_000)
        const placed = await holding.place({ clauses: clauses.map(aClause) })
        assert.equal(placed.covered, wanted.length)
        const held = await catalog.listHeld(tenant.tenantId, { id: placed.id, afterId: null, limit: 100 })
        assert.deepEqual(
          held.map(({ id }) => id),
          wanted.toSorted(),
        )
      }),
      { numRuns: 150 },
    )
    assert.ok(found.size > 8, 'the clauses drawn found too little')
  })

  test('and nothing of another tenant', async () => {
    const other = await createTestTenant(catalog)
    const theirs = await archiveRecording(catalog, other)
    const own = await archiveRecording(catalog, tenant)
    const placed = await holding.place({ clauses: [everything] })
    assert.equal(placed.covered, 1)
    assert.deepEqual(await holding.covers(own.id), [placed.id])
    assert.deepEqual(await catalog.listHolds(other.tenantId, { beforeId: null, limit: 9 }, other.columns), [])
    assert.equal(await catalog.findHold(other.tenantId, placed.id, other.columns), null)
    const unknown = [{ recordings: [theirs.id] }, { clauses: [aClause({ mailboxId: other.mailboxId })] }]
    for (const scope of unknown) await assert.rejects(holding.place(scope), { code: 'not_found' })
  })
})

describe('a hold', () => {
  test('covers what comes later, and what comes to be what it asks for', async () => {
    const placed = await holding.place({
      clauses: [aClause({ label: 'vip' }), aClause({ number: '555 0177' })],
    })
    assert.equal(placed.covered, 0)
    const plain = await archiveRecording(catalog, tenant)
    const numbered = await archiveRecording(catalog, tenant, { from: '5550177' })
    assert.deepEqual(await holding.covers(plain.id), [])
    assert.deepEqual(await holding.covers(numbered.id), [placed.id])
    await holding.relabel(plain.id, ['vip'])
    assert.deepEqual(await holding.covers(plain.id), [placed.id])
    const patientId = await catalog.ensurePatient(tenant.tenantId, 'MRN-7', tenant.columns)
    const ofPatient = await holding.place({ clauses: [aClause({ patientId })] })
    const unnamed = await archiveRecording(catalog, tenant, { patientReference: 'MRN-7' })
    assert.deepEqual(await holding.covers(unnamed.id), [])
    await catalog.nameRecordings(tenant.tenantId, [unnamed.id], tenant.columns)
    assert.deepEqual(await holding.covers(unnamed.id), [ofPatient.id])
    // Covered once, covered until somebody lets it go.
    await holding.relabel(plain.id, [], ['vip'])
    assert.deepEqual(await holding.covers(plain.id), [placed.id])
    assert.deepEqual(await holding.askedStores(), new Set([plain.id, numbered.id, unnamed.id]))
  })

  test('is one of several: a recording is held until the last of them is released', async () => {
    const { id } = await archiveRecording(catalog, tenant)
    const other = await archiveRecording(catalog, tenant)
    const [first, second] = [
      await holding.place({ clauses: [everything] }),
      await holding.place({ recordings: [id] }),
    ]
    assert.deepEqual([first.covered, second.covered], [2, 1])
    assert.deepEqual(await holding.covers(id), [first.id, second.id].toSorted())
    await holding.forgetStoreWork()
    assert.equal(await holding.release(first.id), 2)
    // Nothing changes for the stores where another hold is still there.
    assert.deepEqual(await holding.askedStores(), new Set([other.id]))
    assert.deepEqual(await holding.covers(id), [second.id])
    assert.equal(await holding.release(second.id), 1)
    assert.deepEqual(await holding.covers(id), [])
    assert.deepEqual(await holding.askedStores(), new Set([other.id, id]))
    assert.equal(await holding.release(first.id), null)
    assert.equal(await holding.extend({ id: first.id, clauses: [everything] }), null)
    await holding.cover(id)
    assert.deepEqual(await holding.covers(id), [])
  })

  test('lets one recording go for good, unless somebody asks for it again', async () => {
    const { id } = await archiveRecording(catalog, tenant)
    const hold = await holding.place({ clauses: [aClause({ kind: 'voicemail' })] })
    await holding.forgetStoreWork()
    assert.equal(await holding.releaseCover(hold.id, id), true)
    assert.equal(await holding.releaseCover(hold.id, id), false)
    assert.deepEqual(await holding.askedStores(), new Set([id]))
    await holding.cover(id)
    assert.deepEqual(
      await holding.covers(id),
      [],
      'the clause that it was released from does not bring it back',
    )
    assert.equal((await holding.extend({ id: hold.id, clauses: [aClause({ label: 'vip' })] }))?.covered, 0)
    await holding.relabel(id, ['vip'])
    assert.deepEqual(await holding.covers(id), [hold.id], 'a newer clause does')
    assert.equal(await holding.releaseCover(hold.id, id), true)
    assert.equal((await holding.extend({ id: hold.id, recordings: [id] }))?.covered, 1)
    assert.deepEqual(await holding.covers(id), [hold.id], 'and somebody by hand')
    // What was once covered stays known.
    const rows = await holding.inTenant('select from auricle.hold_cover where recording_id = $1', [id])
    assert.equal(rows.length, 3)
    const [held, ...more] = await catalog.listHeld(tenant.tenantId, { id: hold.id, afterId: null, limit: 9 })
    assert.deepEqual(more, [])
    assert.deepEqual([held?.coveredBy, held?.releasedAt, held?.state], [tenant.userId, null, 'kept'])
  })

  test('names what it came too late for', async () => {
    const [gone, going, kept] = [
      await archiveRecording(catalog, tenant),
      await archiveRecording(catalog, tenant),
      await archiveRecording(catalog, tenant),
    ]
    const sql = (text: string, id: RecordingId) => database.superuserPool.query(text, [id, anInstant])
    await sql(
      `update auricle.recording set destroying_at = $2, destroyed_at = $2, source_id = null, from_number = null,
         from_name = null, to_number = null, patient_reference = null, note = null, from_index = null, to_index = null
       where id = $1`,
      gone.id,
    )
    await sql('update auricle.recording set destroying_at = $2 where id = $1', going.id)
    const late = { destroying: [going.id], destroyed: [gone.id], destroyedCount: 1 }
    const scope = { clauses: [noCriteria], recordings: [] }
    const preview = await catalog.previewHold(tenant.tenantId, scope, tenant.columns)
    assert.deepEqual(preview, { recordings: 2, bytes: 96_000, heldAlready: 0, ...late })
    const { id, ...placed } = await holding.place({ clauses: [everything], recordings: [gone.id] })
    assert.deepEqual(placed, { covered: 2, ...late })
    for (const one of [going, kept]) assert.deepEqual(await holding.covers(one.id), [id])
    assert.deepEqual(await holding.covers(gone.id), [])
  })

  test('is written whole or not at all, and says who is not there', async () => {
    const { id } = await archiveRecording(catalog, tenant)
    const service = newUserId()
    await catalog.createUser(
      {
        ...{ id: service, tenantId: tenant.tenantId, login: 'machine', name: 'Machine', kind: 'service' },
        ...{ roles: [], createdAt: anInstant, disabledAt: null },
      },
      { passwordHash: null, totpSecret: null },
      tenant.columns,
      await event(),
    )
    const refused: Partial<NewHoldRow>[] = [
      { recordings: [id, newRecordingId()] },
      { recordings: [id], custodians: [newUserId()] },
      { recordings: [id], custodians: [service] },
      { recordings: [id], clauses: [aClause({ mailboxId: newMailboxId() })] },
    ]
    for (const change of refused) await assert.rejects(holding.place(change), { code: 'not_found' })
    const failing = catalog.placeHold(holding.aHold({ recordings: [id] }), tenant.columns, async () => {
      throw new RangeError('no event')
    })
    await assert.rejects(failing, RangeError)
    assert.deepEqual(await holding.covers(id), [])
    assert.deepEqual(await holding.inTenant('select id from auricle.legal_hold'), [])
    assert.equal(
      (await holding.place({ recordings: [id, id], custodians: [tenant.userId, tenant.userId] })).covered,
      1,
    )
  })

  test('tells its custodians once, and shows its way from beginning to end', async () => {
    const { id } = await archiveRecording(catalog, tenant)
    const placedAt = holding.tick()
    const scope = { clauses: [aClause({ kind: 'voicemail' })], custodians: [tenant.userId] }
    const hold = await holding.place({ ...scope, at: placedAt })
    const other = await archiveRecording(catalog, tenant, { kind: 'recording' })
    await holding.extend({ id: hold.id, recordings: [other.id] })
    const [notice, ...more] = await catalog.listNotices(tenant.tenantId, tenant.userId, tenant.columns)
    assert.deepEqual(more, [])
    assert.deepEqual(notice, {
      ...{ id: hold.id, notice: 'Keep the paper slips too.', placedAt, toldAt: placedAt },
      ...{ acknowledgedAt: null, releasedAt: null },
    })
    const read = { tenantId: tenant.tenantId, id: hold.id, userId: tenant.userId }
    const readAt = holding.tick()
    assert.equal(await catalog.acknowledgeNotice({ ...read, at: readAt }, await event()), true)
    assert.equal(await catalog.acknowledgeNotice({ ...read, at: holding.tick() }, await event()), false)
    assert.equal(
      await catalog.acknowledgeNotice({ ...read, userId: newUserId(), at: readAt }, await event()),
      false,
    )
    await holding.releaseCover(hold.id, id)
    await holding.release(hold.id)
    const found = await catalog.findHold(tenant.tenantId, hold.id, tenant.columns)
    assert.deepEqual(
      found?.trail.map(({ what, by, count }) => [what, by, count]),
      [
        ['placed', tenant.userId, 1],
        ['clauses_added', tenant.userId, 1],
        ['custodians_added', tenant.userId, 1],
        ['recordings_added', tenant.userId, 1],
        ['acknowledged', tenant.userId, 1],
        ['recordings_released', tenant.userId, 1],
        ['released', tenant.userId, 1],
      ],
    )
    assert.deepEqual(
      found?.people.map(person => [person.id, person.acknowledgedAt]),
      [[tenant.userId, readAt]],
    )
    const listed = await catalog.listHolds(tenant.tenantId, { beforeId: null, limit: 9 }, tenant.columns)
    const { recordings, clauses, custodians, acknowledged, matter, release: end } = listed[0] ?? assert.fail()
    assert.deepEqual([recordings, clauses, custodians, acknowledged], [1, 1, 1, 1])
    assert.equal(matter, 'Estate of Dana Example')
    assert.deepEqual(end, { at: found?.trail.at(-1)?.at, by: tenant.userId, reason: 'The matter is settled' })
    const active = { isActive: true, beforeId: null, limit: 9 }
    assert.deepEqual(await catalog.listHolds(tenant.tenantId, active, tenant.columns), [])
  })

  test('shows in a list of recordings which are held', async () => {
    const [one, two] = [await archiveRecording(catalog, tenant), await archiveRecording(catalog, tenant)]
    const hold = await holding.place({ recordings: [one.id] })
    const list = async (held: boolean, mailboxIds: readonly MailboxId[] | null = null) => {
      const filter = { mailboxIds, withoutLabels: [], held, limit: 9 }
      const page = await catalog.listRecordings(tenant.tenantId, filter, tenant.columns)
      return page.recordings.map(({ id }) => id)
    }
    assert.deepEqual([await list(true), await list(false)], [[one.id], [two.id]])
    assert.deepEqual(await list(true, [tenant.mailboxId]), [one.id])
    await holding.release(hold.id)
    assert.deepEqual(await list(true), [])
  })

  test('has nothing in clear that names a matter, a number or a patient', async () => {
    const patientId = await catalog.ensurePatient(tenant.tenantId, 'MRN-SECRET-9', tenant.columns)
    await archiveRecording(catalog, tenant, { from: '2025550143', patientId })
    const shown = JSON.stringify({ patient: 'MRN-SECRET-9', number: '2025550143' })
    const hold = await holding.place({
      ...{ matter: 'Matter-Of-Somebody', notice: 'Notice-Of-Somebody' },
      clauses: [{ ...noCriteria, patientId, number: '2025550143', shown }],
    })
    await catalog.releaseHold(
      {
        tenantId: tenant.tenantId,
        id: hold.id,
        by: tenant.userId,
        at: holding.tick(),
        reason: 'Reason-Of-Somebody',
      },
      tenant.columns,
      event,
    )
    const secrets = ['Matter-Of', 'Notice-Of', 'Reason-Of', 'MRN-SECRET', '2025550143']
    const { rows: tables } = await database.superuserPool.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = 'auricle'`,
    )
    for (const { name } of tables) {
      const { rows } = await database.superuserPool.query<{ row: string }>(
        // Bytes as text as well, so that what is in them shows.
        `select t::text as row from auricle.${name} t`,
      )
      for (const { row } of rows) {
        for (const secret of secrets) {
          const hex = Buffer.from(secret).toString('hex')
          assert.ok(!row.includes(secret) && !row.includes(hex), `${secret} stands in ${name}`)
        }
      }
    }
    const found = await catalog.findHold(tenant.tenantId, hold.id, tenant.columns)
    assert.equal(found?.scope[0]?.shown, shown)
    // Sealed for its place: what is moved to another hold does not open.
    const other = await holding.place({ clauses: [everything] })
    await database.superuserPool.query(
      `update auricle.legal_hold set matter = (select matter from auricle.legal_hold where id = $1) where id = $2`,
      [hold.id, other.id],
    )
    await assert.rejects(catalog.findHold(tenant.tenantId, other.id, tenant.columns), { code: 'damaged' })
  })
})

describe('the private part of an event', () => {
  test('is kept while a hold covers what the event is about', async () => {
    const { id } = await archiveRecording(catalog, tenant)
    const about = async (object: { type: string; id: string }) => {
      const record = anEvent(tenant.tenantId)
      await catalog.appendEvents([record])
      const dropped = { id: record.event.id, about: { ...object, version: null } }
      return catalog.dropPrivatePart(tenant.tenantId, dropped, await event())
    }
    const [{ intake_id: intakeId } = { intake_id: '' }] = await holding.inTenant<{ intake_id: string }>(
      'select intake_id from auricle.recording where id = $1',
      [id],
    )
    const hold = await holding.place({ recordings: [id] })
    const covered = [
      { type: 'recording', id },
      { type: 'intake', id: intakeId },
      { type: 'hold', id: hold.id },
    ]
    for (const object of covered) assert.equal(await about(object), 'held')
    // The same id under another name is something else.
    assert.equal(await about({ type: 'mailbox', id }), 'dropped')
    await holding.release(hold.id)
    for (const object of covered) assert.equal(await about(object), 'dropped')
  })
})
