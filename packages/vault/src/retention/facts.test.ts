// What rules count from, as people record it: what it makes due again, what the log says of it, and what nobody can read.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  newMailboxId,
  newPatientId,
  newRecordingId,
  newRetentionEventId,
  newTokenId,
  type RecordingId,
  RetentionSettings,
  type Role,
} from '@auricle/contract'
import { auditEvents, privatePartOf } from '../../../../test/audit-log.ts'
import { anInstant, archiveRecording, type TestTenant } from '../../../../test/catalog-fixture.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  type TestVault,
} from '../../../../test/vault.ts'
import { isError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { recordBirthDate } from './birth-date.ts'
import { listRetentionEvents, recordRetentionEvent, withdrawRetentionEvent } from './events.ts'
import { loadPolicy } from './policy.ts'
import { decideRecordSet, listRecordSet } from './record-set.ts'
import { changeRetentionSettings, showRetentionSettings } from './settings.ts'

const begun = new Date('2026-05-01T10:00:00.000Z')
const reference = 'MRN-000077'

let vault: TestVault
let parts: TestVault & { readonly now: () => Date }
let clinic: Clinic
let tenant: TestTenant
let officer: RequestFacts
let auditor: RequestFacts

before(async () => {
  vault = await openTestVault()
  parts = { ...vault, now: () => begun }
})
after(() => vault[Symbol.asyncDispose]())
beforeEach(async () => {
  clinic = await makeClinic(vault)
  const { columns } = await vault.secrets.get(clinic.tenant.id)
  tenant = {
    ...{ tenantId: clinic.tenant.id, slug: clinic.tenant.slug, columns, mailboxId: clinic.mailbox.id },
    ...{ userId: clinic.clinician.row.id, login: 'clinician', connectorId: clinic.connectorRow.id },
  }
  officer = factsOf(clinic.complianceOfficer, 'compliance_officer')
  auditor = factsOf(clinic.auditor, 'auditor')
})

function factsOf({ row }: Person, role: Role): RequestFacts {
  return {
    actor: {
      ...{ type: 'user', tenantId: row.tenantId, userId: row.id, tokenId: newTokenId(), roles: [role] },
      ...{ mailboxes: [], breakGlass: null },
      token: { kind: 'session', scopes: null, verifiedAt: begun },
    },
    ...{ purposeOfUse: null, request: 'a-request', ip: null, userAgent: null },
  }
}

const refusedAs = (code: string) => (error: unknown) => isError(error, 'VaultError', code)

/** A recording of the patient, decided by some policy. */
async function decided(of: string = reference): Promise<RecordingId> {
  const patientId = await vault.catalog.ensurePatient(tenant.tenantId, of, tenant.columns)
  const { id } = await archiveRecording(vault.catalog, tenant, { patientId, patientReference: of })
  await vault.database.superuserPool.query(
    `insert into auricle.retention_decision (tenant_id, recording_id, decided_at, revision, status, keep_until, disposal,
       locked) values ($1, $2, $3, 3, 'unruled', $3, 'none', false)
     on conflict (tenant_id, recording_id) where superseded_at is null do update set revision = 3`,
    [tenant.tenantId, id, anInstant],
  )
  return id
}

async function isStale(id: RecordingId): Promise<boolean> {
  const { rows } = await vault.database.superuserPool.query<{ revision: string }>(
    'select revision from auricle.retention_decision where recording_id = $1 and superseded_at is null',
    [id],
  )
  return Number(rows[0]?.revision) < 0
}

async function factOf(id: RecordingId) {
  const [facts] = await vault.catalog.findRetentionFacts(tenant.tenantId, [id], tenant.columns)
  assert.ok(facts)
  return facts
}

const logged = async () =>
  (await auditEvents(vault, tenant.tenantId)).filter(({ action }) => /^(retention|record_set)\./.test(action))

/** Every row of every table of ours, as the database would print it, with bytes in hexadecimal. */
async function everyRow(): Promise<string> {
  const pool = vault.database.superuserPool
  const { rows: tables } = await pool.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'auricle'",
  )
  assert.ok(tables.length > 50)
  const found = await Promise.all(
    tables.map(({ name }) => pool.query(`select t::text as row from auricle.${name} t`)),
  )
  return found.flatMap(({ rows }) => rows.map(({ row }) => String(row))).join('\n')
}

