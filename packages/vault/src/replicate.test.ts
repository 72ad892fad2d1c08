// Every archived object gets one copy, sealed as it is and kept as long, whatever is killed, down, double or damaged.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createAudioTool, probeAudioTool } from '@auricle/audio'
import { createCatalog } from '@auricle/catalog'
import { newHoldId, newRecordingId, type RecordingId, type TenantId } from '@auricle/contract'
import { createPostgresJobs, migrateJobs } from '@auricle/jobs'
import { createFolderStore, type FolderStore, ObjectError } from '@auricle/objects'
import fc from 'fast-check'
import { auditEvents } from '../../../test/audit-log.ts'
import { aStamper } from '../../../test/event-writer.ts'
import {
  type Clinic,
  deliveryOf,
  gather,
  makeClinic,
  noticeOf,
  openTestVault,
  shortWav,
  type TestVault,
} from '../../../test/vault.ts'
import { archive } from './archive.ts'
import { receive } from './receive.ts'
import { replicate } from './replicate.ts'
import { attemptReplication, failReplication } from './replicate-attempt.ts'
import { requeueUnreplicated } from './sweep.ts'
import { verifyCopies } from './verify-copies.ts'

const prefixBytes = 2048
const trailerBytes = 72

let vault: TestVault
let clinic: Clinic
let parts: Parameters<typeof attemptReplication>[0]
let recovery: FolderStore

before(async () => {
  assert.ok(await probeAudioTool(), 'these tests need ffmpeg')
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  recovery = createFolderStore({ folder: join(vault.folder, 'recovery') })
  parts = { catalog: vault.catalog, objects: vault.objects, recovery }
})
after(() => vault[Symbol.asyncDispose]())

interface Archived {
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
}

let deliveries = 0

async function archived(
  seconds: number,
  { rendered = false, of = clinic }: { readonly rendered?: boolean; readonly of?: Clinic } = {},
): Promise<Archived> {
  const { tenant, connector, connectorRow } = of
  const sourceId = `delivery-${++deliveries}`
  await receive(vault, connector, deliveryOf(shortWav(seconds), noticeOf(sourceId)), { request: 'r' })
  const key = connector.sourceKey(sourceId)
  const intake = await vault.catalog.findIntakeBySource(tenant.id, connectorRow.id, key)
  assert.ok(intake)
  const fetchAudio = () => Promise.reject(new Error('nothing is to be fetched here'))
  const archiveParts = { ...vault, audio: rendered ? createAudioTool() : null, fetchAudio }
  await archive(archiveParts, tenant.id, intake.id, {})
  return { tenantId: tenant.id, recordingId: intake.recordingId }
}

const attempt = ({ tenantId, recordingId }: Archived, change: Partial<typeof parts> = {}) =>
  attemptReplication({ ...parts, ...change }, tenantId, recordingId, {})

const objectsOf = ({ tenantId, recordingId }: Archived) => vault.catalog.listObjects(tenantId, recordingId)

async function original(of: Archived) {
  return (await objectsOf(of)).find(({ role }) => role === 'original') ?? assert.fail()
}

async function replications({ tenantId, recordingId }: Archived) {
  const events = await auditEvents(vault, tenantId)
  return events.filter(({ action, object }) => {
    return action === 'recording.replicated' && object?.id === recordingId
  })
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** One copy of each object, the same bytes under the same key, kept as long; one event; nothing else of it anywhere. */
async function assertReplicated(of: Archived, count: number): Promise<void> {
  const objects = await objectsOf(of)
  assert.equal(objects.length, count)
  for (const { objectKey, copy } of objects) {
    const [primary, second] = [await vault.objects.head(objectKey), await recovery.head(objectKey)]
    assert.ok(primary !== null && second !== null && copy !== null)
    assert.equal(copy.generation, second.generation)
    assert.deepEqual(second.retainUntil, primary.retainUntil)
    await assert.rejects(recovery.delete(objectKey), { code: 'retained' })
    const bytes = await gather(recovery.read(objectKey, null))
    assert.equal(sha256(bytes), sha256(await gather(vault.objects.read(objectKey, null))))
  }
  const [event, ...more] = await replications(of)
  assert.deepEqual(more, [])
  assert.equal(event?.outcome, 'allowed')
  assert.equal(event?.object?.version, Buffer.from((await original(of)).fingerprint).toString('hex'))
  const { tenantId, recordingId } = of
  const facts = await vault.catalog.findReplication(tenantId, recordingId)
  assert.ok(facts?.objects.every(({ copy }) => copy !== null))
}

async function assertUnmarked(of: Archived): Promise<void> {
  assert.ok((await objectsOf(of)).every(({ copy }) => copy === null))
  assert.deepEqual(await replications(of), [])
}

async function* once(bytes: Uint8Array) {
  yield bytes
}

test('every object of a recording is copied as it is, and kept as long', async () => {
  const recording = await archived(12, { rendered: true })
  const objects = await objectsOf(recording)
  const bytes = objects.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0)
  assert.deepEqual(await attempt(recording), { status: 'replicated', objects: 3, bytes })
  await assertReplicated(recording, 3)
  assert.deepEqual(await attempt(recording), { status: 'gone' })
  await assertReplicated(recording, 3)
  const nobody = { ...recording, recordingId: newRecordingId() }
  assert.deepEqual(await attempt(nobody), { status: 'gone' })
})

