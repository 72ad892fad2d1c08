// A vault for tests: real PostgreSQL, a real folder of objects, a real keyring, and one clinic with its people.
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sniffAudio, sniffBytes } from '@auricle/audio'
import {
  type Catalog,
  type ConnectorRow,
  createCatalog,
  type MailboxRow,
  type TenantRow,
  type UserRow,
} from '@auricle/catalog'
import { type Notice, newTokenId, type Role, type TokenId } from '@auricle/contract'
import { can, createPasswords, newTotp } from '@auricle/identity'
import {
  createKeyUses,
  createLocalKeyService,
  type KeyService,
  keyUsesFolder,
  type OnKeyUse,
} from '@auricle/keys'
import { createPostgresLimits, type Limits, migrateLimits } from '@auricle/limits'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import type { Delivery } from '@auricle/pbx'
import {
  assignMailbox,
  createConnector,
  createConnectors,
  createEventLog,
  createMailbox,
  createTenant,
  createTenantSecrets,
  createUser,
  type EventLog,
  type EventWriter,
  type OpenConnector,
  type TenantSecretsCache,
  type VaultKeys,
} from '@auricle/vault'
import { aStamper } from './event-writer.ts'
import { guardedKeys } from './guarded-keys.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'

export interface Person {
  readonly row: UserRow
  readonly password: string
  readonly totpSecret: string
}

export interface TestVault extends AsyncDisposable {
  readonly database: TestDatabase
  readonly folder: string
  readonly catalog: Catalog
  readonly writer: EventWriter
  readonly log: EventLog
  readonly objects: FolderStore
  readonly logStore: FolderStore
  /** As use cases get it. */
  readonly keys: VaultKeys
  /** As composition roots get it. */
  readonly keyService: KeyService
  readonly noteKeyUse: OnKeyUse
  readonly limits: Limits
  readonly secrets: TenantSecretsCache
  readonly sniff: typeof sniffAudio
  readonly sniffBytes: number
  readonly decide: typeof can
}

