import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Catalog } from '@auricle/catalog'
import { newAlertId, newBreakGlassId, newTokenId } from '@auricle/contract'
import { auditEvents } from '../../../../test/audit-log.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../../test/vault.ts'
import { auditRecord } from '../audit-record.ts'
import { newAlert, type OnAlert } from './alert.ts'
import { newRow } from './emergency-access.ts'
import { sweepBreakGlass } from './sweep-break-glass.ts'

let vault: TestVault

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

const cause = { actor: { type: 'system', name: 'operator' }, request: null } as const

/** Emergency access of the stranger, as if opened at that time. */
async function openAt({ tenant, stranger }: Clinic, startedAt: Date) {
  const secrets = await vault.secrets.get(tenant.id)
  const facts = { userId: stranger.row.id, tokenId: newTokenId(), reason: 'a reason of a test' }
  const row = newRow(secrets, { ...facts, now: startedAt })
  const object = { type: 'break_glass', id: row.id, version: null }
  const event = await auditRecord(
    { ...cause, tenantId: tenant.id, action: 'break_glass.started', outcome: 'allowed', object },
    null,
  )
  const raised = await newAlert(tenant.id, 'break_glass_started', object, cause, null, startedAt)
  const opened = await vault.catalog.openBreakGlass({ row, event, raised }, secrets.columns)
  return { row, opened }
}

const minute = 60_000
const start = new Date('2026-05-01T10:00:00Z')
const at = (minutes: number) => () => new Date(start.getTime() + minutes * minute)

async function eventsOf({ tenant }: Clinic, id: string) {
  const events = await auditEvents(vault, tenant.id)
  return events.filter(({ object }) => object?.id === id).map(({ action, reasons }) => [action, ...reasons])
}

async function alertsOf({ tenant }: Clinic, kind: string) {
  const rows = await vault.catalog.listAlerts(tenant.id, { beforeId: null, limit: 100 })
  return rows.filter(alert => alert.kind === kind)
}

const sweepAt = (minutes: number, onAlert: OnAlert = () => undefined, catalog: Partial<Catalog> = {}) =>
  sweepBreakGlass({ catalog: { ...vault.catalog, ...catalog }, onAlert, now: at(minutes) }, {})

test('what ran out is put on record once, however many workers sweep at once, and at the time it ran out', async () => {
  const clinic = await makeClinic(vault)
  const { row } = await openAt(clinic, start)
  assert.equal((await sweepAt(59)).ended, 0)
  const swept = await Promise.all(Array.from({ length: 4 }, () => sweepAt(60)))
  assert.equal(
    swept.reduce((sum, { ended }) => sum + ended, 0),
    1,
  )
  assert.equal((await sweepAt(600)).ended, 0)
  assert.deepEqual(await eventsOf(clinic, row.id), [
    ['break_glass.started'],
    ['break_glass.ended', 'ran_out'],
  ])
  const { columns } = await vault.secrets.get(clinic.tenant.id)
  const found = await vault.catalog.findBreakGlass(clinic.tenant.id, row.id, columns)
  assert.deepEqual(found?.endedAt, row.until)
})

test('what was ended early does not run out', async () => {
  const clinic = await makeClinic(vault)
  const { row } = await openAt(clinic, start)
  const end = { tenantId: clinic.tenant.id, id: row.id, at: at(5)() }
  const event = await auditRecord(
    { ...cause, tenantId: end.tenantId, action: 'break_glass.ended', outcome: 'allowed', object: null },
    null,
  )
  assert.equal(await vault.catalog.endBreakGlass(end, event), true)
  assert.equal((await sweepAt(120)).ended, 0)
})

test('a late review alerts once, also when several sweep at once, and not when it was made', async () => {
  const clinic = await makeClinic(vault)
  const { tenant, complianceOfficer } = clinic
  const { columns } = await vault.secrets.get(tenant.id)
  const [late, judged] = [await openAt(clinic, start), await openAt(clinic, at(100)())]
  const review = {
    ...{ tenantId: tenant.id, id: judged.row.id, by: complianceOfficer.row.id, at: at(200)() },
    ...({ verdict: 'not_justified', note: 'a note' } as const),
  }
  const event = await auditRecord(
    { ...cause, tenantId: tenant.id, action: 'break_glass.reviewed', outcome: 'allowed', object: null },
    null,
  )
  assert.equal(await vault.catalog.reviewBreakGlass(review, columns, event), true)
  const dueMinutes = 3 * 24 * 60
  const told: string[] = []
  const onAlert: OnAlert = ({ id }) => told.push(id)
  await sweepAt(dueMinutes - 1, onAlert)
  assert.deepEqual(await alertsOf(clinic, 'review_overdue'), [])
  await Promise.all(Array.from({ length: 4 }, () => sweepAt(dueMinutes + 200, onAlert)))
  await sweepAt(dueMinutes + 300, onAlert)
  const alerts = await alertsOf(clinic, 'review_overdue')
  assert.equal(told.filter(id => id === alerts[0]?.id).length, 1)
  assert.equal(new Set(told).size, told.length)
  assert.deepEqual(
    alerts.map(({ subject }) => subject),
    [{ type: 'break_glass', id: late.row.id }],
  )
  assert.deepEqual(await eventsOf(clinic, alerts[0]?.id ?? ''), [['alert.raised', 'review_overdue']])
})