/** Fails before or after the call that the countdown ends at, as if the process had died there. */
function dying<Adapter extends object>(
  adapter: Adapter,
  names: readonly (keyof Adapter)[],
  step: { left: number },
) {
  const strike = () => {
    if (step.left-- === 0) throw new Error('the process died here')
  }
  return new Proxy(adapter, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function' || !(names as readonly PropertyKey[]).includes(name)) return value
      if (name === 'read') {
        return async function* (...parameters: unknown[]) {
          strike()
          for await (const piece of Reflect.apply(value, target, parameters)) {
            yield piece
            strike()
          }
        }
      }
      return async (...parameters: unknown[]) => {
        strike()
        const result: unknown = await Reflect.apply(value, target, parameters)
        strike()
        return result
      }
    },
  })
}

test('killed before, in or after any step and run again, it ends in the same state', async () => {
  let steps = 0
  for (let step = 0; ; step++) {
    // Small enough to be compared whole, and too large for that.
    const recording = await archived(step % 2 === 0 ? 1 : 9, { rendered: step % 4 === 1 })
    const left = { left: step }
    const died = await replicate(
      {
        objects: dying(vault.objects, ['head', 'read'], left),
        recovery: dying<FolderStore>(recovery, ['head', 'read', 'put'], left),
        catalog: dying(vault.catalog, ['findReplication', 'commitReplication'], left),
      },
      recording.tenantId,
      recording.recordingId,
      {},
    ).then(
      () => false,
      () => true,
    )
    await attempt(recording)
    await assertReplicated(recording, step % 4 === 1 ? 3 : 1)
    if (!died && step % 4 === 1) break
    if (died) steps = step + 1
  }
  assert.ok(steps >= 40, `only ${steps} steps were tried`)
})

test('several at once make one copy and one event', async () => {
  const recording = await archived(9, { rendered: true })
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => attempt(recording)))
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['gone', 'gone', 'gone', 'replicated'])
  await assertReplicated(recording, 3)
})

const unavailable = () => new ObjectError('unavailable', 'The bucket cannot be reached')

test('the copy of what is held is held from the start', async () => {
  const recording = await archived(1)
  const { tenantId, recordingId } = recording
  const values = [tenantId, newHoldId(), new Date(), recordingId]
  await vault.database.superuserPool.query(
    `with placed as (
       insert into auricle.legal_hold (tenant_id, id, matter, placed_at) values ($1, $2, 'sealed', $3) returning 1
     )
     insert into auricle.hold_cover (tenant_id, hold_id, recording_id, covered_at) select $1, $2, $4, $3 from placed`,
    values,
  )
  assert.equal((await attempt(recording)).status, 'replicated')
  assert.equal((await recovery.head((await original(recording)).objectKey))?.held, true)
  // The first one is still to follow; the copy was found as it is to be, so nobody asked for it.
  const { rows } = await vault.database.superuserPool.query(
    `select o.recovery_held, (select count(*)::int from auricle.store_work w where w.recording_id = $1) as asked
     from auricle.recording_object o where o.recording_id = $1`,
    [recordingId],
  )
  assert.deepEqual(rows, [{ recovery_held: true, asked: 0 }])
})

