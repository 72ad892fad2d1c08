import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createPostgresJobs, type Jobs, migrateJobs } from '@auricle/jobs'
import {
  type Clinic,
  deliveryOf,
  makeClinic,
  noticeOf,
  openTestVault,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { receive } from './receive.ts'
import { relayOutbox, requeueStalled } from './sweep.ts'

const graceMs = 60_000

let vault: TestVault
let clinic: Clinic
let jobs: Jobs

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  const { owner, app } = vault.database
  await migrateJobs({ owner, appRole: app.user })
  jobs = await createPostgresJobs({ connection: app, onError: error => assert.fail(String(error)) })
})
after(async () => {
  await jobs[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

test('an intake that waits for hours behind others keeps one job', async () => {
  const audio = await sample('voicemail-short.wav')
  await receive(vault, clinic.connector, deliveryOf(audio, noticeOf('waits')), { request: 'r' })
  const parts = { catalog: vault.catalog, jobs }
  assert.equal(await relayOutbox(parts, {}), 1)
  for (let hour = 1; hour <= 3; hour++) {
    const now = () => new Date(Date.now() + hour * 60 * graceMs)
    assert.equal(await requeueStalled({ ...parts, now }, graceMs, {}), 1)
  }
  assert.equal((await jobs.counts()).waiting, 1)
})

test('an intake whose job ended without success is enqueued again', async () => {
  const failed = Promise.withResolvers<void>()
  {
    await using _workers = await jobs.startWorkers({
      concurrency: 1,
      handler: () => Promise.reject(new Error('the process died here')),
      onFailure: () => failed.resolve(),
    })
    await failed.promise
  }
  assert.equal((await jobs.counts()).waiting, 0)
  const now = () => new Date(Date.now() + 60 * graceMs)
  assert.equal(await requeueStalled({ catalog: vault.catalog, jobs, now }, graceMs, {}), 1)
  assert.equal((await jobs.counts()).waiting, 1)
})
