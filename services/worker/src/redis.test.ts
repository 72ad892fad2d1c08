// A queue on Redis that loses everything, again and again: each intake is archived all the same, and once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createRedisJobs, type Jobs } from '@auricle/jobs'
import { createMetrics } from '@auricle/runtime'
import { receive, relayOutbox, requeueStalled } from '@auricle/vault'
import { auditEvents } from '../../../test/audit-log.ts'
import { captureLog } from '../../../test/captured-log.ts'
import { type OwnRedis, startRedis } from '../../../test/redis.ts'
import {
  type Clinic,
  deliveryOf,
  makeClinic,
  noticeOf,
  openTestVault,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { startWorker } from './service.ts'

const intakes = 16
const graceMs = 60_000
const patienceMs = 60_000

let vault: TestVault
let clinic: Clinic
let redis: OwnRedis
let jobs: Jobs

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  redis = await startRedis()
  jobs = await createRedisJobs({ connection: redis.settings, onError: () => undefined })
})
after(async () => {
  await jobs[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

const countWaiting = async () => (await vault.catalog.listIntakes(clinic.tenant.id, 'received', 1000)).length

/** As the sweep of an hour later would find it. */
async function sweepLater(): Promise<number> {
  const now = () => new Date(Date.now() + 60 * graceMs)
  // Refused while Redis is away; the next sweep finds the same rows.
  return requeueStalled({ catalog: vault.catalog, jobs, now }, graceMs, {}).catch(() => 0)
}

test('a queue that is flushed and killed while intakes wait and run', async () => {
  const audio = await sample('voicemail-short.wav')
  const sources = Array.from({ length: intakes }, (_, index) => `flushed-${index}`)
  for (const source of sources) {
    await receive(vault, clinic.connector, deliveryOf(audio, noticeOf(source)), { request: 'a-test' })
  }
  assert.equal(await relayOutbox({ catalog: vault.catalog, jobs }, {}), intakes)
  assert.equal((await jobs.counts()).waiting, intakes)
  const client = redis.client()
  await client.flushall()
  assert.equal((await jobs.counts()).waiting, 0)

  const log = captureLog()
  const api = { host: '127.0.0.1', port: 0, publicUrl: null }
  const config = {
    worker: { concurrency: 2, disposition: 'here' as const },
    logName: 'log.clinic.example',
    witnesses: [],
    backupDays: 35,
    api,
  }
  const { sweepTemporary } = vault.objects
  const keys = vault.keyService
  const parts = {
    ...vault,
    keys,
    config,
    jobs,
    audio: null,
    recovery: null,
    reportStore: null,
    mailer: null,
    sweepTemporary,
    logger: log.logger,
  }
  const { signal } = new AbortController()
  await using _worker = await startWorker({ ...parts, metrics: createMetrics() }, { signal })
  const patience = performance.now() + patienceMs
  for (let round = 0; (await countWaiting()) > 0; round++) {
    await sweepLater()
    await delay(20)
    if (round < 10) await client.flushall()
    if (round === 5) {
      await redis.kill()
      await redis.restart()
    }
    assert.ok(performance.now() < patience, `${await countWaiting()} intakes were not brought back`)
  }

  const recordings = new Set<string>()
  for (const source of sources) {
    const { tenantId, id } = clinic.connectorRow
    const key = clinic.connector.sourceKey(source)
    const intake = await vault.catalog.findIntakeBySource(tenantId, id, key)
    assert.equal(intake?.state, 'archived')
    recordings.add(intake?.recordingId ?? '')
  }
  assert.equal(recordings.size, intakes)
  const archived = (await auditEvents(vault, clinic.tenant.id)).filter(
    ({ action }) => action === 'recording.archived',
  )
  assert.equal(archived.length, intakes)
  assert.equal(new Set(archived.map(({ object }) => object?.id)).size, intakes)
})
