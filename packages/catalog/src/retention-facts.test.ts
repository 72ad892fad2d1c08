// Facts that rules decide by, read from PostgreSQL: which events, which decision on the record set, what is locked, and
// how a change of them makes decisions due again.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  newHoldId,
  newPatientId,
  newRecordingId,
  newRecordSetDecisionId,
  newRetentionEventId,
  newUserId,
  type PatientId,
  type RecordingId,
  type RecordSet,
  type RetentionEventKind,
} from '@auricle/contract'
import {
  anEvent,
  anInstant,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog, RecordingFacts } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import type { RecordSetRow } from './record-set.ts'
import type { RetentionEventRow, RetentionSubject } from './retention-events.ts'
import type { RetentionFactsRow } from './retention-facts.ts'

const dayMs = 24 * 60 * 60_000
const later = (days: number) => new Date(anInstant.getTime() + days * dayMs)

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let foreign: TestTenant

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
})
beforeEach(async () => {
  tenant = await createTestTenant(catalog)
  foreign = await createTestTenant(catalog)
})
after(() => database[Symbol.asyncDispose]())

const event = () => anEvent(tenant.tenantId)

async function aPatient(of = tenant, reference = 'MRN-000077'): Promise<PatientId> {
  const id = await catalog.ensurePatient(of.tenantId, reference, of.columns)
  assert.ok(id)
  return id
}

/** Nothing decided and nothing kept: each test says what is. */
async function archive(change: Partial<RecordingFacts> = {}): Promise<RecordingId> {
  const { id } = await archiveRecording(catalog, tenant, change)
  await database.superuserPool.query('delete from auricle.retention_decision where recording_id = $1', [id])
  await inTenant('update auricle.recording_object set store_until = null where recording_id = $1', [id])
  return id
}

async function factsOf(...ids: readonly RecordingId[]): Promise<readonly RetentionFactsRow[]> {
  return catalog.findRetentionFacts(tenant.tenantId, ids, tenant.columns)
}

async function oneFact(id: RecordingId): Promise<RetentionFactsRow> {
  const [facts] = await factsOf(id)
  assert.ok(facts)
  return facts
}

function happened(
  kind: RetentionEventKind,
  subject: RetentionSubject,
  change: Partial<RetentionEventRow> = {},
): RetentionEventRow {
  return {
    ...{ tenantId: tenant.tenantId, id: newRetentionEventId(), kind, subject, at: anInstant },
    ...{ recordedAt: anInstant, recordedBy: tenant.userId, withdrawnAt: null, withdrawnBy: null },
    ...change,
  }
}

function decided(
  subject: RecordSetRow['subject'],
  decision: RecordSet,
  change: Partial<RecordSetRow> = {},
): RecordSetRow {
  return {
    ...{ tenantId: tenant.tenantId, id: newRecordSetDecisionId(), subject, decision },
    ...{ rationale: 'part of the chart', decidedAt: anInstant, decidedBy: tenant.userId },
    ...change,
  }
}

const put = (row: RecordSetRow) => catalog.decideRecordSet(row, tenant.columns, event())

/** As the services' own role may. */
async function inTenant(
  text: string,
  values: readonly unknown[],
): Promise<readonly Record<string, unknown>[]> {
  const client = await database.appPool.connect()
  try {
    await client.query('begin')
    await client.query("select set_config('auricle.tenant', $1, true)", [tenant.tenantId])
    const { rows } = await client.query(text, [...values])
    await client.query('commit')
    return rows
  } finally {
    client.release()
  }
}

async function decisionRow(
  id: RecordingId,
  change: {
    readonly keepUntil?: Date
    readonly locked?: boolean
    readonly at?: Date
    readonly over?: Date
  } = {},
): Promise<void> {
  const { keepUntil = later(30), locked = false, at = anInstant, over = null } = change
  await inTenant(
    `insert into auricle.retention_decision (tenant_id, recording_id, decided_at, superseded_at, revision, status,
       keep_until, disposal, locked) values ($1, $2, $3, $4, 7, 'unruled', $5, 'none', $6)`,
    [tenant.tenantId, id, at, over, keepUntil, locked],
  )
}

