// Retention from the outside: rules by two people, what they count from, and what no body can make of them.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import {
  BirthDateView,
  RecordSetPage,
  RetentionEventList,
  RetentionEventView,
  RetentionPresetList,
  RetentionSettings,
  RuleList,
  RuleView,
} from '@auricle/contract'
import fc from 'fast-check'
import { ask, problemOf } from '../../../test/ask.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../test/vault.ts'

const dayMs = 24 * 60 * 60_000
const ten = { keep: { years: 10 }, dispose: 'review' }

let vault: TestVault
let front: Front
let clinic: Clinic
let officer = ''
let administrator = ''

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  officer = (await front.sessionOf(clinic.complianceOfficer)).token
  administrator = (await front.sessionOf(clinic.administrator)).token
})

const call = (method: string, path: string, body?: unknown, token = officer) =>
  ask(front.url, token, [method, path], body)

async function told(status: number, ...of: Parameters<typeof call>): Promise<unknown> {
  const answer = await call(...of)
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  return answer.body
}

async function refused(name: string, ...of: Parameters<typeof call>): Promise<void> {
  assert.equal(problemOf(await call(...of)), name)
}

test('a rule is proposed, shortened by two people, withdrawn and ended', async () => {
  assert.deepEqual(await told(200, 'GET', '/v1/retention-rules'), { rules: [] })
  const body = { name: 'Adults', definition: ten }
  const { id, state } = RuleView.parse(await told(201, 'POST', '/v1/retention-rules', body))
  assert.equal(state, 'in_force')
  await refused('conflict', 'POST', '/v1/retention-rules', body)
  const path = `/v1/retention-rules/${id}`
  const seven = { definition: { ...ten, keep: { years: 7 } } }
  const shorter = RuleView.parse(await told(201, 'POST', `${path}/versions`, seven))
  assert.deepEqual(
    shorter.versions.map(version => [version.state, version.effect]),
    [
      ['in_force', 'lengthens'],
      ['proposed', 'shortens'],
    ],
  )
  await refused('denied', 'POST', `${path}/versions/2/approval`, {})
  const before = Date.now()
  const approved = RuleView.parse(await told(201, 'POST', `${path}/versions/2/approval`, {}, administrator))
  const from = Date.parse(approved.versions[1]?.effectiveFrom ?? '')
  assert.ok(from >= before + 30 * dayMs && from <= Date.now() + 30 * dayMs)
  await refused('conflict', 'POST', `${path}/versions/2/approval`, {}, administrator)
  await refused('conflict', 'POST', `${path}/versions`, { definition: { ...ten, keep: { years: 12 } } })
  await told(201, 'POST', `${path}/versions/2/withdrawal`)
  const ended = RuleView.parse(await told(201, 'POST', `${path}/versions`, { definition: null }))
  assert.equal(ended.versions.at(-1)?.state, 'proposed')
  const { rules } = RuleList.parse(await told(200, 'GET', '/v1/retention-rules', undefined, administrator))
  assert.deepEqual(rules, [ended])
  assert.deepEqual(await told(200, 'GET', path), ended)
})

test('a preset is proposed as it is', async () => {
  const { presets } = RetentionPresetList.parse(await told(200, 'GET', '/v1/retention-presets'))
  assert.ok(presets.length > 30)
  const preset = presets.find(({ id }) => id === 'us-default')
  assert.ok(preset)
  const body = { name: preset.name, definition: preset.definition }
  const rule = RuleView.parse(await told(201, 'POST', '/v1/retention-rules', body))
  assert.deepEqual(rule.versions[0]?.definition, preset.definition)
})

test('a program reads rules, and proposes none', async () => {
  const program = await front.tokenOf(clinic.complianceOfficer)
  await told(200, 'GET', '/v1/retention-rules', undefined, program)
  await refused('denied', 'POST', '/v1/retention-rules', { name: 'Adults', definition: ten }, program)
  const stale = { verifiedAt: new Date(Date.now() - 6 * 60_000) }
  const { token } = await front.sessionOf(clinic.complianceOfficer, stale)
  await refused('stepUpRequired', 'POST', '/v1/retention-rules', { name: 'Adults', definition: ten }, token)
})

