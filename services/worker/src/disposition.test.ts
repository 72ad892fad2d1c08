// Which worker destroys: the one that does all, the one that does nothing else, and not the one that is told to leave it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { RecordingId } from '@auricle/contract'
import { createPostgresJobs, type Jobs, migrateJobs } from '@auricle/jobs'
import { createMetrics } from '@auricle/runtime'
import { decideAgain, receive } from '@auricle/vault'
import { archiveAudio } from '../../../test/archived.ts'
import { captureLog } from '../../../test/captured-log.ts'
import { readyRow } from '../../../test/disposition-fixture.ts'
import { addRule, leaveOutOfRecordSet, makeOld } from '../../../test/disposition-vault.ts'
import {
  type Clinic,
  deliveryOf,
  makeClinic,
  noticeOf,
  openTestVault,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'
import { startWorker, type WorkerParts } from './service.ts'

const patienceMs = 60_000
const before2021 = new Date('2021-01-01T00:00:00Z')

let vault: TestVault
let clinic: Clinic
let jobs: Jobs

before(async () => {
  vault = await openTestVault()
  const { owner, app } = vault.database
  await migrateJobs({ owner, appRole: app.user })
  jobs = await createPostgresJobs({ connection: app, onError: () => undefined })
  clinic = await makeClinic(vault)
  await leaveOutOfRecordSet(vault, clinic.tenant.id, clinic.mailbox.id)
})
after(async () => {
  await jobs[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

function work(disposition: WorkerParts['config']['worker']['disposition']): Promise<AsyncDisposable> {
  const parts = {
    ...{ ...vault, keys: vault.keyService, recovery: null, sweepTemporary: vault.objects.sweepTemporary },
    config: {
      ...{ worker: { concurrency: 1, disposition }, logName: 'log.clinic.example', witnesses: [] },
      ...{ backupDays: 35, api: { host: '127.0.0.1', port: 0, publicUrl: null } },
    },
    ...{
      reportStore: null,
      mailer: null,
      jobs,
      audio: null,
      logger: captureLog().logger,
      metrics: createMetrics(),
    },
  }
  return startWorker(parts, { signal: new AbortController().signal })
}

async function due(): Promise<RecordingId> {
  const id = await archiveAudio(vault, clinic, shortWav(1), { sourceId: randomUUID() }, { audio: null })
  await makeOld(vault, clinic.tenant.id, id)
  return id
}

const itemOf = async (id: RecordingId) => {
  const { rows } = await vault.database.superuserPool.query<{ reason: string | null; attempts: number }>(
    'select reason, attempts from auricle.disposition_item where recording_id = $1',
    [id],
  )
  return rows[0] ?? null
}

async function until<Value>(ask: () => Promise<Value>, is: (value: Value) => boolean): Promise<Value> {
  const patience = performance.now() + patienceMs
  for (;;) {
    const value = await ask()
    if (is(value)) return value
    assert.ok(performance.now() < patience, `it stays ${JSON.stringify(value)}`)
    await delay(20)
  }
}

test('one that is told to leave it proposes what is due, and one that does only that destroys', async () => {
  const tenantId = clinic.tenant.id
  const ruleId = await addRule(vault, tenantId)
  const [ready, found] = [await due(), await due()]
  await decideAgain(vault, tenantId, [ready, found], { onlyStale: false }, {})
  await readyRow(vault.database.appPool, { tenantId, recordingId: ready }, before2021, { ruleId })
  {
    await using _ = await work('apart')
    await until(
      () => itemOf(found),
      item => item !== null,
    )
    assert.deepEqual(await itemOf(ready), { reason: null, attempts: 0 })
  }
  const sourceId = randomUUID()
  await receive(vault, clinic.connector, deliveryOf(shortWav(1), noticeOf(sourceId)), { request: 'r' })
  {
    await using _ = await work('only')
    // The store keeps what was stored a moment ago, whatever the rules say: that it was asked shows who asks.
    const tried = await until(
      () => itemOf(ready),
      item => item?.attempts === 1,
    )
    assert.equal(tried?.reason, 'store_retained')
    const key = clinic.connector.sourceKey(sourceId)
    const intake = await vault.catalog.findIntakeBySource(tenantId, clinic.connectorRow.id, key)
    assert.equal(intake?.state, 'received')
  }
})