/** Rows of its table alone, each under an id of its own. */
async function copyRecording(id: RecordingId, count: number): Promise<void> {
  const client = await database.superuserPool.connect()
  try {
    await client.query('begin')
    await client.query('set local session_replication_role = replica')
    await client.query(
      'create temporary table copied on commit drop as select * from auricle.recording where id = $1',
      [id],
    )
    await client.query(
      `insert into auricle.recording
       select (jsonb_populate_record(c, jsonb_build_object('id', 'rec_' || n, 'intake_id', 'int_' || n))).*
       from copied c, (select lpad(g::text, 26, '0') as n from generate_series(1, $1::integer) g) numbers`,
      [count],
    )
    await client.query('commit')
  } finally {
    client.release(true)
  }
}

async function revisionOf(id: RecordingId): Promise<number> {
  const [row] = await inTenant(
    `select revision::integer as revision from auricle.retention_decision
     where recording_id = $1 and superseded_at is null`,
    [id],
  )
  return Number(row?.['revision'])
}

describe('facts of recordings', () => {
  test('are those of the recording, in the order of ids, and of nobody else', async () => {
    const patientId = await aPatient()
    const first = await archive({ patientId })
    const second = await archive({ kind: 'recording', mailboxId: null, durationMs: null })
    const { id: theirs } = await archiveRecording(catalog, foreign)
    const found = await factsOf(second, theirs, first, newRecordingId())
    assert.deepEqual(found, [
      {
        ...{ recordingId: first, patientId, kind: 'voicemail', mailboxId: tenant.mailboxId, labels: [] },
        ...{ startedAt: anInstant, receivedAt: anInstant, endedAt: new Date(anInstant.getTime() + 61_500) },
        ...{ birthDate: null, events: [], recordSet: 'undecided' },
        ...{
          floor: new Date('2033-03-01T12:00:00.000Z'),
          lockedUntil: null,
          holdIds: [],
          destroyingAt: null,
        },
      },
      {
        ...{ recordingId: second, patientId: null, kind: 'recording', mailboxId: null, labels: [] },
        ...{ startedAt: anInstant, receivedAt: anInstant, endedAt: null },
        ...{ birthDate: null, events: [], recordSet: 'undecided' },
        ...{
          floor: new Date('2033-03-01T12:00:00.000Z'),
          lockedUntil: null,
          holdIds: [],
          destroyingAt: null,
        },
      },
    ])
    assert.deepEqual(await factsOf(), [])
  })

  test('hold events of the recording and of its patient, by time, without those withdrawn', async () => {
    const patientId = await aPatient()
    const other = await aPatient(tenant, 'MRN-000078')
    const id = await archive({ patientId })
    const wrong = happened('patient_died', { patientId }, { at: later(1) })
    for (const row of [
      happened('discharged', { patientId }, { at: later(9), recordedAt: later(1) }),
      happened('transcribed', { recordingId: id }, { at: later(3) }),
      happened('case_closed', { patientId: other }),
      wrong,
    ])
      await catalog.addRetentionEvent(row, event())
    const withdrawal = { tenantId: tenant.tenantId, id: wrong.id, at: later(2), by: tenant.userId }
    assert.deepEqual(await catalog.withdrawRetentionEvent(withdrawal, event()), {
      ...wrong,
      ...{ withdrawnAt: later(2), withdrawnBy: tenant.userId },
    })
    assert.equal(await catalog.withdrawRetentionEvent(withdrawal, event()), null)
    const { events } = await oneFact(id)
    assert.deepEqual(events, [
      { kind: 'transcribed', at: later(3) },
      { kind: 'discharged', at: later(9) },
    ])
    const listed = await catalog.listRetentionEvents(tenant.tenantId, { patientId })
    assert.deepEqual(
      listed.map(({ kind, withdrawnBy }) => [kind, withdrawnBy]),
      [
        ['discharged', null],
        ['patient_died', tenant.userId],
      ],
    )
    assert.deepEqual(await catalog.findRetentionEvent(tenant.tenantId, wrong.id), listed[1])
    assert.equal(await catalog.findRetentionEvent(foreign.tenantId, wrong.id), null)
  })

  test('take a decision on the recording before that on its mailbox, and the newest of each', async () => {
    const ofMailbox = await archive()
    const own = await archive()
    const nowhere = await archive({ mailboxId: null })
    await put(decided({ mailboxId: tenant.mailboxId }, 'in'))
    await put(decided({ recordingId: own }, 'in'))
    await put(decided({ recordingId: own }, 'undecided', { decidedAt: later(1) }))
    const read = async () => (await factsOf(ofMailbox, own, nowhere)).map(({ recordSet }) => recordSet)
    assert.deepEqual(await read(), ['in', 'undecided', 'undecided'])
    await put(decided({ mailboxId: tenant.mailboxId }, 'out', { decidedAt: later(2) }))
    assert.deepEqual(await read(), ['out', 'undecided', 'undecided'])
  })

  test('say what is locked: the latest of what was ever decided to be, and of what its objects are kept by', async () => {
    const id = await archive()
    await decisionRow(id, { keepUntil: later(90) })
    await inTenant('update auricle.recording_object set store_until = $2 where recording_id = $1', [
      id,
      later(200),
    ])
    assert.equal((await oneFact(id)).lockedUntil, null)
    await decisionRow(id, { keepUntil: later(60), locked: true, at: later(-2), over: later(-1) })
    assert.deepEqual((await oneFact(id)).lockedUntil, later(200))
    await inTenant(
      "update auricle.recording_object set recovery_until = $2 where recording_id = $1 and role = 'peaks'",
      [id, later(300)],
    )
    assert.deepEqual((await oneFact(id)).lockedUntil, later(300))
    const unfollowed = await archive()
    await decisionRow(unfollowed, { keepUntil: later(60), locked: true })
    assert.deepEqual((await oneFact(unfollowed)).lockedUntil, later(60))
  })

  test('name the holds that cover it now', async () => {
    const id = await archive()
    const holds = [newHoldId(), newHoldId(), newHoldId()].sort()
    for (const hold of holds) {
      await inTenant(
        'insert into auricle.legal_hold (tenant_id, id, matter, placed_at) values ($1, $2, $3, $4)',
        [tenant.tenantId, hold, Buffer.alloc(40), anInstant],
      )
      await inTenant(
        'insert into auricle.hold_cover (tenant_id, hold_id, recording_id, covered_at) values ($1, $2, $3, $4)',
        [tenant.tenantId, hold, id, anInstant],
      )
    }
    await inTenant('update auricle.hold_cover set released_at = $2, released_after = 0 where hold_id = $1', [
      holds[1],
      later(1),
    ])
    assert.deepEqual((await oneFact(id)).holdIds, [holds[0], holds[2]])
  })
})

