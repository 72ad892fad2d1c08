// A log for tests: a real database with one tenant, a real folder for what is published, and keepers of it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditRecord, newRecord } from '@auricle/audit'
import { type Catalog, createCatalog } from '@auricle/catalog'
import {
  newEventId,
  newPatientId,
  newRecordingId,
  newTokenId,
  newUserId,
  type TenantId,
} from '@auricle/contract'
import { createLocalKeyService, type KeyService } from '@auricle/keys'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import {
  createEventWriter,
  createLogKeeper,
  createWitnesses,
  type LogKeeper,
  type LogKeeperParts,
} from '@auricle/vault'
import { createTestTenant } from './catalog-fixture.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'

export const testLogName = 'log.clinic.example'

export interface TestLog extends AsyncDisposable {
  readonly database: TestDatabase
  readonly catalog: Catalog
  /** Holds `store` and `keyring.json`. */
  readonly folder: string
  readonly store: FolderStore
  readonly keys: KeyService
  readonly tenantId: TenantId
  /** Its disposal is the caller's. */
  keeper(change?: Partial<LogKeeperParts>): LogKeeper
}

/** Disposal removes everything. */
export async function openTestLog(): Promise<TestLog> {
  await using opening = new AsyncDisposableStack()
  const database = opening.use(await createTestDatabase())
  const folder = await mkdtemp(join(tmpdir(), 'auricle-log-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const catalog = createCatalog({ pool: database.appPool, stamper: createEventWriter({ name: 'test' }) })
  const store = createFolderStore({ folder: join(folder, 'store') })
  const keys = await createLocalKeyService({ file: join(folder, 'keyring.json') })
  await keys.ensure({ purpose: 'checkpoints' })
  const { tenantId } = await createTestTenant(catalog)
  const parts = {
    catalog,
    store,
    keys,
    name: testLogName,
    watch: {},
    witnesses: createWitnesses({ witnesses: [] }),
  }
  const opened = opening.move()
  return {
    ...{ database, catalog, folder, store, keys, tenantId },
    keeper: change => createLogKeeper({ ...parts, ...change }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** As large as those of a playback. */
export function aPlayback(tenantId: TenantId, at = new Date()): AuditRecord {
  const id = newEventId()
  const event: AuditRecord['event'] = {
    v: 1,
    id,
    tenant: tenantId,
    at: at.toISOString(),
    action: 'recording.played',
    outcome: 'allowed',
    actor: { type: 'user', id: newUserId(), session: newTokenId() },
    object: { type: 'recording', id: newRecordingId(), version: 'playback' },
    reasons: ['owns_mailbox'],
    purpose: 'treatment',
    patients: [newPatientId()],
    request: crypto.randomUUID(),
    private: `sha256:${'0a'.repeat(32)}`,
  }
  return newRecord(event, null)
}

export async function appendMany(catalog: Catalog, tenantId: TenantId, count: number): Promise<void> {
  const atOnce = 500
  for (let left = count; left > 0; left -= atOnce) {
    await catalog.appendEvents(Array.from({ length: Math.min(left, atOnce) }, () => aPlayback(tenantId)))
  }
}

/** Seals everything that there is. */
export async function sealAll(keeper: LogKeeper): Promise<void> {
  while (await keeper.seal({}));
}
