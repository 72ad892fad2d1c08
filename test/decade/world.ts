// The vault of the decade: real PostgreSQL, real folders, the real use cases, by a clock that is moved; and all of it in
// the weather that `faults` makes.
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Catalog, createCatalog, type MadeCopy, type NewObject } from '@auricle/catalog'
import {
  type ConnectorId,
  IntakeId,
  type MailboxId,
  newTokenId,
  type ObjectRole,
  RecordingId,
  type TenantId,
} from '@auricle/contract'
import { createFolderStore, type ObjectFacts, type ObjectStore } from '@auricle/objects'
import {
  auditRecord,
  createMailbox,
  createTenantSecrets,
  decideFirst,
  type EventLog,
  isError,
  type RequestFacts,
  recordingKey,
  type TenantSecretsCache,
} from '@auricle/vault'
import type { Random } from '../harness/random.ts'
import { type Clinic, makeClinic, makePerson, openTestVault, type Person, type TestVault } from '../vault.ts'
import {
  createFaults,
  type Faults,
  type StoreWatch,
  troubledLog,
  troubledPool,
  troubledStore,
} from './faults.ts'
import { createModel, dayMs, type Model, type Newcomer } from './model.ts'

export interface World extends AsyncDisposable {
  readonly random: Random
  readonly faults: Faults
  readonly model: Model
  readonly vault: TestVault
  readonly clinic: Clinic
  readonly tenantId: TenantId
  readonly connectorId: ConnectorId
  readonly mailboxes: readonly MailboxId[]
  readonly people: readonly Person[]
  readonly catalog: Catalog
  readonly secrets: TenantSecretsCache
  readonly log: Pick<EventLog, 'append'>
  readonly stores: { readonly primary: ObjectStore; readonly recovery: ObjectStore }
  readonly clock: { ms: number }
  /** A millisecond later than before. */
  now(): Date
  facts(person: Person): RequestFacts
}

const mailboxCount = 6
const officers = 4
const keepDays = 30
export const zone = 'America/New_York'

