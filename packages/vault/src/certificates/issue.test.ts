// Certificates are signed once their event is published, by either kind of key, and say what the event commits to.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { claimsHash, decodeLeaf, fromBase64, readCertificate } from '@auricle/audit'
import { type DisposalClaims, newIntakeId, type RecordingId, type TenantId } from '@auricle/contract'
import {
  anInstant,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../../test/catalog-fixture.ts'
import { type Destroyed, type DestroyOptions, destroyRows } from '../../../../test/destroyed.ts'
import { startKeysOnEmulator } from '../../../../test/emulators/kms/keys-on-emulator.ts'
import { verifyByLibrary } from '../../../../test/jws-library.ts'
import { openTestLog, sealAll, type TestLog, testLogName } from '../../../../test/log-fixture.ts'
import { type IssueParts, issueCertificates } from './issue.ts'
import { certificateKeys } from './keys.ts'

const destroyedAt = new Date(anInstant.getTime() + 4000 * 86_400_000)

let log: TestLog
let tenant: TestTenant

before(async () => {
  log = await openTestLog()
  tenant = await createTestTenant(log.catalog)
})
after(() => log[Symbol.asyncDispose]())

async function destroyed(
  change: Partial<DestroyOptions> = {},
): Promise<Destroyed & { readonly recordingId: RecordingId }> {
  const { id: recordingId } = await archiveRecording(log.catalog, tenant)
  const parts = { pool: log.database.appPool, catalog: log.catalog }
  const { tenantId } = tenant
  return {
    ...(await destroyRows(parts, { tenantId, recordingId }, { at: destroyedAt, ...change })),
    recordingId,
  }
}

async function publish(): Promise<void> {
  await using keeper = log.keeper()
  await sealAll(keeper)
  await keeper.publish({})
}

const issue = (change: Partial<IssueParts> = {}) =>
  issueCertificates({ catalog: log.catalog, keys: log.keys, logName: testLogName, ...change }, {})

const jwsOf = async (recordingId: RecordingId): Promise<string> =>
  (await log.catalog.findCertificate(tenant.tenantId, recordingId))?.issued?.jws ?? ''

const countOf = async (tenantId: TenantId, action: string): Promise<number> => {
  const events = await log.catalog.listEvents(tenantId, { afterId: null, limit: 10_000 })
  return events.filter(({ leaf }) => decodeLeaf(leaf).action === action).length
}

describe('certificates', () => {
  test('wait for the log, and are then signed once', async () => {
    const { recordingId, claims } = await destroyed()
    assert.equal(await issue(), 0)
    await publish()
    const before = await countOf(tenant.tenantId, 'certificate.issued')
    const counts = await Promise.all([issue(), issue()])
    assert.deepEqual(
      counts.toSorted((one, other) => one - other),
      [0, 1],
    )
    assert.equal(await issue(), 0)
    assert.equal(await countOf(tenant.tenantId, 'certificate.issued'), before + 1)
    const jws = await jwsOf(recordingId)
    const { log: proof, iss, iat, ...said } = readCertificate(jws).claims
    assert.deepEqual(said, claims)
    assert.equal(iss, testLogName)
    assert.ok(iat > 0)
    const event = decodeLeaf(fromBase64(proof.leaf) ?? new Uint8Array())
    assert.equal(event.detail?.kind === 'disposal' && event.detail.claims, claimsHash(claims))
  })

  test('verify with nothing but a library for JWS and the keys, also after a rotation', async () => {
    const first = await destroyed()
    await publish()
    await issue()
    await log.keys.rotate({ purpose: 'certificates' })
    const second = await destroyed({ restorableDays: 0, backupDays: 0 })
    await publish()
    await issue()
    const keys = await certificateKeys(log.keys, {})
    assert.equal(keys.keys.length, 2)
    for (const { recordingId, claims } of [first, second]) {
      const { payload, alg, typ } = await verifyByLibrary(await jwsOf(recordingId), keys)
      assert.deepEqual([alg, typ], ['EdDSA', 'auricle-certificate+jwt'])
      assert.deepEqual(payload, readCertificate(await jwsOf(recordingId)).claims)
      assert.equal(readCertificate(await jwsOf(recordingId)).claims.jti, claims.jti)
    }
    const { kid } = readCertificate(await jwsOf(second.recordingId)).header
    assert.equal(kid, keys.keys[0]?.kid)
    await assert.rejects(verifyByLibrary(await jwsOf(second.recordingId), { keys: keys.keys.slice(1) }))
  })

  test('are signed by Cloud KMS on P-256, however long they are', async () => {
    await using google = await startKeysOnEmulator()
    const keys = google.open()
    const { recordingId } = await destroyed()
    await publish()
    assert.equal(await issue({ keys }), 1)
    const jws = await jwsOf(recordingId)
    const { alg } = await verifyByLibrary(jws, await certificateKeys(keys, {}))
    assert.equal(alg, 'ES256')
  })

  test('are not signed where they would say what the log does not', async () => {
    const change = async (path: string, value: unknown) => {
      const { recordingId, claims } = await destroyed()
      await log.database.superuserPool.query(
        'update auricle.certificate set claims = jsonb_set(claims, $2, $3) where id = $1',
        [claims.jti, [path], JSON.stringify(value)],
      )
      return recordingId
    }
    const altered = [
      await change('keptUntil', '2020-01-01T00:00:00.000Z'),
      await change('copies', []),
      await change('kind', 'recording'),
    ]
    const other = await destroyed()
    await publish()
    const refused: unknown[] = []
    const count = await issue({ onRefused: (_certificate, error) => refused.push(error) })
    assert.equal(count, 1)
    assert.equal(refused.length, altered.length)
    assert.ok((await jwsOf(other.recordingId)) !== '')
    for (const recordingId of altered) assert.equal(await jwsOf(recordingId), '')
  })

  test('name every object of a recording with many, in one signed text', async () => {
    const { claims } = await destroyed()
    const [object] = claims.objects
    assert.ok(object !== undefined)
    const objects: DisposalClaims['objects'] = Array.from({ length: 40 }, (_, index) => ({
      ...object,
      key: `intake/${tenant.tenantId}/${newIntakeId()}`,
      role: 'stray',
      generation: String(index + 1),
      fingerprint: null,
    }))
    const { recordingId } = await destroyed({ change: { objects } })
    await publish()
    assert.equal(await issue(), 2)
    assert.equal(readCertificate(await jwsOf(recordingId)).claims.objects.length, 40)
  })

  test('of a tenant wait for no other', async () => {
    const other = await createTestTenant(log.catalog)
    const { id: recordingId } = await archiveRecording(log.catalog, other)
    const parts = { pool: log.database.appPool, catalog: log.catalog }
    await destroyRows(parts, { tenantId: other.tenantId, recordingId }, { at: destroyedAt })
    await publish()
    const mine = await destroyed()
    assert.equal(await issue(), 1)
    assert.equal(await jwsOf(mine.recordingId), '')
    const found = await log.catalog.findCertificate(other.tenantId, recordingId)
    assert.equal(readCertificate(found?.issued?.jws ?? '').claims.tenant, other.tenantId)
  })
})
