// A vault whose log grows, everybody who watches it, and the powers of its administrator: what attacks are tried on.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type AuditRecord,
  anchorOrigin,
  formatVerifierKey,
  logOrigin,
  parseVerifierKey,
  type VerifierKey,
} from '@auricle/audit'
import { type Catalog, createCatalog, createLogView, type TenantRow } from '@auricle/catalog'
import { createLineFiles, createWatchedWitness, openMonitorFolder, runWitness } from '@auricle/cli-service'
import { newPatientId, newRecordingId, newUserId, type TenantId } from '@auricle/contract'
import {
  createKeyUses,
  createLocalKeyService,
  type KeyService,
  keyUsesFolder,
  type OnKeyUse,
} from '@auricle/keys'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import { createLogger } from '@auricle/runtime'
import {
  anchorVerifierKey,
  auditRecord,
  createEventLog,
  createEventWriter,
  createLogKeeper,
  createMonitor,
  createPublished,
  createTenant,
  createTenantSecrets,
  createWitnesses,
  type EventLog,
  type LogKeeper,
  type Monitor,
  type MonitorTimes,
  type OpenFinding,
  type Round,
  type TenantSecretsCache,
} from '@auricle/vault'
import type pg from 'pg'
import { guardedKeys } from '../guarded-keys.ts'
import { createTestDatabase } from '../postgres.ts'

const logName = 'log.attacked.example'

export interface World extends AsyncDisposable {
  readonly folder: string
  readonly tenant: TenantRow
  readonly tenantId: TenantId
  readonly year: number
  readonly origin: string
  /** What the administrator of the database has. */
  readonly superuser: pg.Pool
  readonly catalog: Catalog
  readonly keyService: KeyService
  readonly noteKeyUse: OnKeyUse
  readonly logStore: FolderStore
  readonly storeFolder: string
  readonly receiptsFile: string
  readonly keyUses: string
  readonly anchorKey: VerifierKey
  readonly witnessUrl: string
  /** The clock of the vault and the monitor, ahead of the machine's by this. */
  readonly clock: { vaultMs: number; monitorMs: number }
  /** Who does what of the vault now; an attacker may stop parts of it. */
  readonly parts: { isSealing: boolean; isPublishing: boolean; isBeating: boolean }
  /** An access of somebody to a recording, as the vault logs it; gives what was recorded. */
  append(): Promise<AuditRecord>
  appendMany(count: number): Promise<readonly AuditRecord[]>
  beat(): Promise<void>
  /** Seals all that waits. */
  seal(): Promise<void>
  publish(): Promise<void>
  /** Publishes no more; resolves when nothing is under way. */
  stopPublishing(): Promise<void>
  round(): Promise<Round>
  /** Another monitor takes over, which has seen nothing yet. */
  watchAnew(): Promise<void>
  /** Everything that the monitor has found so far. */
  found(): readonly OpenFinding[]
}

const quiet = createLogger({ level: 'error', destination: { write: () => undefined } })
/** Where sealing is refused, that is no reason to wait longer. */
const sealingMostMs = 3_000
const sealPauseMs = 20

