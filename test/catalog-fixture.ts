// Rows for tests of and on the catalog: a tenant with a user, a mailbox and a connector, and what is delivered to it.
import { randomBytes } from 'node:crypto'
import { type AuditRecord, newRecord } from '@auricle/audit'
import type { Catalog, ColumnKeys, NewIntake, NewObject, NewRecording, TokenRow } from '@auricle/catalog'
import {
  type ConnectorId,
  type MailboxId,
  newAlertId,
  newAttemptId,
  newBreakGlassId,
  newCertificateId,
  newConnectorId,
  newDelegationId,
  newDisclosureId,
  newDispositionId,
  newDriftRunId,
  newEmergencyCodeId,
  newEventId,
  newHoldId,
  newIntakeId,
  newInvitationId,
  newIssuerId,
  newMailboxId,
  newPasskeyId,
  newPatientId,
  newProviderId,
  newRecordingId,
  newRecordSetDecisionId,
  newReportRunId,
  newReportScheduleId,
  newRetentionEventId,
  newReviewId,
  newRoleRequestId,
  newRuleId,
  newSuspensionId,
  newTeamId,
  newTenantId,
  newTokenId,
  newUserId,
  type TenantId,
  type UserId,
  type Wrap,
} from '@auricle/contract'
import type pg from 'pg'

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
  const event: AuditRecord['event'] = {
    v: 1,
    id: newEventId(),
    tenant: tenantId,
    at: anInstant.toISOString(),
    action: 'tenant.changed',
    outcome: 'allowed',
    actor: { type: 'system', id: 'test', session: null },
    object: null,
    reasons: [],
    request: null,
    private: null,
  }
  return newRecord(event, randomBytes(32))
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
  change: Partial<NewRecording> = {},
): NewRecording {
  const retainUntil = change.retainUntil ?? new Date('2033-03-01T12:00:00.000Z')
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
    patientId: null,
    note: 'asks for a call back',
    startedAt: anInstant,
    receivedAt: anInstant,
    archivedAt: anInstant,
    durationMs: 61_500,
    channels: 1,
    codec: 'pcm_s16le',
    audioState: 'ready',
    retainUntil,
    decision: {
      ...{ status: 'unruled', governing: null, keepUntil: retainUntil, dueAt: null, disposal: 'none' },
      ...{ locked: true, revision: 0 },
    },
    ...change,
  }
}

export function someObjects(recordingId: string): readonly NewObject[] {
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
      storeUntil: new Date('2033-03-01T12:00:00.000Z'),
      storeLocked: true,
    }
  })
}

/** Delivers and archives one recording. */
export async function archiveRecording(
  catalog: Catalog,
  tenant: TestTenant,
  change: Partial<NewRecording> = {},
): Promise<NewRecording> {
  const intake = anIntake(tenant)
  await catalog.commitIntake(intake, anEvent(tenant.tenantId))
  const recording = aRecording(tenant, intake, change)
  await catalog.commitArchive(recording, someObjects(recording.id), tenant.columns, anEvent(tenant.tenantId))
  return recording
}