async function assertNowhere(secret: string): Promise<void> {
  const rows = await everyRow()
  assert.ok(!rows.includes(secret), `${secret} in clear`)
  assert.ok(!rows.includes(Buffer.from(secret).toString('hex')), `${secret} in clear, in bytes`)
}

describe('an event', () => {
  const at = '2026-04-01T00:00:00.000Z'

  test('of a patient is a fact of each of their recordings, and makes them due again', async () => {
    const [one, two, other] = [await decided(), await decided(), await decided('MRN-000078')]
    const asked = { kind: 'treatment_ended' as const, patient: reference, recording: null, at }
    const view = await recordRetentionEvent(parts, officer, asked, {})
    const patient = await vault.catalog.findPatient(tenant.tenantId, reference, tenant.columns)
    assert.deepEqual(view, {
      ...{ id: view.id, kind: 'treatment_ended', patient, recording: null, at },
      ...{ recordedAt: begun.toISOString(), recordedBy: officer.actor.userId },
      ...{ withdrawnAt: null, withdrawnBy: null },
    })
    assert.deepEqual((await factOf(one)).events, [{ kind: 'treatment_ended', at: new Date(at) }])
    assert.deepEqual([await isStale(one), await isStale(two), await isStale(other)], [true, true, false])
    const [event] = await logged()
    assert.deepEqual(
      [event?.action, event?.object?.id, event?.reasons[0], event?.patients],
      ['retention.event_recorded', view.id, 'treatment_ended', [patient]],
    )
  })

  test('of one recording is of no other, though of the same patient', async () => {
    const [one, two] = [await decided(), await decided()]
    const asked = { kind: 'transcribed' as const, patient: null, recording: one, at }
    await recordRetentionEvent(parts, officer, asked, {})
    assert.deepEqual([(await factOf(one)).events.length, (await factOf(two)).events.length], [1, 0])
    assert.deepEqual([await isStale(one), await isStale(two)], [true, false])
    const patient = await vault.catalog.findPatient(tenant.tenantId, reference, tenant.columns)
    assert.deepEqual((await logged()).at(-1)?.patients, [patient])
  })

  test('that was wrong is withdrawn, once, and stays in the list', async () => {
    const id = await decided()
    const asked = { kind: 'patient_died' as const, patient: reference, recording: null, at }
    const view = await recordRetentionEvent(parts, officer, asked, {})
    const withdrawn = await withdrawRetentionEvent(parts, officer, view.id, {})
    assert.equal(withdrawn.withdrawnBy, officer.actor.userId)
    await assert.rejects(withdrawRetentionEvent(parts, officer, view.id, {}), refusedAs('conflict'))
    assert.deepEqual((await factOf(id)).events, [])
    const { events } = await listRetentionEvents(parts, auditor, { patient: reference }, {})
    assert.deepEqual(events, [withdrawn])
    assert.deepEqual(await listRetentionEvents(parts, auditor, { recording: id }, {}), { events: [] })
  })

  test('is not in the future, and of nobody who is not there', async () => {
    const asked = { kind: 'discharged' as const, patient: reference, recording: null, at }
    const future = { ...asked, at: '2026-05-01T10:00:00.001Z' }
    await assert.rejects(recordRetentionEvent(parts, officer, future, {}), refusedAs('malformed'))
    for (const about of [
      { patient: newPatientId(), recording: null },
      { patient: null, recording: newRecordingId() },
    ])
      await assert.rejects(
        recordRetentionEvent(parts, officer, { ...asked, ...about }, {}),
        refusedAs('not_found'),
      )
    await assert.rejects(
      withdrawRetentionEvent(parts, officer, newRetentionEventId(), {}),
      refusedAs('not_found'),
    )
    const unknown = listRetentionEvents(parts, auditor, { patient: 'MRN-nobody' }, {})
    await assert.rejects(unknown, refusedAs('not_found'))
  })

  test('is for compliance officers to record, for auditors to read', async () => {
    const asked = { kind: 'discharged' as const, patient: reference, recording: null, at }
    await assert.rejects(recordRetentionEvent(parts, auditor, asked, {}), refusedAs('denied'))
    const clinician = factsOf(clinic.clinician, 'clinician')
    await assert.rejects(
      listRetentionEvents(parts, clinician, { patient: reference }, {}),
      refusedAs('denied'),
    )
  })
})

