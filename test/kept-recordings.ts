// Recordings of tiny objects in two stores, with what is decided of them and the holds on them written as they come from
// elsewhere: for tests of what the stores make of it. One clock, which stands still unless it is moved.
import { randomBytes } from 'node:crypto'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Catalog, createCatalog, type MadeCopy, type NewObject } from '@auricle/catalog'
import { type HoldId, newHoldId, ObjectRole, type RecordingId, type TenantId } from '@auricle/contract'
import { createFolderStore, type ObjectFacts, type ObjectStore } from '@auricle/objects'
import { createGoogleStore } from '@auricle/objects/google'
import { anEvent, anIntake, aRecording, createTestTenant, type TestTenant } from './catalog-fixture.ts'
import type { GcsEmulator } from './emulators/gcs/server.ts'
import { aStamper } from './event-writer.ts'
import {
  emulatedBucketName,
  googleEnvironment,
  lawfulSettings,
  startEmulatedBucket,
} from './harness/emulated-bucket.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'

export interface Kept {
  readonly id: RecordingId
  readonly objects: readonly NewObject[]
  readonly copies: readonly MadeCopy[]
}

export interface DecidedFacts {
  readonly keepUntil?: Date
  readonly locked?: boolean
  readonly status?: 'kept' | 'undecided' | 'waiting' | 'unruled' | 'permanent'
}

export interface KeepOptions {
  readonly copied?: boolean
  /** Whether the stores keep it from the start. */
  readonly retained?: boolean
  readonly of?: TestTenant
}

export interface KeptVault extends AsyncDisposable {
  readonly database: TestDatabase
  readonly catalog: Catalog
  readonly tenant: TestTenant
  readonly objects: ObjectStore
  readonly recovery: ObjectStore
  /** Null where the stores are folders. */
  readonly gcs: GcsEmulator | null
  now(): Date
  advance(milliseconds: number): void
  /** Archived; copied and retained unless told otherwise. */
  keep(options?: KeepOptions): Promise<Kept>
  /** As a later decision does: the one before is superseded, and the stores are asked to follow. */
  decide(id: RecordingId, facts: DecidedFacts): Promise<void>
  hold(ids: readonly RecordingId[]): Promise<HoldId>
  release(hold: HoldId): Promise<void>
  /** Of every object in both stores. */
  facts(kept: Kept): Promise<readonly ObjectFacts[]>
}

const dayMs = 86_400_000
/** Of what is archived here. */
const keptDays = 30
const startsAt = Date.parse('2030-01-01T00:00:00Z')

export interface KeptVaultOptions {
  readonly in: 'folders' | 'buckets'
  readonly keyOf: (tenantId: TenantId, recordingId: RecordingId, role: ObjectRole) => string
}

