// Looks at the stores from the outside: listed and read page by page by whoever may, each reading in the log.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DriftRunDetail, DriftRunPage, newDriftRunId, Session } from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import { findDrift } from '@auricle/vault'
import { archiveAudio } from '../../../test/archived.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'

let vault: TestVault
let front: Front
let clinic: Clinic
before(async () => {
  vault = await openTestVault()
  front = await openFront(vault)
  clinic = await makeClinic(vault)
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const get = (path: string, token: string): Promise<Response> =>
  fetch(front.url + path, { headers: { authorization: `Bearer ${token}` } })

async function sessionOf({ row, password, totpSecret }: Person): Promise<string> {
  const credentials = { tenant: clinic.tenant.slug, login: row.login, password }
  const response = await fetch(`${front.url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...credentials, code: totpCode(totpSecret, new Date()) }),
  })
  return Session.parse(await response.json()).token
}

test('what looks at the stores found is read by officers, page by page, and by nobody of another tenant', async () => {
  const id = await archiveAudio(vault, clinic, shortWav(1), { sourceId: 'one' })
  const objects = await vault.catalog.listObjects(clinic.tenant.id, id)
  for (const { objectKey } of objects) await vault.objects.setHold(objectKey, true)
  const orders = { by: 'worker', mend: false, unless: null } as const
  const parts = { ...vault, recovery: null }
  const first = await findDrift(parts, clinic.tenant.id, orders, {})
  const second = await findDrift(parts, clinic.tenant.id, { ...orders, mend: true }, {})
  assert.ok(first !== null && second !== null && objects.length > 1)

  const officer = await sessionOf(clinic.complianceOfficer)
  const page = DriftRunPage.parse(await (await get('/v1/drift-runs?limit=1', officer)).json())
  assert.deepEqual(
    page.runs.map(run => [run.id, run.recordings, run.objects, run.counts]),
    [[second.id, 1, objects.length, { held_for_nothing: objects.length }]],
  )
  const next = await get(`/v1/drift-runs?cursor=${page.nextCursor}`, officer)
  const rest = DriftRunPage.parse(await next.json())
  assert.deepEqual([rest.runs.map(run => run.id), rest.nextCursor], [[first.id], null])

  const detail = async (query: string) =>
    DriftRunDetail.parse(await (await get(`/v1/drift-runs/${second.id}${query}`, officer)).json())
  const some = await detail('?limit=1')
  const others = await detail(`?after=${some.nextAfter}`)
  assert.equal(others.nextAfter, null)
  assert.deepEqual(
    [...some.findings, ...others.findings],
    objects
      .map(({ objectKey }) => objectKey)
      .sort()
      .map((objectKey, index) => ({
        ...{ number: index + 1, kind: 'held_for_nothing', store: 'primary', recordingId: id, objectKey },
        mended: true,
      })),
  )

  const stranger = await sessionOf(clinic.stranger)
  for (const path of ['/v1/drift-runs', `/v1/drift-runs/${second.id}`])
    assert.equal((await get(path, stranger)).status, 403)
  assert.equal((await get(`/v1/drift-runs/${newDriftRunId()}`, officer)).status, 404)
  assert.equal((await get('/v1/drift-runs/dri_nonsense', officer)).status, 400)
  const read = (await auditEvents(vault, clinic.tenant.id)).filter(
    ({ action, outcome }) => action === 'retention.listed' && outcome === 'allowed',
  )
  const run = { type: 'drift_run', id: second.id, version: null }
  assert.deepEqual(
    read.slice(0, 4).map(({ object }) => object),
    [null, null, run, run],
  )
})