describe('a birth date', () => {
  const birthDate = '1987-02-28'

  test('is a fact of each recording of the patient, and nowhere in clear', async () => {
    const id = await decided()
    const view = await recordBirthDate(parts, officer, { patient: reference, birthDate }, {})
    assert.equal(view.recordings, 1)
    assert.equal((await factOf(id)).birthDate, birthDate)
    assert.ok(await isStale(id))
    await assertNowhere(birthDate)
    const event = (await logged()).at(-1)
    assert.ok(event)
    assert.deepEqual(
      [event.action, event.object?.id, event.patients],
      ['retention.birth_date_recorded', view.patient, [view.patient]],
    )
    const part = await privatePartOf(vault, tenant.tenantId, event.id)
    assert.ok(!JSON.stringify(part).includes('1987'))
  })

  test('is taken back', async () => {
    const id = await decided()
    await recordBirthDate(parts, officer, { patient: reference, birthDate }, {})
    await recordBirthDate(parts, officer, { patient: reference, birthDate: null }, {})
    assert.equal((await factOf(id)).birthDate, null)
    assert.equal((await logged()).at(-1)?.reasons[0], 'taken_back')
  })

  test('is known before there is a recording, and never of tomorrow', async () => {
    const view = await recordBirthDate(parts, officer, { patient: 'MRN-new', birthDate: '2026-05-02' }, {})
    assert.equal(view.recordings, 0)
    assert.equal((await factOf(await decided('MRN-new'))).birthDate, '2026-05-02')
    const tomorrow = { patient: 'MRN-new', birthDate: '2026-05-03' }
    await assert.rejects(recordBirthDate(parts, officer, tomorrow, {}), refusedAs('malformed'))
    const nobody = { patient: newPatientId(), birthDate }
    await assert.rejects(recordBirthDate(parts, officer, nobody, {}), refusedAs('not_found'))
    await assert.rejects(recordBirthDate(parts, auditor, tomorrow, {}), refusedAs('denied'))
  })
})

describe('the designated record set', () => {
  const rationale = 'used to decide about care, Dr. Quellenmann says'
  const ofMailbox = () => ({ mailbox: clinic.mailbox.id, recording: null })

  test('is decided with a rationale that is nowhere in clear, by mailbox and by recording', async () => {
    const [one, two] = [await decided(), await decided()]
    await decideRecordSet(parts, officer, { ...ofMailbox(), decision: 'in', rationale }, {})
    assert.deepEqual([await isStale(one), await isStale(two)], [true, true])
    const out = { mailbox: null, recording: one, decision: 'out' as const, rationale: 'a wrong number' }
    const view = await decideRecordSet(parts, officer, out, {})
    assert.deepEqual([(await factOf(one)).recordSet, (await factOf(two)).recordSet], ['out', 'in'])
    await assertNowhere('Quellenmann')
    const events = await logged()
    assert.deepEqual(
      events.map(({ action, object, reasons }) => [action, object?.id, reasons[0]]),
      [
        ['record_set.decided', clinic.mailbox.id, 'in'],
        ['record_set.decided', one, 'out'],
      ],
    )
    const [first] = events
    assert.ok(first)
    assert.equal((await privatePartOf(vault, tenant.tenantId, first.id))?.reason, rationale)
    const listed = await listRecordSet(parts, auditor, { limit: 50 }, {})
    assert.deepEqual(listed.decisions, [view])
    assert.deepEqual(
      listed.mailboxes.map(({ mailbox, decision, latest, recordings, undecided }) => {
        return [mailbox?.id, decision, latest?.rationale, recordings, undecided]
      }),
      [[clinic.mailbox.id, 'in', rationale, 2, 0]],
    )
  })

  test('lists what nobody decided first, and decisions page by page', async () => {
    const ids = [await decided(), await decided(), await decided()]
    const { mailboxes } = await listRecordSet(parts, auditor, { limit: 50 }, {})
    assert.deepEqual(
      mailboxes.map(({ decision, undecided, latest }) => [decision, undecided, latest]),
      [['undecided', 3, null]],
    )
    for (const recording of ids)
      await decideRecordSet(parts, officer, { mailbox: null, recording, decision: 'in', rationale }, {})
    const first = await listRecordSet(parts, auditor, { limit: 2 }, {})
    assert.ok(first.nextCursor)
    const second = await listRecordSet(parts, auditor, { limit: 2, cursor: first.nextCursor }, {})
    assert.deepEqual(
      [...first.decisions, ...second.decisions].map(({ recording }) => recording).toSorted(),
      ids.toSorted(),
    )
    assert.deepEqual([second.mailboxes, second.nextCursor], [[], null])
    await assert.rejects(listRecordSet(parts, auditor, { limit: 2, cursor: 'x' }, {}), refusedAs('malformed'))
  })

  test('is for compliance officers, of what is there', async () => {
    const asked = { ...ofMailbox(), decision: 'out' as const, rationale }
    await assert.rejects(decideRecordSet(parts, auditor, asked, {}), refusedAs('denied'))
    for (const about of [
      { mailbox: newMailboxId(), recording: null },
      { mailbox: null, recording: newRecordingId() },
    ])
      await assert.rejects(
        decideRecordSet(parts, officer, { ...asked, ...about }, {}),
        refusedAs('not_found'),
      )
  })
})

