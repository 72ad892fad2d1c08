// The worker at work: what was received is archived, what fails is tried again or put aside, what was forgotten is found.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createAudioTool } from '@auricle/audio'
import type { IntakeRow } from '@auricle/catalog'
import { newIntakeId } from '@auricle/contract'
import { createPostgresJobs, type Jobs, migrateJobs } from '@auricle/jobs'
import { createMetrics } from '@auricle/runtime'
import { receive } from '@auricle/vault'
import { auditEvents } from '../../../test/audit-log.ts'
import { type CapturedLog, captureLog } from '../../../test/captured-log.ts'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import {
  type Clinic,
  deliveryOf,
  makeClinic,
  noticeOf,
  openTestVault,
  sample,
  type TestVault,
} from '../../../test/vault.ts'
import { startWorker, type WorkerParts } from './service.ts'

const patienceMs = 60_000

let vault: TestVault
let clinic: Clinic
let jobs: Jobs
let place: CommandFolder
let ogg: Buffer

before(async () => {
  vault = await openTestVault()
  const { owner, app } = vault.database
  await migrateJobs({ owner, appRole: app.user })
  jobs = await createPostgresJobs({ connection: app, onError: () => undefined })
  clinic = await makeClinic(vault, {
    allowedHosts: [{ origin: 'http://127.0.0.1:1', privateCidr: '127.0.0.0/8' }],
  })
  place = await openCommandFolder()
  ogg = await sample('voicemail.ogg')
})
after(async () => {
  await place[Symbol.asyncDispose]()
  await jobs[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

interface Worker extends AsyncDisposable {
  readonly log: CapturedLog
}

async function work(change: Partial<Pick<WorkerParts, 'audio' | 'objects'>> = {}): Promise<Worker> {
  const log = captureLog()
  const config = { worker: { concurrency: 2 } }
  const parts = { ...vault, config, jobs, audio: createAudioTool(), logger: log.logger, ...change }
  const { signal } = new AbortController()
  const worker = await startWorker({ ...parts, metrics: createMetrics() }, { signal })
  return { log, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() }
}

const find = async (sourceId: string, of = clinic): Promise<IntakeRow> => {
  const { connector, connectorRow } = of
  const key = connector.sourceKey(sourceId)
  const intake = await vault.catalog.findIntakeBySource(connectorRow.tenantId, connectorRow.id, key)
  assert.ok(intake !== null)
  return intake
}

async function until(sourceId: string, is: (intake: IntakeRow) => boolean, of = clinic): Promise<IntakeRow> {
  const patience = performance.now() + patienceMs
  for (;;) {
    const intake = await find(sourceId, of)
    if (is(intake)) return intake
    assert.ok(performance.now() < patience, `${sourceId} stays ${intake.state}, ${intake.lastErrorCode}`)
    await delay(20)
  }
}

const isArchived = ({ state }: IntakeRow) => state === 'archived'

async function take(audio: Uint8Array, sourceId = randomUUID()): Promise<string> {
  await receive(vault, clinic.connector, deliveryOf(audio, noticeOf(sourceId)), { request: 'a-test' })
  return sourceId
}

async function show(sourceId: string) {
  const { recordingId, tenantId } = await find(sourceId)
  const { columns } = await vault.secrets.get(tenantId)
  const recording = await vault.catalog.findRecording(tenantId, recordingId, columns)
  const objects = await vault.catalog.listObjects(tenantId, recordingId)
  return { recording, roles: objects.map(({ role }) => role).sort() }
}

test('what was received is archived, with nobody asking for it', async () => {
  const names = ['voicemail.ogg', 'voicemail-short.wav', 'call-two-channel.wav']
  const first = await take(await sample('voicemail.mp3'))
  await using worker = await work()
  const others = await Promise.all(names.map(async name => take(await sample(name))))
  for (const sourceId of [first, ...others]) {
    const intake = await until(sourceId, isArchived)
    const { recording, roles } = await show(sourceId)
    assert.equal(recording?.audioState, 'ready')
    assert.deepEqual(roles, ['original', 'peaks', 'playback'])
    for (let tries = 0; (await vault.objects.head(intake.objectKey ?? '')) !== null; tries++) {
      assert.ok(tries < 100, 'the intake object stays although its recording is archived')
      await delay(20)
    }
  }
  assert.deepEqual((await vault.database.superuserPool.query('select 1 from auricle.outbox')).rowCount, 0)
  assert.doesNotMatch(worker.log.text(), /"level":"(?:warn|error)"/)
  assert.equal(worker.log.text().match(/"msg":"Archived"/g)?.length, 4)
})

test('without ffmpeg recordings are kept and played as they were delivered', async () => {
  const sourceId = await take(ogg)
  await using _worker = await work({ audio: null })
  await until(sourceId, isArchived)
  const { recording, roles } = await show(sourceId)
  assert.equal(recording?.audioState, 'original-only')
  assert.deepEqual(roles, ['original'])
})

function remoteDelivery(audioUrl: string) {
  const notice = noticeOf(randomUUID(), { audioUrl, contentType: 'audio/ogg' })
  return { type: 'remote', notice } as const
}

test('what fails is tried again, put in quarantine in the end, and brought back by the operator', async () => {
  // A port that nobody listens on until the PBX is back.
  const pbx = createServer((_request, response) => response.setHeader('Content-Type', 'audio/ogg').end(ogg))
  pbx.listen(0, '127.0.0.1')
  await once(pbx, 'listening')
  const { port } = pbx.address() as AddressInfo
  pbx.close()
  await once(pbx, 'close')
  const origin = `http://127.0.0.1:${port}`
  const remote = await makeClinic(vault, { allowedHosts: [{ origin, privateCidr: '127.0.0.0/8' }] })
  const delivery = remoteDelivery(`${origin}/1.ogg`)
  const { sourceId } = delivery.notice
  await receive(vault, remote.connector, delivery, { request: 'a-test' })

  await using worker = await work()
  const retried = await until(sourceId, ({ attempts }) => attempts === 1, remote)
  assert.deepEqual([retried.state, retried.lastErrorCode], ['received', 'fetch_failed'])
  assert.ok(retried.nextAttemptAt > new Date())

  const almost = 'update auricle.intake set attempts = 11, next_attempt_at = now() where id = $1'
  await vault.database.superuserPool.query(almost, [retried.id])
  await jobs.enqueue(
    { type: 'archive', tenantId: remote.tenant.id, intakeId: retried.id },
    { jobId: `again-${retried.id}` },
  )
  const quarantined = await until(sourceId, ({ state }) => state === 'quarantined', remote)
  const events = await auditEvents(vault, remote.tenant.id)
  const event = events.find(({ action }) => action === 'recording.quarantined')
  assert.deepEqual([event?.outcome, event?.reasons], ['failed', ['fetch_failed']])
  assert.match(worker.log.text(), /"level":"error".*"msg":"An intake is in quarantine"/)
  assert.doesNotMatch(worker.log.text(), /1\.ogg/)

  const { host, database, user, password, port: databasePort } = vault.database.app
  const part = encodeURIComponent
  const env = {
    DATABASE_URL: `postgres://${part(user)}:${part(password)}@localhost:${databasePort}/${part(database)}?host=${part(host)}`,
    AURICLE_OBJECTS: join(vault.folder, 'objects'),
    AURICLE_KEYS: join(vault.folder, 'keyring.json'),
  }
  const tenant = ['--tenant', remote.tenant.slug]
  const list = await place.run(['intake', 'list', ...tenant], { env })
  assert.equal(list.code, 0, list.stderr)
  assert.match(list.stdout.toString(), new RegExp(`^${quarantined.id} +20.* - +12 +fetch_failed$`, 'm'))

  const back = createServer((_request, response) => response.setHeader('Content-Type', 'audio/ogg').end(ogg))
  back.listen(port, '127.0.0.1')
  await once(back, 'listening')
  const retry = await place.run(['intake', 'retry', quarantined.id, ...tenant], { env })
  assert.deepEqual([retry.code, retry.stderr], [0, ''])
  assert.equal(retry.stdout.toString(), `${quarantined.id} will be tried again\n`)
  await until(sourceId, isArchived, remote)
  back.close()
})

test('what may never be fetched is put in quarantine at once', async () => {
  const delivery = remoteDelivery('http://169.254.169.254/latest/meta-data')
  const { sourceId } = delivery.notice
  await receive(vault, clinic.connector, delivery, { request: 'a-test' })
  await using _worker = await work()
  const { lastErrorCode } = await until(sourceId, ({ state }) => state === 'quarantined')
  assert.equal(lastErrorCode, 'fetch_refused')
})

test('an intake that every queue forgot is found and archived', async () => {
  const sourceId = await take(ogg)
  const { superuserPool } = vault.database
  await superuserPool.query('delete from auricle.outbox')
  await superuserPool.query(
    `update auricle.intake set next_attempt_at = now() - interval '1 hour', touched_at = now() - interval '1 hour'
     where state = 'received'`,
  )
  await using _worker = await work()
  await until(sourceId, isArchived)
})

test('a job for an intake that is not there harms nobody', async () => {
  await using worker = await work()
  const { id: tenantId } = clinic.tenant
  await jobs.enqueue({ type: 'archive', tenantId, intakeId: newIntakeId() }, { jobId: 'gone' })
  await until(await take(ogg), isArchived)
  assert.doesNotMatch(worker.log.text(), /"level":"error"/)
})

test('objects of deliveries that never committed are swept once they are old, and no others', async () => {
  const { tenant } = clinic
  // As old as the orphan, and claimed by its row.
  const waiting = await take(ogg)
  const orphan = `intake/${tenant.id}/${newIntakeId()}`
  const young = `intake/${tenant.id}/${newIntakeId()}`
  const sealed = async function* () {
    yield Buffer.from('a sealed object, as far as the sweep knows')
  }
  for (const key of [orphan, young]) await vault.objects.put(key, sealed(), { retainUntil: null })
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60_000)
  const objects: TestVault['objects'] = {
    ...vault.objects,
    async *list(prefix, options) {
      for await (const facts of vault.objects.list(prefix, options)) {
        yield facts.key === young ? facts : { ...facts, createdAt: twoDaysAgo }
      }
    },
  }
  await using worker = await work({ objects })
  const patience = performance.now() + patienceMs
  while (!worker.log.text().includes('Swept intake objects') && performance.now() < patience) await delay(20)
  assert.equal(await vault.objects.head(orphan), null)
  assert.notEqual(await vault.objects.head(young), null)
  await until(waiting, isArchived)
})