export async function openKeptVault({ in: where, keyOf }: KeptVaultOptions): Promise<KeptVault> {
  await using opening = new AsyncDisposableStack()
  let nowMs = startsAt
  const database = opening.use(await createTestDatabase())
  const catalog = createCatalog({
    ...{ pool: database.appPool, stamper: aStamper() },
    now: () => new Date(nowMs),
  })
  const tenant = await createTestTenant(catalog)
  const { objects, recovery, gcs } = await openStores(opening, where, () => nowMs)
  const opened = opening.move()

  const inTenant = async (
    work: (query: (text: string, values: readonly unknown[]) => Promise<readonly unknown[]>) => Promise<void>,
  ): Promise<void> => {
    const client = await database.appPool.connect()
    try {
      await client.query('begin')
      await client.query(`select set_config('auricle.tenant', $1, true)`, [tenant.tenantId])
      await work(async (text, values) => (await client.query(text, [...values])).rows)
      await client.query('commit')
    } catch (error) {
      await client.query('rollback')
      throw error
    } finally {
      client.release()
    }
  }

  const keep: KeptVault['keep'] = async ({ copied = true, retained = true, of = tenant } = {}) => {
    const intake = anIntake(of)
    const retainUntil = new Date(nowMs + keptDays * dayMs)
    const recording = aRecording(of, intake, {
      ...{ retainUntil, archivedAt: new Date(nowMs) },
      decision: {
        ...{ status: 'unruled', governing: null, keepUntil: retainUntil, dueAt: null, disposal: 'none' },
        ...{ locked: false, revision: 0 },
      },
    })
    await catalog.commitIntake(intake, anEvent(of.tenantId))
    const stored: NewObject[] = []
    const copies: MadeCopy[] = []
    for (const role of ObjectRole.options) {
      const objectKey = keyOf(of.tenantId, recording.id, role)
      const content = randomBytes(20)
      const keeping = { retainUntil: retained ? retainUntil : null }
      const { facts } = await objects.put(objectKey, pieces(content), keeping)
      stored.push(storedObject(role, facts))
      if (!copied) continue
      const copy = await recovery.put(objectKey, pieces(content), keeping)
      copies.push({ role, generation: copy.facts.generation, until: keeping.retainUntil, held: false })
    }
    await catalog.commitArchive(recording, stored, of.columns, anEvent(of.tenantId))
    const replication = { tenantId: of.tenantId, recordingId: recording.id, copies }
    if (copied) await catalog.commitReplication(replication, anEvent(of.tenantId))
    return { id: recording.id, objects: stored, copies }
  }

  return {
    ...{ database, catalog, tenant, objects, recovery, gcs, keep },
    now: () => new Date(nowMs),
    advance(milliseconds) {
      nowMs += milliseconds
    },

    decide: (id, { keepUntil, locked = false, status = 'kept' }) =>
      inTenant(async query => {
        const at = new Date(nowMs)
        const until = keepUntil ?? new Date(nowMs + keptDays * dayMs)
        await query(
          `update auricle.retention_decision set superseded_at = greatest($3, decided_at)
           where tenant_id = $1 and recording_id = $2 and superseded_at is null`,
          [tenant.tenantId, id, at],
        )
        await query(
          `insert into auricle.retention_decision (
             tenant_id, recording_id, decided_at, revision, status, keep_until, due_at, disposal, locked
           )
           select $1, $2, greatest($3, max(n.decided_at) + interval '1 microsecond'), 0, $4, $5, $6, $7, $8
           from auricle.retention_decision n where n.tenant_id = $1 and n.recording_id = $2`,
          [
            ...[tenant.tenantId, id, at, status, until, status === 'kept' ? until : null],
            ...[status === 'kept' ? 'automatic' : 'none', locked],
          ],
        )
        await query('select auricle.ask_store($1, $2, $3)', [tenant.tenantId, id, at])
      }),

    async hold(ids) {
      const hold = newHoldId()
      const at = new Date(nowMs)
      await inTenant(async query => {
        await query('select auricle.lock_holds($1)', [tenant.tenantId])
        await query(
          'insert into auricle.legal_hold (tenant_id, id, matter, placed_at) values ($1, $2, $3, $4)',
          [tenant.tenantId, hold, randomBytes(40), at],
        )
        await query(
          `insert into auricle.hold_cover (tenant_id, hold_id, recording_id, covered_at)
           select $1, $2, id, $4 from unnest($3::text[]) id`,
          [tenant.tenantId, hold, ids, at],
        )
        await query('select auricle.ask_store($1, id, $3) from unnest($2::text[]) id', [
          ...[tenant.tenantId, ids, at],
        ])
      })
      return hold
    },

    release: hold =>
      inTenant(async query => {
        const at = new Date(nowMs)
        await query(
          `update auricle.legal_hold set released_at = $3, release_reason = $4 where tenant_id = $1 and id = $2`,
          [tenant.tenantId, hold, at, randomBytes(40)],
        )
        await query(
          `select auricle.ask_store(tenant_id, recording_id, $3) from auricle.hold_cover
           where tenant_id = $1 and hold_id = $2`,
          [tenant.tenantId, hold, at],
        )
      }),

    async facts({ objects: stored, copies }) {
      const found: ObjectFacts[] = []
      for (const { objectKey } of stored) {
        for (const store of copies.length === 0 ? [objects] : [objects, recovery]) {
          const facts = await store.head(objectKey)
          if (facts !== null) found.push(facts)
        }
      }
      return found
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function openStores(opening: AsyncDisposableStack, where: 'folders' | 'buckets', now: () => number) {
  if (where === 'folders') {
    const folder = opening.use(await mkdtempDisposable(join(tmpdir(), 'kept-')))
    const open = (name: string) =>
      createFolderStore({ folder: join(folder.path, name), retentionMode: 'Unlocked', now })
    return { objects: open('objects'), recovery: open('recovery'), gcs: null }
  }
  const { gcs, metadata } = opening.use(await startEmulatedBucket({ clock: now }))
  gcs.createBucket('recovery', lawfulSettings)
  Object.assign(process.env, googleEnvironment(metadata.host))
  const open = (bucket: string) =>
    createGoogleStore({ bucket, retentionMode: 'Unlocked', endpoint: gcs.url, now })
  return { objects: open(emulatedBucketName), recovery: open('recovery'), gcs }
}

async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content
}

function storedObject(role: ObjectRole, facts: ObjectFacts): NewObject {
  const { key, generation, sizeBytes, retainUntil, locked } = facts
  return {
    ...{ role, objectKey: key, generation, sealedBytes: sizeBytes, plaintextBytes: sizeBytes },
    ...{ contentType: 'audio/wav', fingerprint: randomBytes(32), wrap: null },
    ...{ storeUntil: retainUntil, storeLocked: locked },
  }
}
