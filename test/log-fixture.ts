// A log for tests: a real database with one tenant, a real folder for what is published, and keepers of it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
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
    keeper: change => {
      const keeper = createLogKeeper({ ...parts, ...change })
      settles.set(keeper, () => settle(database))
      return keeper
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const settles = new WeakMap<LogKeeper, () => Promise<void>>()
const lookAgainMs = 10
const patienceMs = 30_000

/** Until every transaction that runs now has ended. */
async function settle({ superuserPool }: TestDatabase): Promise<void> {
  const { rows } = await superuserPool.query('select pg_current_xact_id() as mark')
  const until = performance.now() + patienceMs
  const isPast = 'select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 as past'
  while ((await superuserPool.query(isPast, [rows[0].mark])).rows[0].past !== true) {
    if (performance.now() > until) throw new Error('a transaction on the server of the tests does not end')
    await delay(lookAgainMs)
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

/** Seals everything that there is, once what other tests on the server have begun has ended: until then it may not be sealed. */
export async function sealAll(keeper: LogKeeper): Promise<void> {
  await settles.get(keeper)?.()
  while (await keeper.seal({}));
}
