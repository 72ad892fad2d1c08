// Certificates from the outside: pending, then signed; as JSON, as the signed text, and held by two verifiers and a
// library for JWS that have nothing but files.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { certificateJson, verifyCertificate } from '@auricle/audit/verifier'
import {
  CertificateDetail,
  CertificateKeys,
  CertificatePage,
  newRecordingId,
  Problem,
  type ProblemName,
  problems,
  type RecordingId,
} from '@auricle/contract'
import { createLogKeeper, createWitnesses, issueCertificates } from '@auricle/vault'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { destroyRows } from '../../../test/destroyed.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { verifyByLibrary } from '../../../test/jws-library.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'

const logName = 'log.clinic.example'

let vault: TestVault
let front: Front
let clinic: Clinic
before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
  clinic = await makeClinic(vault)
  await vault.keyService.ensure({ purpose: 'checkpoints' })
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

async function get(
  path: string,
  person: Person = clinic.complianceOfficer,
  accept?: string,
): Promise<Response> {
  const { token } = await front.sessionOf(person)
  const headers = { authorization: `Bearer ${token}`, ...(accept === undefined ? {} : { accept }) }
  return await fetch(front.url + path, { headers })
}

async function refused(response: Response, name: ProblemName): Promise<void> {
  assert.equal(Problem.parse(await response.json()).type, problems[name].type)
}

async function destroyed(sourceId: string): Promise<RecordingId> {
  const recordingId = await archiveAudio(vault, clinic, shortWav(1), { sourceId })
  const parts = { pool: vault.database.appPool, catalog: vault.catalog }
  await destroyRows(parts, { tenantId: clinic.tenant.id, recordingId }, { at: new Date() })
  return recordingId
}

/** As the worker does, until nothing is left to sign. */
async function issueAll(): Promise<void> {
  await using keeper = createLogKeeper({
    ...{ catalog: vault.catalog, store: vault.logStore, keys: vault.keyService, name: logName },
    ...{ watch: {}, witnesses: createWitnesses({ witnesses: [] }) },
  })
  const isLeft = async () => (await vault.catalog.listUnsealed()).length > 0
  while ((await keeper.seal({})) || (await isLeft())) await delay(10)
  await keeper.publish({})
  await issueCertificates({ catalog: vault.catalog, keys: vault.keyService, logName }, {})
}

test('a certificate is pending, then signed, and holds for somebody with the files alone', async () => {
  const id = await destroyed('one')
  const path = `/v1/recordings/${id}/certificate`
  const pending = CertificateDetail.parse(await (await get(path)).json())
  assert.equal(pending.state, 'pending')
  assert.equal(pending.jws, null)
  await refused(await get(path, undefined, 'application/jose'), 'conflict')

  await issueAll()
  const issued = CertificateDetail.parse(await (await get(path, clinic.auditor)).json())
  assert.equal(issued.state, 'issued')
  assert.equal(issued.id, pending.id)
  assert.deepEqual({ ...issued.claims, ...pending.claims }, issued.claims)

  const response = await get(path, undefined, 'application/jose')
  assert.equal(response.headers.get('content-type'), 'application/jose')
  assert.equal(response.headers.get('content-disposition'), `attachment; filename=${id}.jws`)
  const jws = await response.text()
  assert.equal(jws, issued.jws)
  const jwks = CertificateKeys.parse(await (await get('/v1/certificates/keys')).json())
  const policy = await (await get('/v1/audit/policy')).text()
  const { payload } = await verifyByLibrary(jws, jwks)
  assert.deepEqual(payload, issued.claims)
  const report = verifyCertificate(Buffer.from(jws), { policy, jwks: JSON.stringify(jwks) })
  assert.deepEqual(certificateJson(report), {
    ...{ verdict: 'ok', findings: [], certificate: issued.id, recording: id },
    ...{ destroyedAt: issued.destroyedAt, lastCopyAt: issued.lastCopyAt },
  })
  const unknown = verifyCertificate(Buffer.from(jws), { policy, jwks: '{"keys":[]}' })
  assert.equal(unknown.verdict, 'unsigned')
})

test('who may read them is decided, and each reading is in the log', async () => {
  const id = await destroyed('two')
  for (const path of [`/v1/recordings/${id}/certificate`, '/v1/certificates', '/v1/certificates/keys']) {
    await refused(await get(path, clinic.clinician), 'denied')
    assert.equal((await get(path, clinic.administrator)).status, 200)
  }
  const events = await auditEvents(vault, clinic.tenant.id)
  const by = (person: Person) =>
    events
      .filter(
        ({ actor, action }) => actor.id === person.row.id && /^(certificate|disposition)\./.test(action),
      )
      .map(({ action, outcome, object }) => `${action} ${outcome} ${object?.id ?? '-'}`)
  const { id: tenantId } = clinic.tenant
  const read = (outcome: string) => [
    `certificate.shown ${outcome} ${id}`,
    `disposition.listed ${outcome} -`,
    `certificate.shown ${outcome} ${tenantId}`,
  ]
  assert.deepEqual(by(clinic.clinician), read('denied'))
  assert.deepEqual(by(clinic.administrator), read('allowed'))
})

test('there is none of a recording that is kept, of none, and of another tenant', async () => {
  const kept = await archiveAudio(vault, clinic, shortWav(1), { sourceId: 'three' })
  const other = await makeClinic(vault)
  const gone = await destroyed('four')
  await refused(await get(`/v1/recordings/${kept}/certificate`), 'notFound')
  await refused(await get(`/v1/recordings/${newRecordingId()}/certificate`), 'notFound')
  await refused(await get(`/v1/recordings/${gone}/certificate`, other.complianceOfficer), 'notFound')
  await refused(await get('/v1/recordings/rec_1/certificate'), 'malformed')
  await refused(await get(`/v1/recordings/${gone}/certificate`, undefined, 'audio/wav'), 'notAcceptable')
  const page = CertificatePage.parse(await (await get('/v1/certificates', other.complianceOfficer)).json())
  assert.deepEqual(page, { certificates: [], nextCursor: null })
})

test('they are listed from the newest on, page by page', async () => {
  const ids = [await destroyed('five'), await destroyed('six'), await destroyed('seven')]
  const read = async (query: string) =>
    CertificatePage.parse(await (await get(`/v1/certificates?${query}`)).json())
  const first = await read('limit=2')
  assert.deepEqual(
    first.certificates.map(({ recording }) => recording),
    ids.slice(1).reverse(),
  )
  const next = await read(`limit=1&cursor=${first.nextCursor}`)
  assert.deepEqual(
    next.certificates.map(({ recording }) => recording),
    ids.slice(0, 1),
  )
  const none = await read(`to=2020-01-01T00:00:00Z`)
  assert.deepEqual(none.certificates, [])
  await refused(await get('/v1/certificates?cursor=x'), 'malformed')
  await refused(await get('/v1/certificates?from=yesterday'), 'malformed')
})