/** A world with `events` events, sealed, published, cosigned, and seen by the monitor. */
export async function openWorld(times: MonitorTimes, { events = 300 } = {}): Promise<World> {
  await using opening = new AsyncDisposableStack()
  const clock = { vaultMs: 0, monitorMs: 0 }
  const vaultNow = () => new Date(Date.now() + clock.vaultMs)
  const database = opening.use(await createTestDatabase())
  const folder = await mkdtemp(join(tmpdir(), 'auricle-attack-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))

  const writer = createEventWriter({ name: 'api', now: vaultNow })
  const catalog = createCatalog({ pool: database.appPool, stamper: writer })
  const keyring = join(folder, 'keyring.json')
  const keyService = await createLocalKeyService({ file: keyring })
  const noteKeyUse = createKeyUses(keyUsesFolder(keyring))
  const keys = guardedKeys(keyService, noteKeyUse)
  const log = opening.use(
    createEventLog({
      catalog,
      writer,
      store: null,
      now: vaultNow,
      onTrouble: () => undefined,
      times: { beatMs: 3_600_000 },
    }),
  )
  const secrets = createTenantSecrets({ catalog, keys, log })
  const tenant = await createTenant({ catalog, keys }, { slug: 'clinic', name: 'A clinic', keepDays: 30 }, {})
  const storeFolder = join(folder, 'log-store')
  const logStore = createFolderStore({ folder: storeFolder })
  const anchorKey = anchorVerifierKey(anchorOrigin(logName), await publicKeyOf(keyService))
  const witness = await startWitness(join(folder, 'witness'), anchorKey)
  opening.use(witness.running)
  const keeper = opening.use(
    createLogKeeper({
      catalog,
      store: logStore,
      keys: keyService,
      name: logName,
      witnesses: createWitnesses({ witnesses: [witness] }),
      watch: {},
      now: vaultNow,
    }),
  )
  const receiptsFile = join(folder, 'receipts.ndjson')
  const monitorParts = {
    ...{ folder, database, times, logStore, anchorKey, witness, clock, receiptsFile },
    keyUses: keyUsesFolder(keyring),
  }
  const monitors = opening.use(new AsyncDisposableStack())
  let monitor = await openMonitor(monitors, 'monitor', monitorParts)
  let found: readonly OpenFinding[] = []
  let publishing: Promise<void> = Promise.resolve()
  const world = {
    ...{ folder, tenant, tenantId: tenant.id, year: vaultNow().getUTCFullYear() },
    origin: logOrigin(logName, tenant.id, vaultNow().getUTCFullYear()),
    superuser: database.superuserPool,
    ...{ catalog, keyService, noteKeyUse, logStore, storeFolder, receiptsFile, anchorKey, clock },
    keyUses: keyUsesFolder(keyring),
    witnessUrl: witness.url,
    parts: { isSealing: true, isPublishing: true, isBeating: true },
    append: () => appendOne(log, secrets, tenant.id, vaultNow()),
    appendMany: (count: number) =>
      Promise.all(Array.from({ length: count }, () => appendOne(log, secrets, tenant.id, vaultNow()))),
    beat: async () => {
      const beats = writer.beats()
      if (beats.length > 0) await catalog.appendStamped(beats)
    },
    seal: () => sealAll(keeper, database.superuserPool),
    publish: () => {
      publishing = keeper.publish({})
      return publishing
    },
    async stopPublishing() {
      world.parts.isPublishing = false
      // One that was under way would put back what is removed now.
      await publishing.catch(() => undefined)
    },
    async round() {
      const round = await monitor.round({ signal: new AbortController().signal })
      found = round.open
      return round
    },
    found: () => found,
    async watchAnew() {
      monitor = await openMonitor(monitors, 'new-monitor', monitorParts)
    },
  }
  await world.appendMany(events)
  await world.beat()
  await world.seal()
  await world.publish()
  const opened = opening.move()
  return { ...world, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

async function publicKeyOf(keyService: KeyService) {
  await keyService.ensure({ purpose: 'checkpoints' })
  return await keyService.signer({ purpose: 'checkpoints' }).publicKey()
}

async function startWitness(folder: string, anchorKey: VerifierKey) {
  const said: string[] = []
  const running = await runWitness({
    folder,
    name: 'witness.attacked.example',
    logs: [formatVerifierKey(anchorKey)],
    logsFile: null,
    host: '127.0.0.1',
    port: 0,
    shutdownGraceMs: 1000,
    logger: quiet,
    print: text => said.push(text),
    signal: new AbortController().signal,
  })
  const after = (start: string) => said.find(line => line.startsWith(start))?.slice(start.length) ?? ''
  return { running, verifierKey: after('Witness '), url: after('Listening on ') }
}

interface MonitorOf {
  readonly folder: string
  readonly database: { readonly monitorPool: pg.Pool }
  readonly times: MonitorTimes
  readonly logStore: FolderStore
  readonly anchorKey: VerifierKey
  readonly witness: { readonly verifierKey: string; readonly url: string }
  readonly clock: World['clock']
  readonly receiptsFile: string
  readonly keyUses: string
}

async function openMonitor(opening: AsyncDisposableStack, name: string, parts: MonitorOf): Promise<Monitor> {
  const kept = opening.use(await openMonitorFolder(join(parts.folder, name)))
  return createMonitor(
    {
      watch: createLogView({ pool: parts.database.monitorPool }),
      published: createPublished(parts.logStore),
      witnesses: [createWatchedWitness(parts.witness)],
      anchorKeys: [parseVerifierKey(formatVerifierKey(parts.anchorKey))],
      digests: kept.digests,
      keyUses: createLineFiles(parts.keyUses),
      receipts: createLineFiles(parts.receiptsFile),
      times: parts.times,
      now: () => new Date(Date.now() + parts.clock.monitorMs),
      save: kept.save,
    },
    kept.state,
  )
}

async function appendOne(
  log: EventLog,
  secrets: TenantSecretsCache,
  tenantId: TenantId,
  now: Date,
): Promise<AuditRecord> {
  const { privateParts } = await secrets.get(tenantId)
  const record = await auditRecord(
    {
      tenantId,
      action: 'recording.played',
      outcome: 'allowed',
      actor: { type: 'person', userId: newUserId(), tokenId: null },
      object: { type: 'recording', id: newRecordingId(), version: null },
      patients: [newPatientId()],
      request: null,
    },
    { part: { ip: '198.51.100.7' }, key: privateParts },
    now,
  )
  await log.append(record, {})
  return record
}

/** Until nothing waits: a transaction that is under way anywhere in the cluster makes what came after it wait. */
async function sealAll(keeper: LogKeeper, superuser: pg.Pool): Promise<void> {
  const endMs = performance.now() + sealingMostMs
  while (performance.now() < endMs) {
    if (await keeper.seal({})) continue
    const { rowCount } = await superuser.query(
      `select from auricle.audit_event e where not exists (
         select from auricle.audit_seal s where s.tenant_id = e.tenant_id and s.event_id = e.id
       ) limit 1`,
    )
    if (rowCount === 0) return
    await delay(sealPauseMs)
  }
}