test('what no rule can be is malformed, whatever it is', async () => {
  const propose = (definition: unknown) => call('POST', '/v1/retention-rules', { name: 'Adults', definition })
  for (const wrong of [
    null,
    {},
    { ...ten, keep: { years: 0 } },
    { ...ten, keep: { years: 101 } },
    { ...ten, keep: { years: -1, months: 24 } },
    { ...ten, keep: { years: 1.5 } },
    { ...ten, from: 'tomorrow' },
    { ...ten, dispose: 'burn' },
    { ...ten, disposeAfterDays: -1 },
    { ...ten, minors: { majorityAge: 17, keep: { years: 1 } } },
    { ...ten, appliesTo: { kinds: [] } },
    { ...ten, appliesTo: { mailboxes: ['mbx_1'] } },
    { ...ten, hold: false },
  ])
    assert.equal(problemOf(await propose(wrong)), 'malformed', JSON.stringify(wrong))
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async value => {
      assert.equal(problemOf(await propose(value)), 'malformed')
      assert.equal(problemOf(await call('PUT', '/v1/retention-settings', value)), 'malformed')
      assert.equal(problemOf(await call('POST', '/v1/retention-events', value)), 'malformed')
      assert.equal(problemOf(await call('POST', '/v1/birth-dates', value)), 'malformed')
      assert.equal(problemOf(await call('POST', '/v1/record-set-decisions', value)), 'malformed')
    }),
    { numRuns: 40 },
  )
  const nobody = '/v1/retention-rules/rul_01jd3w8h9k6n2q4s5t7v8x9y0z'
  await refused('notFound', 'GET', nobody)
  await refused('notFound', 'POST', `${nobody}/versions`, { definition: ten })
  await refused('notFound', 'POST', `${nobody}/versions/1/withdrawal`)
  await refused('malformed', 'POST', `${nobody}/versions/0/withdrawal`)
  await refused('malformed', 'POST', `${nobody}/versions/1e9/approval`, {})
  await refused('malformed', 'GET', '/v1/retention-rules/rul_1')
})

test('events, birth dates and the record set are recorded, listed and taken back', async () => {
  const event = { kind: 'treatment_ended', patient: 'MRN-9', at: '2026-01-02T03:04:05Z' }
  const recorded = RetentionEventView.parse(await told(201, 'POST', '/v1/retention-events', event))
  const withdrawn = await told(201, 'POST', `/v1/retention-events/${recorded.id}/withdrawal`)
  await refused('conflict', 'POST', `/v1/retention-events/${recorded.id}/withdrawal`)
  const listed = await told(200, 'GET', '/v1/retention-events?patient=MRN-9')
  assert.deepEqual(RetentionEventList.parse(listed).events, [withdrawn])
  await refused('malformed', 'GET', '/v1/retention-events')
  await refused('notFound', 'GET', '/v1/retention-events?patient=MRN-nobody')
  await refused('malformed', 'POST', '/v1/retention-events', { ...event, at: '2999-01-01T00:00:00Z' })

  const birth = { patient: 'MRN-9', birthDate: '2012-02-29' }
  const shown = BirthDateView.parse(await told(201, 'POST', '/v1/birth-dates', birth))
  assert.deepEqual([shown.patient, shown.recordings], [recorded.patient, 0])
  await refused('malformed', 'POST', '/v1/birth-dates', { ...birth, birthDate: '2011-02-29' })
  await refused('malformed', 'POST', '/v1/birth-dates', { ...birth, birthDate: '2999-01-01' })

  const decision = { mailbox: clinic.mailbox.id, decision: 'in', rationale: 'used to decide about care' }
  await told(201, 'POST', '/v1/record-set-decisions', decision)
  const page = RecordSetPage.parse(await told(200, 'GET', '/v1/record-set-decisions'))
  assert.deepEqual(
    page.mailboxes.map(mailbox => mailbox.decision),
    ['in'],
  )
  const foreign = await makeClinic(vault)
  await refused('notFound', 'POST', '/v1/record-set-decisions', { ...decision, mailbox: foreign.mailbox.id })
  for (const path of ['retention-events?patient=MRN-9', 'record-set-decisions'])
    await refused('denied', 'GET', `/v1/${path}`, undefined, administrator)
})

test('settings are read and written whole', async () => {
  const settings = RetentionSettings.parse(await told(200, 'GET', '/v1/retention-settings'))
  const changed = { ...settings, zone: 'America/New_York', waitingDays: 14 }
  assert.deepEqual(await told(200, 'PUT', '/v1/retention-settings', changed), changed)
  assert.deepEqual(await told(200, 'GET', '/v1/retention-settings', undefined, administrator), changed)
  await refused('malformed', 'PUT', '/v1/retention-settings', { ...changed, shorteningDays: 1 })
  await refused('malformed', 'PUT', '/v1/retention-settings', { ...changed, zone: 'Nowhere' })
  await refused('denied', 'PUT', '/v1/retention-settings', changed, administrator)
})