test('while the recovery store is down it waits longer each time, and nothing is lost or given up', async () => {
  const recording = await archived(1)
  const down = {
    put: () => Promise.reject(unavailable()),
    head: () => Promise.reject(unavailable()),
    retain: () => Promise.reject(unavailable()),
    setHold: () => Promise.reject(unavailable()),
    // biome-ignore lint/correctness/useYield: it breaks before its first byte
    async *read(): AsyncGenerator<Uint8Array> {
      throw unavailable()
    },
  }
  let waitMs = 0
  for (let round = 1; round <= 40; round++) {
    const outcome = await attempt(recording, { recovery: down, random: () => 0 })
    assert.ok(outcome.status === 'retry' && outcome.errorCode === 'unavailable')
    const { rows } = await vault.database.superuserPool.query(
      `select replication_attempts as attempts, replication_error as error, replication_due_at as due
       from auricle.recording_object where recording_id = $1`,
      [recording.recordingId],
    )
    assert.deepEqual([rows[0].attempts, rows[0].error], [round, 'unavailable'])
    const nextMs = rows[0].due.getTime() - Date.now()
    assert.ok(nextMs > waitMs * 0.9, 'it waits longer each time')
    waitMs = Math.min(nextMs, 3_600_000)
  }
  await assertUnmarked(recording)
  assert.equal((await attempt(recording)).status, 'replicated')
  await assertReplicated(recording, 1)
})

test('an abort is no failure: nothing is counted, and the next run does it', async () => {
  const recording = await archived(9)
  const stop = new AbortController()
  const stopping: typeof parts.objects = {
    ...vault.objects,
    async *read(...parameters) {
      for await (const piece of vault.objects.read(...parameters)) {
        stop.abort(new Error('stopping'))
        yield piece
      }
    },
  }
  const { tenantId, recordingId } = recording
  const run = attemptReplication({ ...parts, objects: stopping }, tenantId, recordingId, {
    signal: stop.signal,
  })
  await assert.rejects(run, { message: 'stopping' })
  assert.equal((await vault.catalog.findReplication(tenantId, recordingId))?.attempts, 0)
  assert.equal(await recovery.head((await original(recording)).objectKey), null)
  await attempt(recording)
  await assertReplicated(recording, 1)
})

test('a copy that is there already is taken up without being sent again', async () => {
  const recording = await archived(9)
  const { objectKey } = await original(recording)
  const { retainUntil } = (await vault.objects.head(objectKey)) ?? assert.fail()
  await recovery.put(objectKey, vault.objects.read(objectKey, null), { retainUntil })
  const put = () => assert.fail('nothing was to be sent')
  assert.equal((await attempt(recording, { recovery: { ...recovery, put } })).status, 'replicated')
  await assertReplicated(recording, 1)
})

test('what stands there and is another object is reported and never touched', async () => {
  const [recording, sibling] = [await archived(9), await archived(9)]
  const object = await original(recording)
  const { objectKey, sealedBytes } = object
  const right = await gather(vault.objects.read(objectKey, null))
  const foreign = await gather(vault.objects.read((await original(sibling)).objectKey, null))
  assert.equal(foreign.length, sealedBytes)
  const wrong = {
    'of another recording': foreign,
    'cut short': right.subarray(0, sealedBytes - 1),
    'longer by a byte': Buffer.concat([right, Buffer.of(0)]),
    empty: Buffer.alloc(0),
    'no sealed object': Buffer.alloc(sealedBytes, 'x'),
  }
  for (const [name, bytes] of Object.entries(wrong)) {
    const { facts } = await recovery.put(objectKey, once(bytes), { retainUntil: null })
    const outcome = await attempt(recording)
    assert.ok(outcome.status === 'damaged' && outcome.errorCode === 'damaged', name)
    assert.match(String(outcome.cause), /The copy in the recovery store/)
    assert.deepEqual(await recovery.head(objectKey), facts, name)
    assert.equal(sha256(await gather(recovery.read(objectKey, null))), sha256(bytes), name)
    await assertUnmarked(recording)
    assert.ok((await vault.catalog.replicationBacklog()).damaged > 0)
    await recovery.delete(objectKey)
  }
  await attempt(recording)
  await assertReplicated(recording, 1)
})