describe('birth dates', () => {
  test('are sealed, opened for whoever decides, and taken back', async () => {
    const patientId = await aPatient()
    const id = await archive({ patientId })
    await decisionRow(id)
    const set = (birthDate: string | null) =>
      catalog.setBirthDate({ tenantId: tenant.tenantId, patientId, birthDate }, tenant.columns, event())
    assert.equal(await set('2012-02-29'), 1)
    assert.equal((await oneFact(id)).birthDate, '2012-02-29')
    const { rows } = await database.superuserPool.query(
      'select birth_date from auricle.patient where id = $1',
      [patientId],
    )
    assert.ok(!Buffer.from(rows[0].birth_date).includes('2012'))
    assert.equal(await set(null), 1)
    assert.equal((await oneFact(id)).birthDate, null)
  })

  test('are nobody else’s: another tenant’s patient is not there', async () => {
    const theirs = await aPatient(foreign)
    const of = { tenantId: tenant.tenantId, patientId: theirs, birthDate: '2012-02-29' }
    assert.equal(await catalog.setBirthDate(of, tenant.columns, event()), null)
  })

  test('moved to another patient do not open', async () => {
    const one = await aPatient()
    const two = await aPatient(tenant, 'MRN-000078')
    const id = await archive({ patientId: two })
    const of = { tenantId: tenant.tenantId, patientId: one, birthDate: '2012-02-29' }
    await catalog.setBirthDate(of, tenant.columns, event())
    await database.superuserPool.query(
      'update auricle.patient set birth_date = (select birth_date from auricle.patient where id = $1) where id = $2',
      [one, two],
    )
    await assert.rejects(factsOf(id), { name: 'CatalogError', code: 'damaged' })
  })
})