test('killed between any two steps, the next run does the rest', async () => {
  const clinic = await makeClinic(vault)
  const { row } = await openAt(clinic, start)
  const dies = () => Promise.reject(new Error('the process died here'))
  const muchLater = 30 * 24 * 60
  await assert.rejects(sweepAt(muchLater, undefined, { expireBreakGlass: dies }), /died here/)
  await assert.rejects(sweepAt(muchLater, undefined, { raiseAlert: dies }), /died here/)
  await assert.rejects(sweepAt(muchLater, undefined, { removeSpent: dies }), /died here/)
  const again = await sweepAt(muchLater)
  assert.deepEqual([again.ended, again.overdue], [0, 0])
  assert.deepEqual(await eventsOf(clinic, row.id), [
    ['break_glass.started'],
    ['break_glass.ended', 'ran_out'],
  ])
  assert.equal((await alertsOf(clinic, 'review_overdue')).length, 1)
})

test('attempts that nobody answered are removed when they are over', async () => {
  const { tenant } = await makeClinic(vault)
  const { superuserPool } = vault.database
  const add = (id: string, expiresAt: Date) =>
    superuserPool.query(
      `insert into auricle.attempt (tenant_id, id, kind, data, created_at, expires_at) values ($1, $2, 'test', '', $3, $3)`,
      [tenant.id, id, expiresAt],
    )
  await add('att_old', at(0)())
  await add('att_new', at(100)())
  assert.equal((await sweepAt(61)).removed, 1)
  const { rows } = await superuserPool.query<{ id: string }>(
    'select id from auricle.attempt where tenant_id = $1',
    [tenant.id],
  )
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['att_new'],
  )
})

test('of several starts at once one opens, and the others are told which', async () => {
  const clinic = await makeClinic(vault)
  const started = await Promise.all(Array.from({ length: 6 }, () => openAt(clinic, start)))
  const won = started.filter(({ opened }) => opened.status === 'opened')
  assert.equal(won.length, 1)
  for (const { opened } of started) if (opened.status === 'open') assert.equal(opened.id, won[0]?.row.id)
  const events = (await auditEvents(vault, clinic.tenant.id)).map(({ action }) => action)
  assert.equal(events.filter(action => action === 'break_glass.started').length, 1)
  assert.equal((await alertsOf(clinic, 'break_glass_started')).length, 1)
})

test('the database itself refuses a review by the person, and a second one', async () => {
  const clinic = await makeClinic(vault)
  const { tenant, stranger, complianceOfficer } = clinic
  const { columns } = await vault.secrets.get(tenant.id)
  const { row } = await openAt(clinic, start)
  const review = async (by: Clinic['stranger']) => {
    const event = await auditRecord(
      { ...cause, tenantId: tenant.id, action: 'break_glass.reviewed', outcome: 'allowed', object: null },
      null,
    )
    const judgement = { verdict: 'justified', note: 'a note', at: at(70)(), by: by.row.id } as const
    return vault.catalog.reviewBreakGlass({ ...judgement, tenantId: tenant.id, id: row.id }, columns, event)
  }
  await assert.rejects(review(stranger), { name: 'CatalogError', code: 'refused' })
  assert.equal(await review(complianceOfficer), true)
  assert.equal(await review(complianceOfficer), false)
  const reviewed = (await auditEvents(vault, tenant.id)).filter(
    ({ action }) => action === 'break_glass.reviewed',
  )
  assert.equal(reviewed.length, 1)
})

test('reason and note lie sealed in the database', async () => {
  const clinic = await makeClinic(vault)
  const { row } = await openAt(clinic, start)
  const { rows } = await vault.database.superuserPool.query<{ reason: Buffer }>(
    'select reason from auricle.break_glass where id = $1',
    [row.id],
  )
  assert.ok(rows[0] !== undefined && !rows[0].reason.includes('a reason'))
  const { columns } = await vault.secrets.get((await makeClinic(vault)).tenant.id)
  await assert.rejects(vault.catalog.findBreakGlass(clinic.tenant.id, row.id, columns), { code: 'damaged' })
})

test('nothing of another tenant is changed by its id', async () => {
  const [clinic, other] = [await makeClinic(vault), await makeClinic(vault)]
  const { row } = await openAt(clinic, start)
  const { tenant } = other
  const event = await auditRecord(
    { ...cause, tenantId: tenant.id, action: 'break_glass.ended', outcome: 'allowed', object: null },
    null,
  )
  const { catalog } = vault
  const { columns } = await vault.secrets.get(tenant.id)
  assert.equal(await catalog.endBreakGlass({ tenantId: tenant.id, id: row.id, at: at(1)() }, event), false)
  assert.equal(
    await catalog.expireBreakGlass({ tenantId: tenant.id, id: row.id, now: at(99)() }, event),
    false,
  )
  assert.equal(await catalog.findBreakGlass(tenant.id, row.id, columns), null)
  assert.equal(await catalog.findBreakGlass(tenant.id, newBreakGlassId(), columns), null)
  assert.equal(await catalog.findAlert(tenant.id, newAlertId()), null)
})
