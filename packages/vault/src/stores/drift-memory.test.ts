// A look at a store of many objects takes no more memory than one of few.
import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createCatalog } from '@auricle/catalog'
import { newRecordingId, type TenantId } from '@auricle/contract'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import { anIntake, createTestTenant, type TestTenant } from '../../../../test/catalog-fixture.ts'
import { aStamper } from '../../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.ts'
import { recordingKey } from '../object-key.ts'
import { findDrift } from './drift.ts'

const few = 500
const many = 5_000
const mebibyte = 1_048_576

test('memory does not grow with what is looked at', async () => {
  await using database = await createTestDatabase()
  await using folder = await mkdtempDisposable(join(tmpdir(), 'drift-'))
  const catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  const peakOf = async (name: string, count: number) => {
    const tenant = await createTestTenant(catalog)
    const store = createFolderStore({ folder: join(folder.path, name) })
    await fill(store, join(folder.path, name), tenant.tenantId, count)
    await addRows(database, store, tenant)
    let peakBytes = 0
    let seen = 0
    const onObject = (): void => {
      if (++seen % 250 === 0) peakBytes = Math.max(peakBytes, liveBytes())
    }
    const parts = { catalog, objects: store, recovery: null, onObject }
    const startBytes = liveBytes()
    const report = await findDrift(parts, tenant.tenantId, { by: 'worker', mend: true, unless: null }, {})
    assert.deepEqual([report?.objects, report?.recordings, report?.counts], [count, count, {}])
    return peakBytes - startBytes
  }
  await peakOf('first', few)
  const [less, more] = [await peakOf('few', few), await peakOf('many', many)]
  // A kilobyte for each of the others, rows and facts, would be four times as much.
  assert.ok(more - less < mebibyte, `${less} bytes of ${few}, ${more} bytes of ${many}`)
})

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

function liveBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** As a store has them, without the fsync of each. */
async function fill(store: FolderStore, folder: string, tenantId: TenantId, count: number): Promise<void> {
  const first = 'first/of/all'
  await store.put(first, once(), { retainUntil: null })
  await store.delete(first)
  for (let index = 0; index < count; index++) {
    const path = join(folder, 'objects', `${recordingKey(tenantId, newRecordingId(), 'original')}=object`)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(path, 'x', { mode: 0o400 })
  }
}

/** One for each object that is there, kept by nothing any more. */
async function addRows(
  { superuserPool }: TestDatabase,
  store: FolderStore,
  tenant: TestTenant,
): Promise<void> {
  const found: { id: string; key: string; generation: string; intake: string }[] = []
  for await (const { key, generation } of store.list('')) {
    found.push({ id: key.split('/')[3] ?? '', key, generation, intake: anIntake(tenant).id })
  }
  const column = (name: 'id' | 'key' | 'generation' | 'intake') => found.map(row => row[name])
  const { tenantId, connectorId } = tenant
  await superuserPool.query(
    `insert into auricle.intake (tenant_id, id, connector_id, source_key, content_mac, recording_id, object_key,
       sealed_notice, received_at, state, next_attempt_at, touched_at)
     select $1, i.intake, $2, sha256(i.intake::bytea), 'x', i.id, i.intake, 'x', now(), 'archived', now(), now()
     from unnest($3::text[], $4::text[]) i (intake, id)`,
    [tenantId, connectorId, column('intake'), column('id')],
  )
  await superuserPool.query(
    `insert into auricle.recording (tenant_id, id, connector_id, intake_id, kind, source_id, started_at, received_at,
       archived_at, audio_state, retain_until)
     select $1, i.id, $2, i.intake, 'voicemail', 'x', now(), now(), now(), 'ready', now() - interval '1 day'
     from unnest($3::text[], $4::text[]) i (intake, id)`,
    [tenantId, connectorId, column('intake'), column('id')],
  )
  await superuserPool.query(
    `insert into auricle.recording_object (tenant_id, recording_id, role, object_key, generation, sealed_bytes,
       plaintext_bytes, content_type, fingerprint)
     select $1, i.id, 'original', i.key, i.generation, 1, 1, 'audio/wav', 'x'
     from unnest($2::text[], $3::text[], $4::text[]) i (id, key, generation)`,
    [tenantId, column('id'), column('key'), column('generation')],
  )
}

async function* once(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x')
}
