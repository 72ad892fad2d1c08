// Disclosures and their accounting over sockets, with a golden set of forty of which seventeen are accounted for.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { AuditEvent } from '@auricle/audit'
import {
  Accounting,
  DisclosurePage,
  type DisclosurePurpose,
  DisclosureView,
  type RecipientKind,
  SuspensionList,
  SuspensionView,
} from '@auricle/contract'
import { archiveAudio } from '../../../test/archived.ts'
import { ask, problemOf } from '../../../test/ask.ts'
import { auditEvents, privatePartOf } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, shortWav, type TestVault } from '../../../test/vault.ts'

const dayMs = 24 * 60 * 60_000
const patient = 'MRN-zebra-1'

/** Purpose, kind of recipient, whether it is accounted for, as the Privacy Rule has it. */
const golden: readonly (readonly [DisclosurePurpose, RecipientKind, boolean])[] = [
  ['treatment', 'provider', false],
  ['treatment', 'provider', false],
  ['treatment', 'business_associate', false],
  ['payment', 'health_plan', false],
  ['payment', 'insurer', false],
  ['payment', 'business_associate', false],
  ['operations', 'business_associate', false],
  ['operations', 'provider', false],
  ['to_individual', 'individual', false],
  ['to_individual', 'individual', false],
  ['authorization', 'attorney', false],
  ['authorization', 'employer', false],
  ['authorization', 'insurer', false],
  ['incidental', 'other', false],
  ['involved_in_care', 'family', false],
  ['involved_in_care', 'clergy', false],
  ['national_security', 'national_security', false],
  ['custody', 'correctional', false],
  ['custody', 'law_enforcement', false],
  ['limited_data_set', 'researcher', false],
  ['limited_data_set', 'public_health', false],
  ['required_by_law', 'individual', false],
  ['judicial', 'individual', false],
  ['required_by_law', 'other', true],
  ['public_health', 'public_health', true],
  ['public_health', 'employer', true],
  ['abuse_or_neglect', 'other', true],
  ['health_oversight', 'health_oversight', true],
  ['health_oversight', 'health_oversight', true],
  ['judicial', 'court', true],
  ['judicial', 'attorney', true],
  ['law_enforcement', 'law_enforcement', true],
  ['law_enforcement', 'law_enforcement', true],
  ['decedent', 'coroner', true],
  ['organ_donation', 'organ_bank', true],
  ['research', 'researcher', true],
  ['serious_threat', 'law_enforcement', true],
  ['military', 'military', true],
  ['workers_compensation', 'insurer', true],
  ['not_permitted', 'other', true],
]

