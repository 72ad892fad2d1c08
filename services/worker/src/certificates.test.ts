// The worker's round of certificates: what it signs, and that it says once what it may not sign.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { captureLog } from '../../../test/captured-log.ts'
import {
  anInstant,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { destroyRows } from '../../../test/destroyed.ts'
import { openTestLog, sealAll, type TestLog, testLogName } from '../../../test/log-fixture.ts'
import { certificateWork } from './certificates.ts'

let log: TestLog
let tenant: TestTenant
before(async () => {
  log = await openTestLog()
  tenant = await createTestTenant(log.catalog)
})
after(() => log[Symbol.asyncDispose]())

async function destroyed() {
  const { tenantId } = tenant
  const { id: recordingId } = await archiveRecording(log.catalog, tenant)
  const parts = { pool: log.database.appPool, catalog: log.catalog }
  const at = new Date(anInstant.getTime() + 4000 * 86_400_000)
  return (await destroyRows(parts, { tenantId, recordingId }, { at })).claims
}

test('signs what is published, and tells once a process of what is not as its event says', async () => {
  const good = await destroyed()
  const altered = await destroyed()
  await log.database.superuserPool.query(
    `update auricle.certificate set claims = jsonb_set(claims, '{kind}', '"recording"') where id = $1`,
    [altered.jti],
  )
  await using keeper = log.keeper()
  await sealAll(keeper)
  await keeper.publish({})
  const captured = captureLog()
  const { catalog, keys } = log
  const work = certificateWork({ config: { logName: testLogName }, catalog, keys, logger: captured.logger })
  const { signal } = new AbortController()
  for (let round = 0; round < 3; round++) await work({ signal })
  const said = captured.lines.filter(line => line.includes('ertificate')).map(line => JSON.parse(line))
  assert.deepEqual(
    said.map(({ level, msg, certificateId = null, count = null }) => [level, msg, certificateId, count]),
    [
      ['error', 'A certificate of destruction cannot be signed', altered.jti, null],
      ['info', 'Issued certificates of destruction', null, 1],
    ],
  )
  const issued = async (recordingId: typeof good.recording) =>
    (await catalog.findCertificate(tenant.tenantId, recordingId))?.issued ?? null
  assert.notEqual(await issued(good.recording), null)
  assert.equal(await issued(altered.recording), null)
})
