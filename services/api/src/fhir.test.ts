// The log as FHIR from the outside: by `Accept` alone, page by page, valid, and with no more of a patient than was opened.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FhirAuditEvent, Searchset } from '@auricle/audit/fhir'
import type { RecordingId } from '@auricle/contract'
import { archiveAudio } from '../../../test/archived.ts'
import { ask, problemOf } from '../../../test/ask.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { judge } from '../../../test/fhir/balp-rules.ts'
import { publishedCodes } from '../../../test/fhir/published-codes.ts'
import { loadValidators } from '../../../test/fhir/validators.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { sealLog } from '../../../test/sealed-log.ts'
import { type Clinic, makeClinic, openTestVault, shortWav, type TestVault } from '../../../test/vault.ts'

const reference = 'MRN-zebra-77'
const fhirType = 'application/fhir+json'
const publicUrl = 'https://vault.clinic.example'
const validate = loadValidators()
const isPublished = publishedCodes()

let vault: TestVault
let front: Front
let clinic: Clinic
let recording: RecordingId
let officer: string

before(async () => {
  vault = await openTestVault()
  front = await openFront(vault, { publicUrl })
})
beforeEach(async () => {
  clinic = await makeClinic(vault)
  recording = await archiveAudio(vault, clinic, shortWav(1), { sourceId: 'one', patientReference: reference })
  officer = (await front.sessionOf(clinic.complianceOfficer)).token
  const clinician = (await front.sessionOf(clinic.clinician)).token
  const stranger = (await front.sessionOf(clinic.stranger)).token
  assert.equal((await ask(front.url, clinician, ['GET', `/v1/recordings/${recording}`])).status, 200)
  assert.equal((await ask(front.url, clinician, ['GET', '/v1/recordings'])).status, 200)
  assert.equal((await ask(front.url, stranger, ['GET', `/v1/recordings/${recording}`])).status, 403)
  await sealLog(vault, clinic.tenant.id)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const get = (path: string, accept: string) =>
  fetch(front.url + path, { headers: { authorization: `Bearer ${officer}`, accept } })

async function bundle(path: string) {
  const response = await get(path, fhirType)
  const text = await response.text()
  assert.equal(response.status, 200, text)
  assert.match(
    response.headers.get('content-type') ?? '',
    /^application\/fhir\+json; charset=utf-8; fhirVersion=4\.0$/i,
  )
  assert.match(response.headers.get('vary') ?? '', /Accept/)
  const page: Searchset = JSON.parse(text)
  assert.equal(page.resourceType, 'Bundle')
  const matches = (page.entry ?? []).flatMap(entry => (entry.search.mode === 'match' ? [entry.resource] : []))
  const link = (relation: string) => page.link.find(one => one.relation === relation)?.url ?? null
  return { page, text, matches: matches as readonly FhirAuditEvent[], self: link('self'), next: link('next') }
}

/** The log's name of what a resource was made from. */
const eventIdOf = ({ id }: FhirAuditEvent) => `evt_${id.slice('evt-'.length).split('.')[0]}`

test('a search in FHIR is of the same events, each of them valid', async () => {
  const { page, matches } = await bundle('/v1/audit/events?limit=200')
  const answer = await get('/v1/audit/events?limit=200', 'application/json')
  const { events } = (await answer.json()) as { events: { id: string }[] }
  assert.deepEqual(
    matches.map(eventIdOf),
    events.map(({ id }) => id),
  )
  assert.deepEqual(
    validate(page).filter(({ severity }) => severity === 'error' || severity === 'fatal'),
    [],
  )
  for (const resource of matches)
    assert.deepEqual(judge(JSON.parse(JSON.stringify(resource)), isPublished), [])
  const profiles = matches.map(({ meta }) => meta?.profile[0]?.split('.').at(-1))
  assert.ok(profiles.includes('PatientRead') && profiles.includes('PatientQuery'), profiles.join())
})

test('which of both is answered is said by Accept, by its weights too', async () => {
  const typeFor = async (accept: string) => {
    const response = await get('/v1/audit/events?limit=1', accept)
    await response.arrayBuffer()
    return [response.status, response.headers.get('content-type')?.split(';')[0]]
  }
  const json = [200, 'application/json']
  const fhir = [200, fhirType]
  assert.deepEqual(await typeFor('*/*'), json)
  assert.deepEqual(await typeFor('application/json'), json)
  assert.deepEqual(await typeFor(`${fhirType}; fhirVersion=4.0`), fhir)
  assert.deepEqual(await typeFor(`application/json;q=0.5, ${fhirType}`), fhir)
  assert.deepEqual(await typeFor(`application/json, ${fhirType};q=0.5`), json)
  assert.deepEqual(await typeFor('application/json;q=0, */*'), fhir)
  assert.deepEqual(await typeFor('text/html'), [406, 'application/problem+json'])
  assert.deepEqual(await typeFor(`${fhirType}; fhirVersion=5.0`), [406, 'application/problem+json'])
})

test('who takes neither is told so, and nothing was read', async () => {
  const { tenant } = clinic
  const earlier = await auditEvents(vault, tenant.id)
  for (const path of ['/v1/audit/events', `/v1/audit/events/${earlier[0]?.id}`]) {
    const response = await get(path, 'application/xml')
    assert.equal(problemOf({ status: response.status, body: await response.json() }), 'notAcceptable')
  }
  assert.equal((await auditEvents(vault, tenant.id)).length, earlier.length)
})

test('who may not read the log may not read it in FHIR', async () => {
  officer = (await front.sessionOf(clinic.clinician)).token
  const response = await get('/v1/audit/events', fhirType)
  assert.equal(problemOf({ status: response.status, body: await response.json() }), 'denied')
})

test('the pages hang together by absolute links, which name no patient as a PBX does', async () => {
  const whole = await bundle(`/v1/audit/events?patient=${reference}`)
  assert.ok(whole.matches.length > 2)
  assert.equal(whole.next, null)
  const seen: string[] = []
  let path: string | null = `/v1/audit/events?limit=2&patient=${reference}`
  while (path !== null) {
    const { matches, text, self, next }: Awaited<ReturnType<typeof bundle>> = await bundle(path)
    assert.ok(!text.includes('zebra'))
    assert.match(
      self ?? '',
      /^https:\/\/vault\.clinic\.example\/v1\/audit\/events\?.*patient=pat_[0-9a-z]{26}/,
    )
    seen.push(...matches.map(({ id }) => id))
    path = next?.slice(publicUrl.length) ?? null
  }
  assert.deepEqual(
    seen,
    whole.matches.map(({ id }) => id),
  )
  assert.equal(new Set(seen).size, seen.length)
})

test('a search for nobody finds an empty Bundle, and its link finds nobody either', async () => {
  const { page, self, text } = await bundle('/v1/audit/events?patient=MRN-zebra-0')
  assert.equal(page.entry, undefined)
  assert.ok(!text.includes('zebra'))
  assert.equal((await bundle(self?.slice(publicUrl.length) ?? '')).page.entry, undefined)
})

test('a search withholds the address; one event tells what its private part says, until it is dropped', async () => {
  const { matches } = await bundle(
    `/v1/audit/events?recording=${recording}&action=recording.shown&outcome=allowed`,
  )
  const [found, ...others] = matches
  assert.ok(found)
  assert.deepEqual(others, [])
  const addressIn = ({ agent }: FhirAuditEvent) => agent[0]?.network?.address
  assert.equal(addressIn(found), 'urn:auricle:address:withheld')
  const path = `/v1/audit/events/${eventIdOf(found)}`
  const shown = await bundle(path)
  assert.deepEqual(shown.matches.map(addressIn), ['127.0.0.1'])
  assert.deepEqual([shown.self, shown.next], [publicUrl + path, null])
  assert.deepEqual(
    shown.matches.map(({ id, meta }) => [id, meta]),
    [[found.id, found.meta]],
  )
  const dropped = await ask(front.url, officer, ['POST', `${path}/private-part`], { reason: 'its time' })
  assert.equal(dropped.status, 204)
  assert.deepEqual((await bundle(path)).matches.map(addressIn), ['urn:auricle:address:withheld'])
})

test('what is not as it was sealed is not passed over', async () => {
  const { matches } = await bundle('/v1/audit/events?action=recording.shown&outcome=allowed')
  const id = matches[0] === undefined ? assert.fail() : eventIdOf(matches[0])
  // As whoever owns the database can, past the trigger that keeps the log.
  await vault.database.superuserPool.query(
    `alter table auricle.audit_event disable trigger append_only;
     update auricle.audit_event
     set leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '"allowed"', '"failed"'), 'UTF8') where id = '${id}';
     alter table auricle.audit_event enable always trigger append_only`,
  )
  for (const path of ['/v1/audit/events?action=recording.shown', `/v1/audit/events/${id}`]) {
    const { page } = await bundle(path)
    const outcomes = (page.entry ?? []).filter(({ search }) => search.mode === 'outcome')
    assert.equal(outcomes.length, 1)
    assert.match(
      JSON.stringify(outcomes),
      new RegExp(`"error","code":"security".*${id} at \\d{4}-\\d+ is not as it was sealed`),
    )
    assert.deepEqual(
      validate(page).filter(({ severity }) => severity === 'error'),
      [],
    )
  }
})

test('a private part that is another one is told as wrong, and nothing of it', async () => {
  const { matches } = await bundle('/v1/audit/events?action=recording.shown')
  const [one, two] = matches.map(eventIdOf)
  await vault.database.superuserPool.query(
    `alter table auricle.audit_event disable trigger append_only;
     update auricle.audit_event set sealed_private =
       (select sealed_private from auricle.audit_event where id = '${two}') where id = '${one}';
     alter table auricle.audit_event enable always trigger append_only`,
  )
  const { page, matches: shown } = await bundle(`/v1/audit/events/${one}`)
  assert.equal(shown[0]?.agent[0]?.network?.address, 'urn:auricle:address:withheld')
  assert.match(JSON.stringify(page), /has a private part that is not the one it commits to/)
})