test('one altered byte in either end of a copy is found, wherever it is', async () => {
  const recording = await archived(9)
  const { objectKey, sealedBytes } = await original(recording)
  await attempt(recording)
  const at = fc.oneof(
    fc.integer({ min: 0, max: prefixBytes - 1 }),
    fc.integer({ min: sealedBytes - trailerBytes, max: sealedBytes - 1 }),
  )
  await fc.assert(
    fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (position, change) => {
      const altered: typeof recovery = {
        ...recovery,
        async *read(key, range, options) {
          const bytes = await gather(recovery.read(key, range, options))
          const place = position - (range?.start ?? 0)
          if (key === objectKey && 0 <= place && place < bytes.length) {
            bytes[place] = (bytes[place] ?? 0) ^ change
          }
          yield bytes
        },
      }
      const found = []
      for await (const finding of verifyCopies(
        { catalog: vault.catalog, recovery: altered },
        recording.tenantId,
        {},
      )) {
        if (finding.type === 'bad') found.push(`${finding.recording} ${finding.reason}`)
      }
      assert.deepEqual(found, [`${recording.recordingId} other_object`])
    }),
    { numRuns: 60 },
  )
})

test('an object that is gone, cut short or another one is not copied', async () => {
  const [recording, sibling] = [await archived(9), await archived(9)]
  const { objectKey, sealedBytes } = await original(recording)
  const siblingKey = (await original(sibling)).objectKey
  const head = async () => {
    const facts = (await vault.objects.head(objectKey)) ?? assert.fail()
    return { ...facts, sizeBytes: sealedBytes - 1 }
  }
  const read: typeof vault.objects.read = (_key, range, options) =>
    vault.objects.read(siblingKey, range, options)
  for (const [objects, message] of [
    [{ ...vault.objects, head: async () => null }, /The stored object is missing/],
    [{ ...vault.objects, head }, /The stored object has another size/],
    [{ ...vault.objects, read }, /The stored object is not the object/],
  ] as const) {
    const outcome = await attempt(recording, { objects })
    assert.equal(outcome.status, 'damaged')
    assert.match(outcome.status === 'damaged' ? String(outcome.cause) : '', message)
    assert.equal(await recovery.head(objectKey), null)
    await assertUnmarked(recording)
  }
  await attempt(recording)
  await assertReplicated(recording, 1)
})

test('a copy whose bytes were exchanged on the way is not taken for one', async () => {
  const [recording, sibling] = [await archived(9), await archived(9)]
  const { objectKey } = await original(recording)
  const siblingKey = (await original(sibling)).objectKey
  let reads = 0
  // The ends are read right, and then another object is sent.
  const objects: typeof parts.objects = {
    ...vault.objects,
    read: (key, range, options) => vault.objects.read(++reads <= 2 ? key : siblingKey, range, options),
  }
  const outcome = await attempt(recording, { objects })
  assert.equal(outcome.status, 'damaged')
  await assertUnmarked(recording)
  assert.ok(await recovery.head(objectKey), 'it is left for a person to look at')
})

test('an object that turns out longer or shorter while it is copied leaves no copy', async () => {
  const recording = await archived(9)
  const { objectKey } = await original(recording)
  for (const change of [
    (bytes: Buffer) => bytes.subarray(0, -1),
    (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)]),
    () => Buffer.alloc(0),
  ]) {
    const objects: typeof parts.objects = {
      ...vault.objects,
      async *read(key, range, options) {
        const bytes = await gather(vault.objects.read(key, range, options))
        yield range === null ? change(bytes) : bytes
      },
    }
    assert.equal((await attempt(recording, { objects })).status, 'damaged')
    assert.equal(await recovery.head(objectKey), null)
    await assertUnmarked(recording)
  }
  await attempt(recording)
  await assertReplicated(recording, 1)
})

test('what is kept longer than its row says is kept as long in the recovery store', async () => {
  const recording = await archived(1)
  const { objectKey } = await original(recording)
  const much = new Date(Date.now() + 10 * 365 * 86_400_000)
  const head: typeof vault.objects.head = async (key, options) => {
    const facts = await vault.objects.head(key, options)
    return facts === null ? null : { ...facts, retainUntil: much }
  }
  await attempt(recording, { objects: { ...vault.objects, head } })
  assert.deepEqual((await recovery.head(objectKey))?.retainUntil, much)
})