export async function openWorld(random: Random, startMs: number): Promise<World> {
  await using opening = new AsyncDisposableStack()
  const vault = opening.use(await openTestVault())
  const clinic = await makeClinic(vault)
  const tenantId = clinic.tenant.id
  const clock = { ms: startMs }
  const now = () => new Date(++clock.ms)
  const faults = createFaults(random)
  const model = createModel({ zone, stages: 1, waitingDays: 7, shorteningDays: 30, keepDays })
  const pool = troubledPool(vault.database.appPool, faults)
  const catalog = createCatalog({ pool, stamper: vault.writer, now })
  const log = troubledLog(vault.log, faults)
  const secrets = createTenantSecrets({ catalog, keys: vault.keys, log: vault.log })
  const open = (name: 'primary' | 'recovery') => {
    const folder = join(vault.folder, `decade-${name}`)
    const folders = createFolderStore({ folder, retentionMode: 'Unlocked', now: () => clock.ms })
    return troubledStore(folders, faults, watchOf(name, model, clock))
  }
  const mailboxes = [clinic.mailbox.id]
  for (let number = 1; number < mailboxCount; number++) {
    const row = { tenantId, address: `300${number}`, name: `Mailbox ${number}` }
    mailboxes.push((await createMailbox(vault, row, {})).id)
  }
  const people = [clinic.complianceOfficer]
  for (let number = 1; number < officers; number++)
    people.push(await makePerson(vault, clinic.tenant, `officer-${number}`, ['compliance_officer']))
  const opened = opening.move()
  return {
    ...{
      random,
      faults,
      model,
      vault,
      clinic,
      tenantId,
      mailboxes,
      people,
      catalog,
      secrets,
      log,
      clock,
      now,
    },
    connectorId: clinic.connectorRow.id,
    stores: { primary: open('primary'), recovery: open('recovery') },
    facts: ({ row }) => ({
      actor: {
        ...{ type: 'user', tenantId, userId: row.id, tokenId: newTokenId(), mailboxes: [], breakGlass: null },
        roles: ['compliance_officer', 'hears_psychotherapy', 'hears_part2', 'hears_vip', 'hears_employee'],
        token: { kind: 'session', scopes: null, verifiedAt: new Date(clock.ms) },
      },
      ...{ purposeOfUse: null, request: 'a-request', ip: null, userAgent: null },
    }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function watchOf(store: 'primary' | 'recovery', model: Model, clock: { readonly ms: number }): StoreWatch {
  return {
    deleting: ({ key, generation }) => model.deleted(store, key, generation, clock.ms),
    kept(facts) {
      const { key, generation, retainUntil, locked, held } = facts
      const [recording = null, role = 'intake'] = namesIn(key)
      model.kept({
        store,
        key,
        generation,
        recording,
        role,
        until: retainUntil?.getTime() ?? null,
        locked,
        held,
      })
    },
  }
}

/** Which recording an object is of, by its key; an intake's name ends as its recording's does. */
export function namesIn(key: string): [] | [RecordingId, string] {
  const [first = '', , , id = '', role = ''] = key.split('/')
  if (first === 'recordings') return [RecordingId.parse(id), role]
  const intake = key.slice(key.lastIndexOf('/') + 1)
  return [RecordingId.parse(intake.replace(/^int_/, 'rec_')), 'intake']
}

/** Ids that a seed decides, in their order. */
export const recordingIdOf = (number: number): RecordingId =>
  RecordingId.parse(`rec_0${number.toString(16).padStart(25, '0')}`)

export interface Arrival extends Omit<Newcomer, 'bytes'> {
  readonly roles: readonly ObjectRole[]
  /** Left behind by its delivery. */
  readonly hasIntake: boolean
  /** Under its name, and in no row. */
  readonly hasStray: boolean
}

const objectBytes = 40

/** Archives it as the worker does but for the audio, and copies it; whatever was done of it before is taken up. */
export async function arrive(world: World, arrival: Arrival): Promise<void> {
  const { catalog, stores, tenantId, connectorId, secrets, model } = world
  const { id, kind, startedAt, receivedAt, durationMs, patient } = arrival
  const held = await secrets.get(tenantId)
  const intakeId = IntakeId.parse(id.replace('rec_', 'int_'))
  const intakeKey = `intake/${tenantId}/${intakeId}`
  const at = new Date(receivedAt)
  if (arrival.hasIntake) await stores.primary.put(intakeKey, pieces(id, 'intake'), { retainUntil: null })
  await catalog.commitIntake(
    {
      ...{ id: intakeId, tenantId, connectorId, recordingId: id, objectKey: intakeKey, audioBytes: 1 },
      ...{ sourceKey: createHash('sha256').update(id).digest(), contentMac: randomBytes(32) },
      ...{ sealedNotice: randomBytes(64), receivedAt: at },
    },
    await record(world, 'delivery.received', id),
  )
  const patientId = patient === null ? null : await catalog.ensurePatient(tenantId, patient, held.columns)
  const mailboxId = arrival.mailbox as MailboxId
  const floor = new Date(receivedAt + keepDays * dayMs)
  const first = await decideFirst(
    { catalog },
    held,
    { kind, mailboxId, patientId, startedAt: new Date(startedAt), receivedAt: at, floor },
    world.now(),
    {},
  )
  const { until: retainUntil, lock } = first.keeping
  const keeping = { retainUntil, ...(lock === null ? {} : { lock }) }
  const objects: NewObject[] = []
  for (const role of arrival.roles) {
    const key = recordingKey(tenantId, id, role)
    const { facts } = await stores.primary.put(key, pieces(id, role), keeping)
    objects.push(objectOf(role, facts))
  }
  if (arrival.hasStray) {
    const key = recordingKey(tenantId, id, 'original').replace(/original$/, 'stray')
    await stores.primary.put(key, pieces(id, 'stray'), keeping)
  }
  const archivedAt = world.now()
  await catalog.commitArchive(
    {
      ...{
        id,
        tenantId,
        connectorId,
        intakeId,
        mailboxId,
        kind,
        direction: 'inbound',
        sourceId: `call-${id}`,
      },
      ...{ from: arrival.from, fromName: 'A caller', to: arrival.to, patientReference: patient, patientId },
      ...{
        note: 'asks for a call back',
        startedAt: new Date(startedAt),
        receivedAt: at,
        archivedAt,
        durationMs,
      },
      ...{ channels: 1, codec: 'pcm_s16le', audioState: 'ready', retainUntil: floor },
      decision: first.committed(durationMs, objects),
    },
    objects,
    held.columns,
    await record(world, 'recording.archived', id),
  )
  const copies: MadeCopy[] = []
  for (const { role, objectKey } of objects) {
    const { facts } = await stores.recovery.put(objectKey, pieces(id, role), keeping)
    copies.push({ role, generation: facts.generation, until: facts.retainUntil, held: facts.held })
  }
  await catalog.commitReplication(
    { tenantId, recordingId: id, copies },
    await record(world, 'recording.replicated', id),
  )
  if (!model.recordings.has(id))
    model.archived({ ...arrival, bytes: objects.length * objectBytes }, archivedAt.getTime())
}

const record = (
  { tenantId, now }: World,
  action: 'delivery.received' | 'recording.archived' | 'recording.replicated',
  id: RecordingId,
) =>
  auditRecord(
    {
      ...{ tenantId, action, outcome: 'allowed', request: null },
      actor: { type: 'system', name: 'worker' },
      object: { type: 'recording', id, version: null },
    },
    null,
    now(),
  )

/** The same bytes whenever they are asked for. */
async function* pieces(id: RecordingId, role: string): AsyncGenerator<Uint8Array> {
  yield createHash('sha512').update(`${id} ${role}`).digest().subarray(0, objectBytes)
}

function objectOf(
  role: ObjectRole,
  { key, generation, sizeBytes, retainUntil, locked }: ObjectFacts,
): NewObject {
  return {
    ...{ role, objectKey: key, generation, sealedBytes: sizeBytes, plaintextBytes: sizeBytes },
    ...{ contentType: 'audio/wav', fingerprint: randomBytes(32), wrap: null },
    ...{ storeUntil: retainUntil, storeLocked: locked },
  }
}

/** What a person is told when it may not be: nothing was done. */
export const refusalOf = (error: unknown): string | null =>
  (['denied', 'conflict', 'malformed', 'not_found'] as const).find(code =>
    isError(error, 'VaultError', code),
  ) ?? null
