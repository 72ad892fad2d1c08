// Searching the sealed log: pages hold each match once and in order, whatever is filtered, and come from an index.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type EventId, newEventId, newPatientId, newUserId, type PatientId } from '@auricle/contract'
import fc from 'fast-check'
import { createTestTenant, type TestTenant } from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { type AuditFilter, auditQuery } from './audit-query.ts'
import type { Catalog } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'

/** Set to a million to see that plans stay what they are. */
const rows = Number(process.env['AURICLE_TEST_LOG_ROWS'] ?? 60_000)
/** An index's way down, a page of seals and as many events; all of one patient, where that is what is asked. */
const pagesMost = 1_200

interface Sealed {
  readonly id: EventId
  readonly seq: number
  readonly at: Date
  readonly action: string
  readonly outcome: string
  readonly actor: string
  readonly object: string
  readonly patient: PatientId | null
}

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
const sealed: Sealed[] = []
const actors = [newUserId(), newUserId()]
const objects = ['rec_one', 'rec_two']
const patients = [newPatientId(), newPatientId()]
const start = Date.UTC(2026, 2, 1)

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  tenant = await createTestTenant(catalog)
  await openLog(tenant)
  for (let seq = 0; seq < 40; seq++) {
    const one: Sealed = {
      ...{ id: newEventId(), seq, at: new Date(start + (seq % 7) * 1_000) },
      action: ['recording.played', 'recording.listed', 'log.searched'][seq % 3] ?? '',
      outcome: ['allowed', 'allowed', 'denied', 'failed'][seq % 4] ?? '',
      ...{ actor: actors[seq % 2] ?? '', object: objects[(seq >> 1) % 2] ?? '' },
      patient: seq % 5 === 0 ? null : (patients[seq % 2] ?? null),
    }
    sealed.push(one)
    await seal(tenant, one)
  }
})
after(() => database[Symbol.asyncDispose]())

const sql = (text: string, values: unknown[] = []) => database.superuserPool.query(text, values)

async function openLog({ tenantId }: TestTenant) {
  await sql(
    'insert into auricle.audit_log (tenant_id, year, origin, opened_at) values ($1, 2026, $2, now())',
    [tenantId, `log.test/t/${tenantId}/2026`],
  )
}

async function seal({ tenantId }: TestTenant, one: Sealed) {
  await sql('insert into auricle.audit_event (tenant_id, id, leaf) values ($1, $2, $3)', [
    tenantId,
    one.id,
    Buffer.from(one.id),
  ])
  await sql('insert into auricle.audit_seal values ($1, 2026, $2, $3, $4, $5, $6, $7, $8, $9)', [
    ...[tenantId, one.seq, one.id, randomBytes(32), one.at, one.action, one.outcome, one.actor, one.object],
  ])
  if (one.patient !== null) {
    await sql('insert into auricle.audit_patient values ($1, $2, 2026, $3, $4)', [
      ...[tenantId, one.patient, one.seq, one.at],
    ])
  }
}

const whole = { year: 2026, seq: 1_000_000_000 }