test('a copy that is kept shorter than the object is kept longer before it is marked', async () => {
  const recording = await archived(1)
  const { objectKey } = await original(recording)
  const { retainUntil } = (await vault.objects.head(objectKey)) ?? assert.fail()
  const copy = await recovery.put(objectKey, vault.objects.read(objectKey, null), { retainUntil: new Date() })
  const asked: unknown[] = []
  const retain: typeof recovery.retain = async (key, until, options) => {
    asked.push(key, until, options?.generation)
    await assertUnmarked(recording)
    if (asked.length === 3) throw unavailable()
    return { ...copy.facts, retainUntil: until }
  }
  const keeping = { ...recovery, retain }
  assert.equal((await attempt(recording, { recovery: keeping })).status, 'retry')
  assert.equal((await attempt(recording, { recovery: keeping })).status, 'replicated')
  const each = [objectKey, retainUntil, copy.facts.generation]
  assert.deepEqual(asked, [...each, ...each])
})

test('a run whose process died counts as an attempt, unless it had come to its end', async () => {
  const recording = await archived(1)
  const died = { ...recording, errorCode: 'abandoned', cause: new Error('it died') }
  assert.equal((await failReplication(parts, died, {})).status, 'retry')
  const { tenantId, recordingId } = recording
  assert.equal((await vault.catalog.findReplication(tenantId, recordingId))?.attempts, 1)
  await attempt(recording)
  assert.deepEqual(await failReplication(parts, died, {}), { status: 'gone' })
  assert.equal((await vault.catalog.findReplication(tenantId, recordingId))?.attempts, 1)
})

test('another tenant replicates nothing of it', async () => {
  const recording = await archived(1)
  const other = await makeClinic(vault)
  assert.deepEqual(await attempt({ ...recording, tenantId: other.tenant.id }), { status: 'gone' })
  assert.equal(await recovery.head((await original(recording)).objectKey), null)
  await assertUnmarked(recording)
  await attempt(recording)
})

test('a flood of recordings without copies goes through the queue in batches, until none is left', async () => {
  const flood = await makeClinic(vault)
  const made: Archived[] = []
  const makers = Array.from({ length: 4 }, async () => {
    while (made.length < 500) made.push(await archived(1, { of: flood }))
  })
  await Promise.all(makers)
  const { owner, app } = vault.database
  await migrateJobs({ owner, appRole: app.user })
  const failures: unknown[] = []
  await using jobs = await createPostgresJobs({ connection: app, onError: error => failures.push(error) })
  const later = () => new Date(Date.now() + 10 * 86_400_000)
  const catalog = createCatalog({ pool: vault.database.appPool, stamper: aStamper(), now: later })

  // Nobody works yet: however often it is looked for, the queue holds one batch.
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await requeueUnreplicated({ catalog, jobs, now: later }, 0, {}), {
      count: 200,
      more: true,
    })
    assert.equal((await jobs.counts()).waiting, 200)
  }
  await using _workers = await jobs.startWorkers({
    concurrency: 4,
    onFailure: ({ error }) => {
      failures.push(error)
    },
    handler: async (job, { signal }) => {
      assert.ok(job.type === 'replicate')
      // Those that other tests left damaged fail again here, and are put off.
      await attemptReplication(parts, job.tenantId, job.recordingId, { signal })
    },
  })
  for (let rounds = 0; ; rounds++) {
    assert.ok(rounds < 1000, 'it does not end')
    const { waiting, active } = await jobs.counts()
    assert.ok(waiting <= 200)
    if (waiting + active > 0) {
      await delay(20)
      continue
    }
    const { count } = await requeueUnreplicated({ catalog, jobs, now: later }, 0, {})
    const owed = await owedOf(flood.tenant.id)
    if (owed === 0 || count === 0) break
  }
  assert.deepEqual(failures, [])
  assert.equal(await owedOf(flood.tenant.id), 0)
  const found = { good: 0, owed: 0, bad: 0 }
  for await (const { type } of verifyCopies({ catalog: vault.catalog, recovery }, flood.tenant.id, {}))
    found[type]++
  assert.deepEqual(found, { good: made.length, owed: 0, bad: 0 })
  for (const one of made.slice(0, 20)) await assertReplicated(one, 1)
})

async function owedOf(tenantId: TenantId): Promise<number> {
  let owed = 0
  for await (const { type } of verifyCopies({ catalog: vault.catalog, recovery: null }, tenantId, {})) {
    if (type === 'owed') owed++
  }
  return owed
}
