// Rows for tests of and on the catalog: a tenant with a user, a mailbox and a connector, and what is delivered to it.
import { randomBytes } from 'node:crypto'
import type { AuditRecord } from '@auricle/audit'
import type { Catalog, ColumnKeys, NewIntake, RecordingFacts, StoredObject, TokenRow } from '@auricle/catalog'
import {
  type ConnectorId,
  type MailboxId,
  newConnectorId,
  newEventId,
  newIntakeId,
  newMailboxId,
  newRecordingId,
  newTenantId,
  newTokenId,
  newUserId,
  type TenantId,
  type UserId,
  type Wrap,
} from '@auricle/contract'

export interface TestTenant {
  readonly tenantId: TenantId
  readonly slug: string
  readonly userId: UserId
  readonly login: string
  readonly mailboxId: MailboxId
  readonly connectorId: ConnectorId
  readonly columns: ColumnKeys
}

const aWrap: Wrap = {
  kms: 'local',
  key: 'recordings',
  keyVersion: '1',
  protection: 'SOFTWARE',
  aad: 1,
  wrapped: 'AAAA',
  createdAt: '2026-01-01T00:00:00Z',
}

export const anInstant = new Date('2026-03-01T12:00:00.000Z')

export function anEvent(tenantId: TenantId): AuditRecord {
  return { tenantId, id: newEventId(), leaf: randomBytes(64), sealedPrivate: randomBytes(32) }
}

/** Makes a tenant with one clinician, who owns its one mailbox, and one connector. */
export async function createTestTenant(catalog: Catalog): Promise<TestTenant> {
  const tenantId = newTenantId()
  const slug = `t-${randomBytes(6).toString('hex')}`
  const columns = catalog.columnKeys(randomBytes(32))
  const userId = newUserId()
  const mailboxId = newMailboxId()
  const connectorId = newConnectorId()
  const event = () => anEvent(tenantId)
  await catalog.createTenant(
    {
      id: tenantId,
      slug,
      name: 'A practice',
      keepDays: 30,
      columnSecret: aWrap,
      createdAt: anInstant,
      access: { idleMs: 900_000, sessionMs: 43_200_000, breakGlassMs: 3_600_000, reviewMs: 259_200_000 },
    },
    event(),
  )
  await catalog.createUser(
    {
      id: userId,
      tenantId,
      login: 'clinician',
      name: 'A clinician',
      kind: 'person',
      roles: ['clinician'],
      createdAt: anInstant,
      disabledAt: null,
    },
    { passwordHash: '$argon2id$', totpSecret: 'JBSWY3DPEHPK3PXP' },
    columns,
    event(),
  )
  await catalog.createMailbox({ id: mailboxId, tenantId, address: '1001', name: 'Front desk' }, event())
  await catalog.addMailboxOwner(tenantId, mailboxId, userId, event())
  await catalog.createConnector(
    {
      id: connectorId,
      tenantId,
      kind: 'standard',
      name: 'Main PBX',
      defaultMailboxId: mailboxId,
      maxBytes: 2 ** 40,
      idleTimeoutMs: 30_000,
      allowedHosts: [{ origin: 'https://pbx.example', privateCidr: null }],
      sealedSecrets: randomBytes(48),
      createdAt: anInstant,
      disabledAt: null,
    },
    event(),
  )
  return { tenantId, slug, userId, login: 'clinician', mailboxId, connectorId, columns }
}

export function aToken(tenant: TestTenant, change: Partial<TokenRow> = {}): TokenRow {
  return {
    id: newTokenId(),
    tenantId: tenant.tenantId,
    userId: tenant.userId,
    purpose: 'session',
    createdAt: anInstant,
    expiresAt: new Date(anInstant.getTime() + 3_600_000),
    idleMs: null,
    scopes: null,
    name: null,
    secretHash: null,
    factors: ['pwd', 'otp'],
    verifiedAt: anInstant,
    ...change,
  }
}

export function anIntake(tenant: TestTenant, change: Partial<NewIntake> = {}): NewIntake {
  return {
    id: newIntakeId(),
    tenantId: tenant.tenantId,
    connectorId: tenant.connectorId,
    sourceKey: randomBytes(32),
    contentMac: randomBytes(32),
    recordingId: newRecordingId(),
    objectKey: `intake/${randomBytes(8).toString('hex')}`,
    audioBytes: 48_000,
    sealedNotice: randomBytes(96),
    receivedAt: anInstant,
    ...change,
  }
}

export function aRecording(
  tenant: TestTenant,
  intake: NewIntake,
  change: Partial<RecordingFacts> = {},
): RecordingFacts {
  return {
    id: intake.recordingId,
    tenantId: tenant.tenantId,
    connectorId: tenant.connectorId,
    intakeId: intake.id,
    mailboxId: tenant.mailboxId,
    kind: 'voicemail',
    direction: 'inbound',
    sourceId: 'pbx-source-77',
    from: '+1 (202) 555-0100',
    fromName: 'Dana Example',
    to: '2025550199',
    patientReference: 'MRN-000077',
    note: 'asks for a call back',
    startedAt: anInstant,
    receivedAt: anInstant,
    archivedAt: anInstant,
    durationMs: 61_500,
    channels: 1,
    codec: 'pcm_s16le',
    audioState: 'ready',
    retainUntil: new Date('2033-03-01T12:00:00.000Z'),
    ...change,
  }
}

export function someObjects(recordingId: string): readonly StoredObject[] {
  return (['original', 'playback', 'peaks'] as const).map(role => {
    return {
      role,
      objectKey: `recordings/${recordingId}/${role}`,
      generation: '1',
      sealedBytes: 48_512,
      plaintextBytes: 48_000,
      contentType: role === 'peaks' ? 'application/json' : 'audio/wav',
      fingerprint: randomBytes(32),
      wrap: role === 'peaks' ? aWrap : null,
    }
  })
}

/** Delivers and archives one recording. */
export async function archiveRecording(
  catalog: Catalog,
  tenant: TestTenant,
  change: Partial<RecordingFacts> = {},
): Promise<RecordingFacts> {
  const intake = anIntake(tenant)
  await catalog.commitIntake(intake, anEvent(tenant.tenantId))
  const recording = aRecording(tenant, intake, change)
  await catalog.commitArchive(recording, someObjects(recording.id), tenant.columns, anEvent(tenant.tenantId))
  return recording
}