describe('a change of facts', () => {
  test('makes the decisions it touches due again, each time under another number, and no others', async () => {
    const patientId = await aPatient()
    const touched = await archive({ patientId })
    const other = await archive({ patientId: await aPatient(tenant, 'MRN-000078') })
    for (const id of [touched, other]) await decisionRow(id)
    const row = happened('discharged', { patientId })
    await catalog.addRetentionEvent(row, event())
    assert.deepEqual([await revisionOf(touched), await revisionOf(other)], [-1, 7])
    await catalog.withdrawRetentionEvent(
      { tenantId: tenant.tenantId, id: row.id, at: later(1), by: tenant.userId },
      event(),
    )
    assert.deepEqual([await revisionOf(touched), await revisionOf(other)], [-2, 7])
    await catalog.addRetentionEvent(happened('transcribed', { recordingId: touched }), event())
    await put(decided({ recordingId: touched }, 'in'))
    assert.deepEqual([await revisionOf(touched), await revisionOf(other)], [-4, 7])
    await put(decided({ mailboxId: tenant.mailboxId }, 'in'))
    assert.deepEqual([await revisionOf(touched), await revisionOf(other)], [-5, -1])
  })

  test('of a mailbox with very many recordings makes all of the tenant’s due again instead of marking each', async () => {
    const id = await archive()
    await decisionRow(id)
    const revision = async () => (await catalog.findRetentionSettings(tenant.tenantId))?.revision
    await put(decided({ mailboxId: tenant.mailboxId }, 'in'))
    assert.deepEqual([await revisionOf(id), await revision()], [-1, 0])
    await copyRecording(id, 10_000)
    await put(decided({ mailboxId: tenant.mailboxId }, 'out'))
    assert.deepEqual([await revisionOf(id), await revision()], [-1, 1])
  })

  test('commits with its event or not at all', async () => {
    const count = async () =>
      (await catalog.listEvents(tenant.tenantId, { afterId: null, limit: 1000 })).length
    const before = await count()
    for (const attempt of [
      () => catalog.addRetentionEvent(happened('discharged', { patientId: newPatientId() }), event()),
      () => catalog.addRetentionEvent(happened('transcribed', { recordingId: newRecordingId() }), event()),
      () => put(decided({ recordingId: newRecordingId() }, 'in')),
      () => put(decided({ mailboxId: foreign.mailboxId }, 'in')),
    ])
      await assert.rejects(attempt, { name: 'CatalogError', code: 'not_found' })
    assert.equal(await count(), before)
    await put(decided({ mailboxId: tenant.mailboxId }, 'in'))
    assert.equal(await count(), before + 1)
  })
})

describe('the designated record set', () => {
  test('is decided once however many decide at the same time: one holds, the others are over', async () => {
    const rows = (['in', 'out', 'undecided', 'in', 'out'] as const).map(decision =>
      decided({ mailboxId: tenant.mailboxId }, decision, { decidedBy: newUserId() }),
    )
    await Promise.all(rows.map(put))
    const [holds, ...more] = await catalog.listRecordSetOfMailboxes(tenant.tenantId, tenant.columns)
    assert.deepEqual(more, [])
    assert.ok(rows.some(row => row.id === holds?.id))
    const kept = await inTenant('select count(*)::integer as n from auricle.record_set_decision', [])
    assert.equal(kept[0]?.['n'], rows.length)
  })

  test('counts what is undecided by mailbox, and what came to none', async () => {
    const one = await archive()
    await archive()
    await archive({ mailboxId: null })
    assert.deepEqual(await catalog.countRecordSet(tenant.tenantId), [
      {
        mailbox: { id: tenant.mailboxId, address: '1001', name: 'Front desk' },
        ...{ recordings: 2, undecided: 2 },
      },
      { mailbox: null, recordings: 1, undecided: 1 },
    ])
    await put(decided({ recordingId: one }, 'out', { rationale: 'a wrong number' }))
    const [counted] = await catalog.countRecordSet(tenant.tenantId)
    assert.deepEqual([counted?.recordings, counted?.undecided], [2, 1])
    await put(decided({ mailboxId: tenant.mailboxId }, 'in'))
    assert.deepEqual((await catalog.countRecordSet(tenant.tenantId))[0]?.undecided, 0)
    const page = { beforeId: null, limit: 10 }
    const [listed] = await catalog.listRecordSetOfRecordings(tenant.tenantId, page, tenant.columns)
    assert.deepEqual([listed?.subject, listed?.rationale], [{ recordingId: one }, 'a wrong number'])
    assert.deepEqual(await catalog.countRecordSet(foreign.tenantId), [
      {
        mailbox: { id: foreign.mailboxId, address: '1001', name: 'Front desk' },
        ...{ recordings: 0, undecided: 0 },
      },
    ])
  })

  test('keeps rationales sealed', async () => {
    await put(decided({ mailboxId: tenant.mailboxId }, 'in', { rationale: 'nurse triage for Dana' }))
    const { rows } = await database.superuserPool.query('select rationale from auricle.record_set_decision')
    assert.ok(rows.every(row => !Buffer.from(row.rationale).includes('Dana')))
  })
})