describe('settings', () => {
  test('begin with the careful ones, are changed whole, and the event says which', async () => {
    const first = await showRetentionSettings(parts, auditor, {})
    assert.deepEqual(first, {
      ...{ zone: 'UTC', stages: 1, waitingDays: 7, shorteningDays: 30, storagePrice: null },
    })
    const settings = RetentionSettings.parse({
      ...{ ...first, zone: 'America/Chicago', stages: 2 },
      storagePrice: { currency: 'USD', perGibibyteMonth: 0.02 },
    })
    assert.deepEqual(await changeRetentionSettings(parts, officer, settings, {}), settings)
    assert.deepEqual(await showRetentionSettings(parts, auditor, {}), settings)
    const events = await logged()
    assert.deepEqual(
      events.find(({ action }) => action === 'retention.settings_changed')?.reasons.slice(0, 3),
      ['zone', 'stages', 'storage_price'],
    )
  })

  test('of another zone make every decision due again, and no others do', async () => {
    const policy = () => loadPolicy(vault.catalog, tenant.tenantId, begun, {})
    const settings = await showRetentionSettings(parts, officer, {})
    await changeRetentionSettings(parts, officer, { ...settings, waitingDays: 30 }, {})
    assert.equal((await policy()).revision, 0)
    await changeRetentionSettings(parts, officer, { ...settings, zone: 'Pacific/Kiritimati' }, {})
    assert.deepEqual(await policy(), { zone: 'Pacific/Kiritimati', rules: [], revision: 1 })
  })

  test('changed by several at once come to one of them, and every change of zone counts', async () => {
    const settings = await showRetentionSettings(parts, officer, {})
    const zones = ['America/New_York', 'America/Denver', 'America/Phoenix', 'America/Chicago']
    await Promise.all(zones.map(zone => changeRetentionSettings(parts, officer, { ...settings, zone }, {})))
    const { zone, revision } = await loadPolicy(vault.catalog, tenant.tenantId, begun, {})
    assert.ok(zones.includes(zone))
    assert.equal(revision, zones.length)
  })

  test('cannot be laxer than the product allows, nor of a place that is none', async () => {
    const settings = await showRetentionSettings(parts, officer, {})
    for (const lax of [{ stages: 0 }, { waitingDays: 0 }, { shorteningDays: 29 }, { zone: 'Mars/Olympus' }])
      assert.equal(RetentionSettings.safeParse({ ...settings, ...lax }).success, false)
    const byHand = { ...settings, shorteningDays: 29 }
    await assert.rejects(changeRetentionSettings(parts, officer, byHand, {}), {
      name: 'CatalogError',
      code: 'refused',
    })
    await assert.rejects(changeRetentionSettings(parts, auditor, settings, {}), refusedAs('denied'))
  })
})