/** Disposal removes everything. */
export async function openTestVault(): Promise<TestVault> {
  await using opening = new AsyncDisposableStack()
  const database = opening.use(await createTestDatabase())
  const folder = await mkdtemp(join(tmpdir(), 'auricle-vault-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const writer = aStamper()
  const catalog = createCatalog({ pool: database.appPool, stamper: writer })
  const log = opening.use(createEventLog({ catalog, writer, store: null, onTrouble }))
  const objects = createFolderStore({ folder: join(folder, 'objects') })
  const logStore = createFolderStore({ folder: join(folder, 'log-store') })
  const file = join(folder, 'keyring.json')
  const keyService = await createLocalKeyService({ file })
  const noteKeyUse = createKeyUses(keyUsesFolder(file))
  const keys = guardedKeys(keyService, noteKeyUse)
  const secrets = createTenantSecrets({ catalog, keys, log })
  await migrateLimits({ owner: database.owner, appRole: database.app.user })
  const onError = (error: Error) => {
    throw error
  }
  const limits = opening.use(createPostgresLimits({ connection: database.app, onError }))
  const opened = opening.move()
  return {
    ...{
      database,
      folder,
      catalog,
      writer,
      log,
      objects,
      logStore,
      keys,
      keyService,
      noteKeyUse,
      limits,
      secrets,
    },
    ...{ sniff: sniffAudio, sniffBytes, decide: can },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

export interface Clinic {
  readonly tenant: TenantRow
  readonly mailbox: Omit<MailboxRow, 'ownerIds'>
  /** Owns the mailbox. */
  readonly clinician: Person
  /** Owns nothing. */
  readonly stranger: Person
  readonly administrator: Person
  /** Each has the one role of their name and owns nothing. */
  readonly supervisor: Person
  readonly complianceOfficer: Person
  readonly auditor: Person
  readonly recoveryOperator: Person
  readonly connectorRow: ConnectorRow
  readonly connector: OpenConnector
}

/** What cannot be recorded is refused to whoever asked, and their test says whether that is right. */
const onTrouble = () => undefined

let clinics = 0

export async function makeClinic(vault: TestVault, connector: Partial<ConnectorRow> = {}): Promise<Clinic> {
  const slug = `clinic-${++clinics}`
  const tenant = await createTenant(vault, { slug, name: 'A clinic', keepDays: 30 }, {})
  const clinician = await makePerson(vault, tenant, 'clinician', ['clinician'])
  const stranger = await makePerson(vault, tenant, 'stranger', ['clinician'])
  const administrator = await makePerson(vault, tenant, 'administrator', ['administrator'])
  const supervisor = await makePerson(vault, tenant, 'supervisor', ['supervisor'])
  const complianceOfficer = await makePerson(vault, tenant, 'officer', ['compliance_officer'])
  const auditor = await makePerson(vault, tenant, 'auditor', ['auditor'])
  const recoveryOperator = await makePerson(vault, tenant, 'recovery', ['recovery_operator'])
  const mailbox = await createMailbox(vault, { tenantId: tenant.id, address: '2001', name: 'Front desk' }, {})
  await assignMailbox(vault, mailbox, clinician.row, {})
  const connectorRow = await createConnector(
    vault,
    {
      tenantId: tenant.id,
      kind: 'upload',
      name: 'PBX',
      defaultMailboxId: mailbox.id,
      maxBytes: 1024 ** 3,
      idleTimeoutMs: 5_000,
      allowedHosts: [],
      pbxSecrets: { nothing: true },
      ...connector,
    },
    {},
  )
  const opened = await createConnectors(vault.catalog, vault.keys).find(connectorRow.id)
  if (opened === null) throw new Error('the connector just made is not there')
  return {
    ...{ tenant, mailbox, clinician, stranger, administrator, supervisor, complianceOfficer, auditor },
    ...{ recoveryOperator, connectorRow, connector: opened },
  }
}

const password = 'a long enough passphrase'
/** Made once: a good hash takes its time, and a clinic has many people. */
let passwordHash: Promise<string> | null = null

export async function makePerson(
  vault: TestVault,
  tenant: TenantRow,
  login: string,
  roles: readonly Role[],
): Promise<Person> {
  passwordHash ??= createPasswords().hashPassword(password, login)
  const { secret: totpSecret } = newTotp({ issuer: 'test', account: login })
  const row = await createUser(
    vault,
    { tenantId: tenant.id, login, name: login, roles, passwordHash: await passwordHash, totpSecret },
    {},
  )
  return { row, password, totpSecret }
}

/** A live token of a person, as if they had signed in. */
export async function giveToken(vault: TestVault, { row }: Person): Promise<TokenId> {
  const { auditRecord } = await import('@auricle/vault')
  const now = new Date()
  const id = newTokenId()
  const token = {
    id,
    tenantId: row.tenantId,
    userId: row.id,
    purpose: 'session' as const,
    createdAt: now,
    expiresAt: new Date(now.getTime() + 3_600_000),
    idleMs: null,
    scopes: null,
    name: null,
    secretHash: null,
    factors: ['pwd', 'otp'] as const,
    verifiedAt: now,
  }
  const actor = { type: 'system', name: 'operator' } as const
  const event = await auditRecord(
    {
      tenantId: row.tenantId,
      action: 'token.issued',
      outcome: 'allowed',
      actor,
      object: null,
      request: null,
    },
    null,
  )
  await vault.catalog.addToken(token, event)
  return id
}

export function noticeOf(sourceId: string, facts: Partial<Notice> = {}): Notice {
  return {
    sourceId,
    kind: 'voicemail',
    mailbox: '2001',
    direction: 'inbound',
    from: '+15550100',
    fromName: 'Caller One',
    to: '2001',
    patientReference: null,
    note: null,
    startedAt: '2026-01-02T03:04:05.000Z',
    contentType: 'audio/wav',
    fileName: null,
    declaredBytes: null,
    declaredSha256: null,
    audioUrl: null,
    ...facts,
  }
}

/** A delivery of bytes at hand, in pieces of an odd size. */
export function deliveryOf(audio: Uint8Array, notice: Notice, known = true): Delivery {
  return {
    type: 'audio',
    sourceId: known ? notice.sourceId : null,
    audio: inPieces(audio),
    notice: () => notice,
  }
}

const pieceBytes = 10_007

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** A sample recording of `test/samples`. */
export function sample(name: string): Promise<Buffer> {
  return readFile(new URL(`samples/${name}`, import.meta.url))
}

const wavHeaderBytes = 44
const wavBytesPerSecond = 16_000

/** A PCM WAV of 8 kHz, one channel and 16 bits, of that many seconds of noise. */
export function shortWav(seconds: number): Buffer {
  const samples = randomBytes(seconds * wavBytesPerSecond)
  const header = Buffer.alloc(wavHeaderBytes)
  header.write('RIFF', 0)
  header.writeUInt32LE(wavHeaderBytes - 8 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(wavBytesPerSecond / 2, 24)
  header.writeUInt32LE(wavBytesPerSecond, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}

export async function gather(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}
