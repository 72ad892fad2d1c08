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
import { newIntakeId, newRecordingId, newTokenId } from '@auricle/contract'
import { createPostgresJobs, type Jobs, migrateJobs } from '@auricle/jobs'
import { createFolderStore, type FolderStore, ObjectError } from '@auricle/objects'
import { createMetrics, type Metrics } from '@auricle/runtime'
import { receive, startBreakGlass } from '@auricle/vault'
import { agreeRule } from '../../../test/agreed-rules.ts'
import { auditEvents } from '../../../test/audit-log.ts'
import { type CapturedLog, captureLog } from '../../../test/captured-log.ts'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'
import {
  type Clinic,
  deliveryOf,
  gather,
  makeClinic,
  noticeOf,
  openTestVault,
  sample,
  shortWav,
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
  readonly metrics: Metrics
}

async function work(
  change: Partial<Pick<WorkerParts, 'audio' | 'objects' | 'recovery'>> = {},
): Promise<Worker> {
  const log = captureLog()
  const api = { host: '127.0.0.1', port: 0, publicUrl: null }
  const config = {
    worker: { concurrency: 2, disposition: 'here' as const },
    logName: 'log.clinic.example',
    witnesses: [],
    backupDays: 35,
    api,
  }
  const parts = {
    ...vault,
    keys: vault.keyService,
    recovery: null,
    reportStore: null,
    mailer: null,
    sweepTemporary: vault.objects.sweepTemporary,
    config,
    jobs,
    audio: createAudioTool(),
    logger: log.logger,
    ...change,
  }
  const { signal } = new AbortController()
  const metrics = createMetrics()
  const worker = await startWorker({ ...parts, metrics }, { signal })
  return { log, metrics, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() }
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

const newRecovery = (name: string): FolderStore => createFolderStore({ folder: join(vault.folder, name) })

async function untilReplicated(sourceId: string): Promise<void> {
  const { tenantId, recordingId } = await until(sourceId, isArchived)
  const patience = performance.now() + patienceMs
  for (;;) {
    const objects = await vault.catalog.listObjects(tenantId, recordingId)
    if (objects.length > 0 && objects.every(({ copy }) => copy !== null)) return
    assert.ok(performance.now() < patience, `${sourceId} goes on owing a copy`)
    await delay(20)
  }
}

async function assertCopied(sourceId: string, recovery: FolderStore): Promise<void> {
  const { tenantId, recordingId } = await find(sourceId)
  const objects = await vault.catalog.listObjects(tenantId, recordingId)
  for (const { objectKey } of objects) {
    const [first, second] = [await vault.objects.head(objectKey), await recovery.head(objectKey)]
    assert.deepEqual(second?.retainUntil, first?.retainUntil)
    const [bytes, copy] = [vault.objects.read(objectKey, null), recovery.read(objectKey, null)]
    assert.ok((await gather(bytes)).equals(await gather(copy)), objectKey)
  }
  const events = await auditEvents(vault, tenantId)
  const made = events.filter(({ action, object }) => {
    return action === 'recording.replicated' && object?.id === recordingId
  })
  assert.equal(made.length, 1)
}

/** As if the time before it is looked for had passed. */
const ageUnreplicated = () =>
  vault.database.superuserPool.query(
    `update auricle.recording_object
     set replication_owed_at = now() - interval '1 hour', replication_due_at = now() - interval '1 minute'
     where replicated_at is null`,
  )

test('without a recovery store nothing is marked, and one that is configured later gets it all', async () => {
  const early = await take(ogg)
  {
    await using worker = await work()
    await until(early, isArchived)
    const { tenantId, recordingId } = await find(early)
    await jobs.enqueue({ type: 'replicate', tenantId, recordingId }, { jobId: 'of-another-worker' })
    await until(await take(ogg), isArchived)
    assert.ok(!(await worker.metrics.render()).includes('unreplicated'))
    assert.doesNotMatch(worker.log.text(), /eplicat|"level":"(?:warn|error)"/)
  }
  const { objects } = await vault.catalog.replicationBacklog()
  const { rows } = await vault.database.superuserPool.query('select from auricle.recording_object')
  assert.equal(objects, rows.length)

  await ageUnreplicated()
  const recovery = newRecovery('recovery')
  await using worker = await work({ recovery })
  assert.match(await worker.metrics.render(), /^auricle_unreplicated_objects [1-9]/m)
  const late = await take(await sample('call-two-channel.wav'))
  for (const sourceId of [early, late]) {
    await untilReplicated(sourceId)
    await assertCopied(sourceId, recovery)
  }
  const patience = performance.now() + patienceMs
  while ((await vault.catalog.replicationBacklog()).objects > 0 && performance.now() < patience)
    await delay(50)
  assert.match(await worker.metrics.render(), /^auricle_unreplicated_objects 0$/m)
  assert.match(worker.log.text(), /"msg":"Enqueued recordings that owe a copy/)
  assert.match(worker.log.text(), /"msg":"Replicated"/)
  assert.doesNotMatch(worker.log.text(), /"level":"(?:warn|error)"/)
})

test('two workers and a recovery store that is down for a while: archives go on, and every copy is made', async () => {
  const recovery = newRecovery('recovery-down')
  let isDown = true
  const refuse = () => Promise.reject(new ObjectError('unavailable', 'The store cannot be reached'))
  const shaky: FolderStore = {
    ...recovery,
    head: (key, options) => (isDown ? refuse() : recovery.head(key, options)),
    put: (key, source, options) => (isDown ? refuse() : recovery.put(key, source, options)),
  }
  await using one = await work({ recovery: shaky })
  await using two = await work({ recovery: shaky })
  const taken = await Promise.all(Array.from({ length: 6 }, () => take(ogg)))
  for (const sourceId of taken) await until(sourceId, isArchived)
  const log = () => one.log.text() + two.log.text()
  const patience = performance.now() + patienceMs
  while ((log().match(/A replication failed and will be tried again/g)?.length ?? 0) < taken.length) {
    assert.ok(performance.now() < patience, 'the failures are not told')
    await delay(20)
  }
  assert.match(log(), /"code":"unavailable"/)
  isDown = false
  await ageUnreplicated()
  for (const sourceId of taken) {
    await untilReplicated(sourceId)
    await assertCopied(sourceId, recovery)
  }
  assert.doesNotMatch(log(), /"level":"error"/)
})

test('a copy that is another object is told as an error, and the object goes on owing one', async () => {
  const recovery = newRecovery('recovery-damaged')
  const other = async function* () {
    yield Buffer.from('something else')
  }
  const taken = await take(ogg)
  {
    await using _worker = await work()
    await until(taken, isArchived)
  }
  const { tenantId, recordingId } = await find(taken)
  const [object] = await vault.catalog.listObjects(tenantId, recordingId)
  await recovery.put(object?.objectKey ?? '', other(), { retainUntil: null })
  await ageUnreplicated()
  await using worker = await work({ recovery })
  const patience = performance.now() + patienceMs
  while (!worker.log.text().includes('is damaged') && performance.now() < patience) await delay(20)
  const line =
    worker.log
      .text()
      .split('\n')
      .find(text => text.includes('is damaged')) ?? ''
  assert.match(line, /"level":"error"/)
  assert.ok(line.includes(recordingId))
  assert.equal((await vault.catalog.replicationBacklog()).damaged, 3)
  assert.ok(
    (await gather(recovery.read(object?.objectKey ?? '', null))).equals(Buffer.from('something else')),
  )
  const nobody = { type: 'replicate', tenantId, recordingId: newRecordingId() } as const
  await jobs.enqueue(nobody, { jobId: 'replicate-nobody' })
  await until(await take(ogg), isArchived)
})

test('emergency access that ran out goes on record, and its late review alerts, by a worker that just started', async () => {
  const own = await makeClinic(vault)
  const { row } = own.stranger
  const startedAt = new Date(Date.now() - 4 * 24 * 60 * 60_000)
  const actor = {
    type: 'user',
    tenantId: row.tenantId,
    userId: row.id,
    tokenId: newTokenId(),
    roles: ['clinician'],
    mailboxes: [],
    breakGlass: null,
    token: { kind: 'session', scopes: null, verifiedAt: startedAt },
  } as const
  const { id } = await startBreakGlass(
    { ...vault, onAlert: () => undefined, now: () => startedAt },
    { actor, purposeOfUse: null, request: 'a-request', ip: null, userAgent: null },
    'a reason of a test',
    {},
  )
  await using worker = await work()
  const patience = performance.now() + patienceMs
  for (;;) {
    const raised = (await auditEvents(vault, row.tenantId)).filter(({ reasons }) =>
      reasons.includes('review_overdue'),
    )
    if (raised.length > 0) break
    assert.ok(performance.now() < patience, 'no alert was raised')
    await delay(20)
  }
  const events = (await auditEvents(vault, row.tenantId)).filter(({ object }) => object?.id === id)
  assert.deepEqual(
    events.map(({ action, actor: by, reasons }) => [action, by.id, reasons[0]]),
    [
      ['break_glass.started', row.id, 'clinician'],
      ['break_glass.ended', 'worker', 'ran_out'],
    ],
  )
  const metrics = await worker.metrics.render()
  assert.match(metrics, /^auricle_alerts_open\{kind="review_overdue"\} 1$/m)
  assert.match(metrics, /^auricle_alerts_open\{kind="break_glass_started"\} 1$/m)
  assert.match(metrics, /^auricle_alerts_raised_total\{kind="review_overdue"\} 1$/m)
  assert.match(worker.log.text(), /"kind":"review_overdue","alertId":"alr_\w{26}","msg":"Alert raised"/)
})

test('a rule whose time has come is applied to what is there', async () => {
  await using worker = await work()
  const { tenantId, recordingId } = await until(await take(shortWav(1)), isArchived)
  const at = new Date('2026-01-01T00:00:00Z')
  const ruleId = await agreeRule(vault.catalog, tenantId, {
    definition: { keep: { years: 10 }, dispose: 'review' },
    ...{ at, effectiveFrom: new Date(at.getTime() + 1) },
  })
  const patience = performance.now() + patienceMs
  for (;;) {
    const decision = await vault.catalog.findDecision(tenantId, recordingId)
    const isSaid = worker.log.text().includes('Decided recordings again')
    if (isSaid && decision?.governing?.ruleId === ruleId) break
    assert.ok(performance.now() < patience, 'the recording is not decided by the rule')
    await delay(100)
  }
  assert.match(worker.log.text(), /"count":1,"msg":"Versions of retention rules came into force"/)
  assert.match(await worker.metrics.render(), /auricle_retention_decisions_total\{outcome="changed"\} [1-9]/)
})