let vault: TestVault
let front: Front
let clinic: Clinic
let officer: string
let auditor: string
/** How far the service's clock is ahead of ours. */
let aheadMs = 0
const now = () => new Date(Date.now() + aheadMs)

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault, { now })
})
beforeEach(async () => {
  aheadMs = 0
  clinic = await makeClinic(vault)
  officer = (await front.sessionOf(clinic.complianceOfficer)).token
  auditor = (await front.sessionOf(clinic.auditor)).token
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const post = (path: string, body: unknown, token = officer) => ask(front.url, token, ['POST', path], body)
const get = (path: string, token = officer) => ask(front.url, token, ['GET', path])
const ago = (days: number) => new Date(now().getTime() - days * dayMs).toISOString()
const inDays = (days: number) => ago(-days)

function aDisclosure(change: Readonly<Record<string, unknown>> = {}) {
  return {
    ...{ patient, disclosedAt: ago(1), purpose: 'judicial', what: 'one voicemail', why: 'a subpoena' },
    recipient: { kind: 'court', name: 'County court', address: '1 Court Square' },
    ...change,
  }
}

async function record(change: Readonly<Record<string, unknown>> = {}): Promise<DisclosureView> {
  const { status, body } = await post('/v1/disclosures', aDisclosure(change))
  assert.equal(status, 201, JSON.stringify(body))
  return DisclosureView.parse(body)
}

async function account(query = '', token = officer): Promise<Accounting> {
  const { status, body } = await get(`/v1/reports/disclosures?patient=${patient}${query}`, token)
  assert.equal(status, 200, JSON.stringify(body))
  return Accounting.parse(body)
}

const newest = async (action: AuditEvent['action']): Promise<AuditEvent> => {
  const events = await auditEvents(vault, clinic.tenant.id)
  return events.findLast(event => event.action === action) ?? assert.fail(`no ${action} is in the log`)
}

const recipientOf = (index: number) => `Recipient ${String(index).padStart(2, '0')}`

async function recordGolden(): Promise<void> {
  for (const [index, [purpose, kind, accountable]] of golden.entries()) {
    const view = await record({
      ...{
        purpose,
        disclosedAt: ago(golden.length - index),
        what: `recording ${index}`,
        why: `reason ${index}`,
      },
      recipient: { kind, name: recipientOf(index), address: index % 2 === 0 ? `${index} Main Street` : null },
    })
    assert.equal(view.accountable, accountable, `${purpose} to ${kind}`)
  }
}

const accounted = golden.flatMap(([, kind, accountable], index) => (accountable ? [{ index, kind }] : []))

test('of forty disclosures exactly the seventeen are accounted for, with all four elements', async () => {
  assert.equal(golden.length, 40)
  assert.equal(accounted.length, 17)
  await recordGolden()
  const { lines } = await account()
  assert.deepEqual(
    lines.map(({ recipient, what, why }) => [recipient, what, why]),
    accounted.map(({ index }) => [
      { name: recipientOf(index), address: index % 2 === 0 ? `${index} Main Street` : null },
      `recording ${index}`,
      `reason ${index}`,
    ]),
  )
  for (const { disclosedAt, lastDisclosedAt, count } of lines) {
    assert.equal(disclosedAt, lastDisclosedAt)
    assert.equal(count, 1)
  }
  assert.deepEqual((await newest('report.disclosures')).detail, { kind: 'found', count: 17 })
  const all = DisclosurePage.parse((await get(`/v1/disclosures?patient=${patient}&limit=100`, auditor)).body)
  assert.equal(all.disclosures.length, 40)
})

test('what an agency asked to leave out vanishes, and returns when its time is over or it is ended', async () => {
  await recordGolden()
  const kindsIn = async () => {
    const names = new Set((await account()).lines.map(({ recipient }) => recipient.name))
    return accounted.filter(({ index }) => names.has(recipientOf(index))).map(({ kind }) => kind)
  }
  const asked = { patient, agency: 'County police, Lt. Example', statement: 'It would impede the inquiry' }
  const suspend = (change: object) =>
    post('/v1/disclosure-suspensions', {
      ...asked,
      ...{ recipientKind: 'law_enforcement', form: 'written', from: ago(0), until: inDays(60), ...change },
    })
  const made = await suspend({})
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const { id } = SuspensionView.parse(made.body)
  assert.equal((await kindsIn()).length, 17 - 3)
  assert.ok(!(await kindsIn()).includes('law_enforcement'))
  // Nothing tells whoever gets the report that something was left out.
  assert.doesNotMatch(JSON.stringify(await account()), /suspen|omitt|police/i)

  aheadMs = 59 * dayMs
  officer = (await front.sessionOf(clinic.complianceOfficer)).token
  assert.equal((await kindsIn()).length, 14)
  aheadMs = 61 * dayMs
  officer = (await front.sessionOf(clinic.complianceOfficer)).token
  assert.equal((await kindsIn()).length, 17)
  assert.equal(problemOf(await post(`/v1/disclosure-suspensions/${id}/end`, {})), 'conflict')

  const oral = { form: 'oral', recipientKind: 'health_oversight' }
  assert.equal(problemOf(await suspend({ ...oral, from: ago(0), until: inDays(31) })), 'malformed')
  const second = SuspensionView.parse((await suspend({ ...oral, until: inDays(30), from: ago(0) })).body)
  assert.equal((await kindsIn()).length, 15)
  assert.equal((await post(`/v1/disclosure-suspensions/${second.id}/end`, {})).status, 204)
  assert.equal((await kindsIn()).length, 17)
  assert.equal(problemOf(await post(`/v1/disclosure-suspensions/${second.id}/end`, {})), 'conflict')
  assert.equal((await newest('disclosure.resumed')).object?.id, second.id)

  const list = SuspensionList.parse((await get(`/v1/disclosure-suspensions?patient=${patient}`)).body)
  assert.deepEqual(
    list.suspensions.map(one => [one.id, one.endedAt !== null]),
    [
      [second.id, true],
      [id, false],
    ],
  )
  const suspended = await newest('disclosure.suspended')
  assert.doesNotMatch(JSON.stringify(suspended), /police|impede/)
  const part = await privatePartOf(vault, clinic.tenant.id, suspended.id)
  assert.match(part?.reason ?? '', /^County police, Lt\. Example: It would impede/)
})

test('the log commits to all that an accounting says of a disclosure, and says none of it', async () => {
  const view = await record()
  const event = await newest('disclosure.recorded')
  assert.equal(event.object?.id, view.id)
  assert.deepEqual(event.patients, [view.patient])
  assert.deepEqual(event.detail, { kind: 'disclosed', accountable: true, recipientKind: 'court' })
  assert.doesNotMatch(JSON.stringify(event), /County|Square|voicemail|subpoena|zebra/)
  const part = await privatePartOf(vault, clinic.tenant.id, event.id)
  const { recipientName, recipientAddress, what, reason, query } = part ?? {}
  assert.deepEqual(
    [recipientName, recipientAddress, what, reason],
    ['County court', '1 Court Square', 'one voicemail', 'a subpoena'],
  )
  assert.deepEqual(JSON.parse(query ?? ''), { disclosedAt: view.disclosedAt })
})

test('nothing of a disclosure stands in the database unsealed', async () => {
  await record()
  const { rows } = await vault.database.superuserPool.query('select * from auricle.disclosure')
  assert.doesNotMatch(
    JSON.stringify(rows.map(row => Object.values(row).map(String))),
    /County|Square|voicemail|subpoena|zebra/,
  )
})

test('it goes six years back, or from one time to another', async () => {
  const sixYears = new Date()
  sixYears.setUTCFullYear(sixYears.getUTCFullYear() - 6)
  const at = (ms: number) => new Date(sixYears.getTime() + ms).toISOString()
  await record({ disclosedAt: at(-60_000), what: 'too old' })
  await record({ disclosedAt: at(60_000), what: 'just in' })
  await record({ disclosedAt: ago(10), what: 'late' })
  assert.deepEqual(
    (await account()).lines.map(({ what }) => what),
    ['just in', 'late'],
  )
  assert.deepEqual((await account(`&from=${at(-dayMs)}`)).lines.length, 3)
  assert.deepEqual((await account(`&from=${ago(11)}&to=${ago(10.2)}`)).lines, [])
  assert.deepEqual((await account(`&from=${ago(10.5)}&to=${ago(9.5)}`)).lines.length, 1)
  assert.equal(
    problemOf(await get(`/v1/reports/disclosures?patient=${patient}&from=${ago(1)}&to=${ago(2)}`)),
    'malformed',
  )
})

test('several to one recipient for one purpose may be one line: the first, how many, the last', async () => {
  const times = [ago(30), ago(20), ago(10)]
  for (const disclosedAt of times) await record({ disclosedAt, what: `of ${disclosedAt}` })
  await record({ disclosedAt: ago(15), recipient: { kind: 'court', name: 'Another court' } })
  const { lines } = await account('&summary=true')
  assert.deepEqual(
    lines.map(({ recipient, disclosedAt, count, lastDisclosedAt, what }) => [
      ...[recipient.name, disclosedAt.slice(0, 10), count, lastDisclosedAt.slice(0, 10), what.slice(0, 13)],
    ]),
    [
      ['County court', times[0]?.slice(0, 10), 3, times[2]?.slice(0, 10), `of ${times[0]?.slice(0, 10)}`],
      ['Another court', ago(15).slice(0, 10), 1, ago(15).slice(0, 10), 'one voicemail'],
    ],
  )
})

test('as CSV it is for a spreadsheet to show and never to compute', async () => {
  await record({ recipient: { kind: 'court', name: '=cmd|calc', address: '@home' }, why: '+1\r\n=2' })
  const response = await fetch(`${front.url}/v1/reports/disclosures?patient=${patient}`, {
    headers: { authorization: `Bearer ${officer}`, accept: 'text/csv' },
  })
  assert.match(response.headers.get('content-type') ?? '', /^text\/csv/)
  const text = await response.text()
  assert.match(text, /^"date","recipient","address","description","purpose","disclosures","last_date"\r\n/)
  assert.match(text, /"'=cmd\|calc","'@home","one voicemail","'\+1\r\n=2"/)
})

test('a recording that is named must be of the tenant and of that patient', async () => {
  const facts = { sourceId: 'one', patientReference: 'MRN-other' }
  const recording = await archiveAudio(vault, clinic, shortWav(1), facts)
  assert.equal(problemOf(await post('/v1/disclosures', aDisclosure({ recording }))), 'malformed')
  assert.equal((await record({ recording, patient: 'MRN-other' })).recording, recording)
  const abroad = await makeClinic(vault)
  const foreign = await archiveAudio(vault, abroad, shortWav(1), { sourceId: 'two' })
  assert.equal(problemOf(await post('/v1/disclosures', aDisclosure({ recording: foreign }))), 'notFound')
  assert.equal(problemOf(await post('/v1/disclosures', aDisclosure({ disclosedAt: inDays(1) }))), 'malformed')
})

test('a patient of nobody is not found, and of another tenant neither', async () => {
  const view = await record()
  const abroad = await makeClinic(vault)
  const { token } = await front.sessionOf(abroad.complianceOfficer)
  for (const path of ['/v1/reports/disclosures', '/v1/disclosures', '/v1/disclosure-suspensions']) {
    assert.equal(problemOf(await get(`${path}?patient=MRN-nobody`)), 'notFound')
    assert.equal(problemOf(await get(`${path}?patient=${view.patient}`, token)), 'notFound')
  }
  assert.equal(
    problemOf(await post('/v1/disclosures', aDisclosure({ patient: view.patient }), token)),
    'notFound',
  )
  assert.deepEqual((await newest('report.disclosures')).reasons, ['not_found'])
})

test('pages hold each disclosure once, newest first', async () => {
  for (let index = 0; index < 7; index++) await record({ disclosedAt: ago(index % 3) })
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const path: string = `/v1/disclosures?patient=${patient}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page = DisclosurePage.parse((await get(path)).body)
    seen.push(...page.disclosures.map(({ id }) => id))
    cursor = page.nextCursor
  }
  assert.equal(new Set(seen).size, 7)
  assert.equal(seen.length, 7)
  assert.equal(problemOf(await get(`/v1/disclosures?patient=${patient}&cursor=x`)), 'malformed')
})
