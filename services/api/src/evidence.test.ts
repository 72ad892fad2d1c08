// Evidence from end to end: what people did is exported, and two verifiers that share no code with the vault judge it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { verifyBundle } from '@auricle/audit/verifier'
import { Problem, type ProblemName, problems } from '@auricle/contract'
import { createLogKeeper, createWitnesses, type LogKeeper } from '@auricle/vault'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, shortWav, type TestVault } from '../../../test/vault.ts'
import { byNode, byPython } from '../../../test/verifier/two-verifiers.ts'

let vault: TestVault
let front: Front
let keeper: LogKeeper
before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
  await vault.keyService.ensure({ purpose: 'checkpoints' })
  keeper = newKeeper(() => new Date())
})
/** Keeps the logs by a clock of its own. */
const newKeeper = (now: () => Date) =>
  createLogKeeper({
    ...{ catalog: vault.catalog, store: vault.logStore, keys: vault.keyService, now },
    ...{ name: 'log.clinic.example', watch: {}, witnesses: createWitnesses({ witnesses: [] }) },
  })
after(async () => {
  await keeper[Symbol.asyncDispose]()
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const get = (path: string, token: string) =>
  fetch(front.url + path, { headers: { authorization: `Bearer ${token}` } })

/** Until every event is in a tree, and the tree under the anchor. */
async function publish(): Promise<void> {
  // What other tests have begun and not ended keeps the newest events from being sealed.
  const isLeft = async () => (await vault.catalog.listUnsealed()).length > 0
  while ((await keeper.seal({})) || (await isLeft())) await delay(10)
  await keeper.publish({})
}

async function exported(clinic: Clinic, query: string): Promise<string> {
  const { token } = await front.sessionOf(clinic.complianceOfficer)
  const response = await get(`/v1/audit/export?${query}`, token)
  assert.equal(response.status, 200, await response.clone().text())
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  return await response.text()
}

async function policyOf(clinic: Clinic): Promise<string> {
  const { token } = await front.sessionOf(clinic.auditor)
  return await (await get('/v1/audit/policy', token)).text()
}

const judge = (bundle: string, policy: string | null, at = new Date()) =>
  verifyBundle([Buffer.from(bundle)], { policy, trustBundledPolicy: false, at, maxAgeHours: 24 })

async function refused(response: Response, name: ProblemName): Promise<void> {
  assert.equal(Problem.parse(await response.json()).type, problems[name].type)
}

test('before anything is published there is no evidence, and that is said', async () => {
  const clinic = await makeClinic(vault)
  const { token } = await front.sessionOf(clinic.complianceOfficer)
  await refused(await get('/v1/audit/export', token), 'conflict')
  await refused(await get('/v1/audit/policy', token), 'conflict')
})

test('a patient’s report is complete and holds for somebody who has only the file and the policy', async () => {
  const clinic = await makeClinic(vault)
  const wav = shortWav(1)
  const about = await archiveAudio(vault, clinic, wav, { sourceId: 'one', patientReference: 'MRN-0042' })
  const other = await archiveAudio(vault, clinic, wav, { sourceId: 'two', patientReference: 'MRN-0043' })
  const { token } = await front.sessionOf(clinic.clinician)
  for (const id of [about, other]) await (await get(`/v1/recordings/${id}/audio`, token)).arrayBuffer()
  await publish()
  const { columns } = await vault.secrets.get(clinic.tenant.id)
  const patient = await vault.catalog.findPatient(clinic.tenant.id, 'MRN-0042', columns)
  assert.ok(patient !== null)
  const policy = await policyOf(clinic)
  const bundle = await exported(clinic, `patient=${patient}&private=true`)
  const report = await judge(bundle, policy)
  assert.deepEqual(report.findings, [])
  assert.equal(report.verdict, 'ok')
  const events = await auditEvents(vault, clinic.tenant.id)
  const expected = events.filter(({ patients }) => patients?.includes(patient))
  assert.ok(expected.some(({ action }) => action === 'recording.played'))
  // What was logged since the checkpoint is in the next one.
  const covered = expected.filter(({ action }) => action !== 'log.exported')
  assert.equal(report.selected, covered.length)
  assert.ok(report.privateShown > 0)
  assert.ok(!bundle.includes('MRN'), 'a reference is in no bundle')
  assert.ok(events.some(({ action, patients }) => action === 'log.exported' && patients?.includes(patient)))
  assert.equal((await judge(bundle, null)).verdict, 'unsigned')
  const asked = { bytes: Buffer.from(bundle), policy, at: new Date() }
  assert.deepEqual(byPython([asked]), [await byNode(asked)])

  const byUser = await judge(await exported(clinic, `user=${clinic.clinician.row.id}`), policy)
  assert.deepEqual([byUser.verdict, byUser.privateShown], ['ok', 0])
  const heard = events.filter(({ actor }) => actor.id === clinic.clinician.row.id)
  assert.equal(byUser.selected, heard.length)
  const byRecording = await judge(await exported(clinic, `recording=${other}`), policy)
  assert.equal(byRecording.verdict, 'ok')
  assert.ok(byRecording.selected > 0)
})

test('a time span shows a part of the log, from shortly before it', async () => {
  const clinic = await makeClinic(vault)
  const { token } = await front.sessionOf(clinic.clinician)
  for (let n = 0; n < 300; n++) await get('/v1/me', token)
  await (await get('/v1/recordings', token)).arrayBuffer()
  await publish()
  const policy = await policyOf(clinic)
  // The log began an hour and more before what is asked for.
  const { superuserPool } = vault.database
  const from = new Date(Date.now() + 3_600_000).toISOString()
  const { rows } = await superuserPool.query(
    'select max(seq) as last from auricle.audit_seal where tenant_id = $1',
    [clinic.tenant.id],
  )
  const last = Number(rows[0].last)
  const bundle = await exported(clinic, `from=${from}`)
  const report = await judge(bundle, policy)
  assert.deepEqual([report.verdict, report.selected], ['ok', 0], JSON.stringify(report.findings))
  assert.equal(report.logs[0]?.first, last)
  const whole = await judge(await exported(clinic, ''), policy)
  assert.equal(whole.verdict, 'ok')
  assert.equal(whole.logs[0]?.first, 0)
  assert.ok(whole.events >= last + 1)
})

test('what a superuser changes behind the vault is in the evidence', async () => {
  const clinic = await makeClinic(vault)
  const { token } = await front.sessionOf(clinic.clinician)
  await (await get('/v1/recordings', token)).arrayBuffer()
  await publish()
  const policy = await policyOf(clinic)
  const { superuserPool } = vault.database
  const listed = (await auditEvents(vault, clinic.tenant.id)).find(
    ({ action }) => action === 'recording.listed',
  )
  assert.ok(listed !== undefined)
  const superuser = async (statement: string) => {
    const client = await superuserPool.connect()
    try {
      await client.query('alter table auricle.audit_event disable trigger all')
      await client.query(statement, [listed.id])
    } finally {
      await client.query('alter table auricle.audit_event enable always trigger append_only')
      await client.query('alter table auricle.audit_event enable always trigger never_removed')
      client.release()
    }
  }
  await superuser(
    `update auricle.audit_event set leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'allowed', 'denied'), 'UTF8')
     where id = $1`,
  )
  assert.equal((await judge(await exported(clinic, ''), policy)).verdict, 'tampered')
  await superuser('delete from auricle.audit_event where id = $1')
  const report = await judge(await exported(clinic, ''), policy)
  assert.deepEqual([report.verdict, report.findings[0]?.code], ['missing', 'leaf'])
})

test('only those who oversee may export, with a fresh factor, and a refusal is in the log', async () => {
  const clinic = await makeClinic(vault)
  const { token } = await front.sessionOf(clinic.clinician)
  await refused(await get('/v1/audit/export', token), 'denied')
  const stale = await front.sessionOf(clinic.auditor, { verifiedAt: new Date(Date.now() - 3_600_000) })
  await refused(await get('/v1/audit/export', stale.token), 'stepUpRequired')
  const { token: officer } = await front.sessionOf(clinic.complianceOfficer)
  for (const query of [
    'patient=MRN-1',
    'from=yesterday',
    'from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
    'x=1',
  ])
    await refused(await get(`/v1/audit/export?${query}`, officer), 'malformed')
  const events = await auditEvents(vault, clinic.tenant.id)
  const refusals = events.filter(({ action, outcome }) => action === 'log.exported' && outcome === 'denied')
  assert.equal(refusals.length, 2)
})

test('over the end of a year both logs are shown, and those of what is asked for alone where it begins later', async () => {
  const clinic = await makeClinic(vault)
  const { token } = await front.sessionOf(clinic.clinician)
  await (await get('/v1/recordings', token)).arrayBuffer()
  await publish()
  const policy = await policyOf(clinic)
  const year = new Date().getUTCFullYear()
  await keeper[Symbol.asyncDispose]()
  keeper = newKeeper(() => new Date(Date.UTC(year + 1, 0, 2)))
  await (await get('/v1/recordings', token)).arrayBuffer()
  await publish()
  const later = new Date(Date.UTC(year + 1, 0, 2, 1))
  const yearsOf = async (query: string) => {
    const report = await judge(await exported(clinic, query), policy, later)
    assert.deepEqual([report.verdict, report.findings], ['ok', []])
    return report.logs.map(({ origin }) => Number(origin.split('/').at(-1)))
  }
  assert.deepEqual(await yearsOf(''), [year, year + 1])
  const beforeAll = new Date(Date.now() - 30 * 24 * 3_600_000).toISOString()
  // Of what is long past it is shown to this day that nothing was brought in later, and it is not stale.
  assert.deepEqual(await yearsOf(`to=${beforeAll}`), [year, year + 1])
  const from = new Date(Date.UTC(year + 1, 0, 1)).toISOString()
  assert.deepEqual(await yearsOf(`from=${from}`), [year + 1])
})