/** What the filter means, said in the plainest way. */
function expected(filter: Omit<AuditFilter, 'limit' | 'after'>): readonly EventId[] {
  return sealed
    .filter(one => {
      return (
        one.seq < filter.asOf.seq &&
        [one.actor, undefined].includes(filter.actorId) &&
        [one.object, undefined].includes(filter.objectId) &&
        (filter.patientId === undefined || filter.patientId === one.patient) &&
        (filter.actions === undefined || filter.actions.includes(one.action)) &&
        [one.outcome, undefined].includes(filter.outcome) &&
        (filter.from === undefined || one.at >= filter.from) &&
        (filter.to === undefined || one.at < filter.to)
      )
    })
    .sort((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id)
}

test('any filter in pages of any size gives each match once, newest first, as of the size that was named', async () => {
  const filters = fc.record(
    {
      asOf: fc.integer({ min: 0, max: 41 }).map(seq => ({ year: 2026, seq })),
      actorId: fc.constantFrom(...actors, 'worker'),
      objectId: fc.constantFrom(...objects, 'rec_none'),
      patientId: fc.constantFrom(...patients, newPatientId()),
      actions: fc.constantFrom(
        [],
        ['recording.played'],
        ['log.searched', 'recording.listed'],
        ['user.created'],
      ),
      outcome: fc.constantFrom('allowed', 'denied', 'failed'),
      from: fc.integer({ min: -1, max: 7 }).map(second => new Date(start + second * 1_000)),
      to: fc.integer({ min: -1, max: 8 }).map(second => new Date(start + second * 1_000)),
    },
    { requiredKeys: ['asOf'] },
  )
  await fc.assert(
    fc.asyncProperty(filters, fc.integer({ min: 1, max: 17 }), async (filter, limit) => {
      const seen: EventId[] = []
      let last: Pick<Sealed, 'at' | 'id'> | null = null
      for (;;) {
        const page = await catalog.searchAudit(tenant.tenantId, { ...filter, after: last, limit })
        seen.push(...page.map(({ id }) => id))
        last = page.at(-1) ?? null
        if (page.length < limit || last === null) break
      }
      assert.deepEqual(seen, expected(filter))
    }),
    { numRuns: 80 },
  )
})

test('the log is followed in its order, each event once', async () => {
  const seen: EventId[] = []
  let position: { year: number; seq: number } | null = null
  for (;;) {
    const page: Awaited<ReturnType<Catalog['followAudit']>> = await catalog.followAudit(tenant.tenantId, {
      after: position,
      limit: 7,
    })
    if (page.length === 0) break
    seen.push(...page.map(({ id }) => id))
    position = page.at(-1) ?? null
  }
  assert.deepEqual(
    seen,
    sealed.map(({ id }) => id),
  )
  const quiet = ['log.searched']
  const news = (seq: number) => catalog.hasAuditNews(tenant.tenantId, { after: { year: 2026, seq }, quiet })
  assert.equal(await news(36), true)
  // 38 searched the log, and 39 played.
  assert.equal(await news(37), true)
  assert.equal(await news(39), false)
  assert.equal(await catalog.hasAuditNews(tenant.tenantId, { after: null, quiet }), true)
})

test('another tenant finds nothing, whatever it asks', async () => {
  const other = await createTestTenant(catalog)
  const filter = { asOf: whole, after: null, limit: 50 }
  assert.deepEqual(await catalog.searchAudit(other.tenantId, filter), [])
  assert.deepEqual(
    await catalog.searchAudit(other.tenantId, { ...filter, patientId: patients[0] ?? assert.fail() }),
    [],
  )
  assert.equal(await catalog.findAudit(other.tenantId, sealed[0]?.id ?? assert.fail()), null)
  assert.deepEqual(await catalog.followAudit(other.tenantId, { after: null, limit: 5 }), [])
  assert.deepEqual(await catalog.listAuditLogs(other.tenantId), [])
})

test('every kind of search reads an index, a page of it, among very many events', {
  timeout: 600_000,
}, async t => {
  const { tenantId } = await createTestTenant(catalog)
  await sql(
    'insert into auricle.audit_log (tenant_id, year, origin, opened_at) values ($1, 2026, $2, now())',
    [tenantId, `log.test/t/${tenantId}/2026`],
  )
  // One event in twenty is somebody's of interest, one in a thousand is refused; the rest is a busy clinic.
  await sql(
    `insert into auricle.audit_seal (tenant_id, year, seq, event_id, leaf_hash, at, action, outcome, actor_id, object_id)
     select $1, 2026, n, 'evt_' || lpad(n::text, 26, '0'), sha256(n::text::bytea),
       timestamptz '2026-01-01' + n * interval '1 second',
       case when n % 5000 = 7 then 'disclosure.recorded' when n % 2 = 0 then 'recording.played' else 'recording.listed' end,
       case when n % 1000 = 3 then 'denied' when n % 7001 = 5 then 'failed' else 'allowed' end,
       'usr_' || n % 97, 'rec_' || n % 4999
     from generate_series(0, $2::int - 1) n`,
    [tenantId, rows],
  )
  await sql(
    `insert into auricle.audit_event (tenant_id, id, leaf)
     select $1, 'evt_' || lpad(n::text, 26, '0'), n::text::bytea from generate_series(0, $2::int - 1) n`,
    [tenantId, rows],
  )
  await sql(
    `insert into auricle.audit_patient (tenant_id, patient_id, year, seq, at)
     select $1, 'pat_' || n % 3001, 2026, n, timestamptz '2026-01-01' + n * interval '1 second'
     from generate_series(0, $2::int - 1) n where n % 2 = 0`,
    [tenantId, rows],
  )
  await sql('analyze auricle.audit_seal; analyze auricle.audit_patient; analyze auricle.audit_event')
  const middle = new Date(Date.UTC(2026, 0, 1) + (rows / 2) * 1_000)
  const after = { at: middle, id: newEventId() }
  const base = { asOf: whole, after: null, limit: 51 }
  const patientId = 'pat_6' as PatientId
  const day = { from: new Date(middle.getTime() - 3_600_000), to: middle }
  const plans: readonly (readonly [name: string, filter: AuditFilter, index: RegExp])[] = [
    ['newest', base, /audit_seal_by_time/],
    ['a later page', { ...base, after }, /audit_seal_by_time/],
    ['a stretch of time', { ...base, ...day }, /audit_seal_by_time/],
    ['by actor', { ...base, actorId: 'usr_5' }, /audit_seal_by_actor/],
    ['by actor, a later page', { ...base, actorId: 'usr_5', after }, /audit_seal_by_actor/],
    ['of a recording', { ...base, objectId: 'rec_44' }, /audit_seal_by_object/],
    ['of a recording, by actor', { ...base, objectId: 'rec_44', actorId: 'usr_5' }, /audit_seal_by_object/],
    ['of a kind', { ...base, actions: ['disclosure.recorded'] }, /audit_seal_by_action/],
    ['denied', { ...base, outcome: 'denied' }, /audit_seal_refused/],
    ['failed', { ...base, outcome: 'failed' }, /audit_seal_refused/],
    ['allowed', { ...base, outcome: 'allowed' }, /audit_seal_by_time/],
    ['about a patient', { ...base, patientId }, /audit_patient_by_time/],
    ['about a patient, a later page', { ...base, patientId, after }, /audit_patient_by_time/],
    ['about a patient, by actor', { ...base, patientId, actorId: 'usr_6' }, /audit_patient_by_time/],
  ]
  const client = await database.appPool.connect()
  try {
    await client.query(`begin; select set_config('auricle.tenant', '${tenantId}', true)`)
    for (const [name, filter, index] of plans) {
      const { text, values } = auditQuery(tenantId, filter)
      const explained = await client.query(`explain (analyze, buffers, format json) ${text}`, [...values])
      const [{ Plan: plan, 'Execution Time': milliseconds }] = explained.rows[0]['QUERY PLAN']
      const pages = Number(plan['Shared Hit Blocks']) + Number(plan['Shared Read Blocks'])
      const told = JSON.stringify(plan)
      t.diagnostic(`${name}: ${pages} pages, ${milliseconds} ms`)
      assert.doesNotMatch(told, /"Seq Scan"/, name)
      assert.match(told, index, name)
      assert.ok(pages < pagesMost, `${name}: ${pages} pages were read\n${told}`)
    }
    await client.query('rollback')
  } finally {
    client.release()
  }
})