/** One row of every table that says who may do what and how they sign in, written as the services' role may. */
export async function addAccessRows(
  pool: pg.Pool,
  { tenantId, userId, mailboxId }: TestTenant,
): Promise<void> {
  const other = newUserId()
  const team = newTeamId()
  const provider = newProviderId()
  const issuer = newIssuerId()
  const later = new Date(anInstant.getTime() + 3_600_000)
  const patient = newPatientId()
  const review = newReviewId()
  const eventId = newEventId()
  const year = anInstant.getUTCFullYear()
  const hash = randomBytes(32)
  const rows: Row[] = [
    ['audit_log', { year, origin: `audit.test/t/${tenantId}/${year}`, opened_at: anInstant }],
    [
      'audit_seal',
      {
        ...{ year, seq: 0, event_id: eventId, leaf_hash: hash, at: anInstant, action: 'log.opened' },
        ...{ outcome: 'allowed', actor_id: 'log' },
      },
    ],
    ['audit_patient', { patient_id: patient, year, seq: 0, at: anInstant }],
    ['audit_tile', { year, level: 0, idx: 0, hashes: randomBytes(8192), root: hash }],
    ['audit_checkpoint', { year, size: 1, root: hash, note: 'a note', sealed_at: anInstant }],
    [
      'patient',
      {
        ...{
          id: patient,
          reference_index: randomBytes(32),
          reference: randomBytes(40),
          created_at: anInstant,
        },
      },
    ],
    [
      'disclosure',
      {
        ...{ id: newDisclosureId(), patient_id: patient, disclosed_at: anInstant, purpose: 'legal' },
        ...{ recipient_kind: 'court', accountable: true, recipient_name: randomBytes(40) },
        ...{ what: randomBytes(40), why: randomBytes(40), recorded_at: anInstant },
      },
    ],
    [
      'disclosure_suspension',
      {
        ...{ id: newSuspensionId(), patient_id: patient, recipient_kind: 'law_enforcement', form: 'written' },
        ...{ agency: randomBytes(40), statement: randomBytes(40), from_at: anInstant, until_at: later },
        ...{ recorded_at: anInstant },
      },
    ],
    [
      'activity_review',
      {
        id: review,
        from_at: anInstant,
        to_at: later,
        opened_at: later,
        due_at: new Date(later.getTime() + 1),
      },
    ],
    [
      'activity_finding',
      { review_id: review, number: 1, kind: 'after_hours', event_ids: [eventId], event_count: 1 },
    ],
    ['app_user', { id: other, login: 'other', name: 'Another', created_at: anInstant }],
    [
      'role_request',
      {
        ...{ id: newRoleRequestId(), user_id: userId, role: 'supervisor', requested_by: other },
        ...{ requested_at: anInstant, reason: randomBytes(40) },
      },
    ],
    ['team', { id: team, name: 'Front desk', created_at: anInstant }],
    ['team_member', { team_id: team, user_id: userId }],
    ['team_mailbox', { team_id: team, mailbox_id: mailboxId }],
    [
      'delegation',
      {
        ...{ id: newDelegationId(), mailbox_id: mailboxId, from_user_id: userId, to_user_id: other },
        ...{ created_by: userId, created_at: anInstant, starts_at: anInstant, until: later },
      },
    ],
    [
      'passkey',
      {
        ...{ id: newPasskeyId(), user_id: userId, credential_id: 'credential', public_key: randomBytes(77) },
        ...{ sign_count: 0, transports: [], is_multi_device: false, is_backed_up: false, aaguid: 'model' },
        ...{ name: 'A key', created_at: anInstant },
      },
    ],
    ['recovery_code', { user_id: userId, code_hash: randomBytes(32), created_at: anInstant }],
    [
      'emergency_code',
      {
        ...{ id: newEmergencyCodeId(), user_id: userId, code_hash: randomBytes(32), issued_by: other },
        ...{ created_at: anInstant, expires_at: later },
      },
    ],
    [
      'invitation',
      {
        ...{ id: newInvitationId(), user_id: other, secret_hash: randomBytes(32), created_by: userId },
        ...{ created_at: anInstant, expires_at: later },
      },
    ],
    [
      'attempt',
      {
        ...{ id: newAttemptId(), kind: 'passkey', user_id: userId, data: randomBytes(60) },
        ...{ created_at: anInstant, expires_at: later },
      },
    ],
    [
      'break_glass',
      {
        ...{ id: newBreakGlassId(), user_id: userId, token_id: newTokenId(), reason: randomBytes(40) },
        ...{ started_at: anInstant, until: later, review_due_at: later },
      },
    ],
    [
      'alert',
      {
        ...{ id: newAlertId(), kind: 'break_glass_started', subject_type: 'user', subject_id: userId },
        ...{ raised_at: anInstant },
      },
    ],
    [
      'identity_provider',
      {
        ...{ id: provider, name: 'Directory', issuer: 'https://idp.example', client_id: 'auricle' },
        ...{ client_secret: randomBytes(40), settings: {}, created_at: anInstant },
      },
    ],
    [
      'external_identity',
      { provider_id: provider, subject: 'subject', user_id: userId, created_at: anInstant },
    ],
    ['spent_token', { issuer_id: provider, jti: randomBytes(8).toString('hex'), expires_at: later }],
    [
      'token_issuer',
      {
        ...{ id: issuer, name: 'Programs', issuer: `https://${tenantId}.example`, audience: 'auricle' },
        ...{ settings: {}, created_at: anInstant },
      },
    ],
    [
      'issuer_subject',
      { issuer_id: issuer, subject: 'program', user_id: userId, scopes: [], created_at: anInstant },
    ],
  ]
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query("select set_config('auricle.tenant', $1, true)", [tenantId])
    const { rows: found } = await client.query<{ id: string }>('select id from auricle.recording limit 1')
    const recordingId = found[0]?.id
    if (recordingId !== undefined) rows.push(...endOfLifeRows({ recordingId, userId, mailboxId }, later))
    for (const [table, row] of rows) {
      const columns = ['tenant_id', ...Object.keys(row)]
      const places = columns.map((_, index) => `$${index + 1}`)
      await client.query(
        `insert into auricle.${table} (${columns.join(', ')}) values (${places.join(', ')})`,
        [tenantId, ...Object.values(row)],
      )
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

type Row = readonly [table: string, row: Readonly<Record<string, unknown>>]

function endOfLifeRows(
  { recordingId, userId, mailboxId }: { recordingId: string } & Pick<TestTenant, 'userId' | 'mailboxId'>,
  later: Date,
): Row[] {
  const rule = newRuleId()
  const hold = newHoldId()
  const disposition = newDispositionId()
  const run = newDriftRunId()
  const schedule = newReportScheduleId()
  const from = anInstant
  return [
    ['retention_rule', { id: rule, name: 'A rule', created_at: from }],
    ['retention_rule_version', { rule_id: rule, version: 1, effect: 'lengthens', proposed_at: from }],
    [
      'retention_event',
      {
        id: newRetentionEventId(),
        kind: 'case_closed',
        recording_id: recordingId,
        at: from,
        recorded_at: from,
      },
    ],
    [
      'record_set_decision',
      {
        ...{ id: newRecordSetDecisionId(), mailbox_id: mailboxId, decision: 'in' },
        ...{ rationale: randomBytes(40), decided_at: from },
      },
    ],
    [
      'retention_decision',
      {
        ...{ recording_id: recordingId, decided_at: new Date(0), superseded_at: from, revision: 0 },
        ...{ status: 'unruled', keep_until: later, disposal: 'none', locked: true },
      },
    ],
    ['legal_hold', { id: hold, matter: randomBytes(40), placed_at: from }],
    ['hold_clause', { hold_id: hold, number: 1, shown: randomBytes(40), added_at: from }],
    ['hold_cover', { hold_id: hold, recording_id: recordingId, covered_at: from }],
    ['hold_custodian', { hold_id: hold, user_id: userId, added_at: from }],
    ['disposition', { id: disposition, state: 'proposed', kind: 'review', proposed_at: from, stages: 1 }],
    [
      'disposition_review',
      {
        disposition_id: disposition,
        ...{ stage: 1, reviewed_by: userId, reviewed_at: from, verdict: 'approve' },
      },
    ],
    [
      'disposition_item',
      {
        ...{ disposition_id: disposition, recording_id: recordingId, state: 'listed', rule_id: rule },
        ...{ rule_version: 1, keep_until: from, due_at: from, changed_at: from },
      },
    ],
    [
      'destroyed_object',
      {
        ...{ recording_id: recordingId, store: 'primary', object_key: 'a/key', generation: '1' },
        ...{ role: 'original', sealed_bytes: 1, destroyed_at: from },
      },
    ],
    [
      'certificate',
      {
        ...{ id: newCertificateId(), recording_id: recordingId, disposition_id: disposition },
        ...{ event_id: newEventId(), claims: {}, last_copy_at: later },
      },
    ],
    ['store_work', { recording_id: recordingId, due_at: later, asked_at: from }],
    ['drift_run', { id: run, started_at: from }],
    [
      'drift_finding',
      { run_id: run, number: 1, kind: 'missing', store: 'primary', object_key: 'a/key', mended: false },
    ],
    [
      'report_schedule',
      {
        ...{ id: schedule, name: 'Monthly', sections: ['status'], formats: ['json'], every: 'month' },
        ...{ to_store: true, next_run_at: later, created_at: from },
      },
    ],
    ['report_run', { id: newReportRunId(), schedule_id: schedule, as_of: from, started_at: from }],
  ]
}
