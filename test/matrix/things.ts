// Things of a tenant that a call is about, made for that call alone: through the catalog where something is sealed.
import { randomBytes } from 'node:crypto'
import { formatVerifierKey, receiptKeyName, verifierKey } from '@auricle/audit'
import {
  type ConnectorId,
  EventId,
  type MailboxId,
  newAlertId,
  newBreakGlassId,
  newDelegationId,
  newDispositionId,
  newDriftRunId,
  newEmergencyCodeId,
  newHoldId,
  newIssuerId,
  newPasskeyId,
  newProviderId,
  newReportRunId,
  newReportScheduleId,
  newRetentionEventId,
  newReviewId,
  newRoleRequestId,
  newRuleId,
  newSuspensionId,
  newTeamId,
  newTokenId,
  newWriterId,
  type PatientId,
  ProviderSettings,
  type RecordingId,
  type Role,
  RuleDefinition,
  type RuleId,
  type TeamId,
  type TokenId,
  type UserId,
  type WriterId,
} from '@auricle/contract'
import { newTotp } from '@auricle/identity'
import {
  assignMailbox,
  auditRecord,
  createConnector,
  createMailbox,
  createUser,
  decideAgain,
  endorseReceiptKey,
} from '@auricle/vault'
import { anIntake, aRecording, someObjects } from '../catalog-fixture.ts'
import { destroyRows } from '../destroyed.ts'
import { addRule, leaveOutOfRecordSet, makeOld } from '../disposition-vault.ts'
import { sealLog } from '../sealed-log.ts'
import type { TestVault } from '../vault.ts'
import { openAccess } from './emergency.ts'
import { operatorDid } from './operator.ts'
import { minuteMs, type Side } from './world.ts'

export interface Things {
  readonly unique: () => string
  person(roles?: readonly Role[], kind?: 'person' | 'service'): Promise<UserId>
  /** Somebody who could sign in with a one-time code. */
  personWithTotp(): Promise<UserId>
  token(userId: UserId, purpose: 'session' | 'personal' | 'service'): Promise<TokenId>
  recording(mailboxId: MailboxId | null, label: string): Promise<RecordingId>
  mailbox(owners: readonly UserId[]): Promise<MailboxId>
  team(members?: readonly UserId[], mailboxes?: readonly MailboxId[]): Promise<TeamId>
  delegation(mailboxId: MailboxId, from: UserId, to: UserId): Promise<string>
  roleRequest(userId: UserId, requestedBy: UserId): Promise<string>
  breakGlass(userId: UserId, state: 'open' | 'over'): Promise<string>
  alert(): Promise<string>
  activityReview(): Promise<string>
  reportSchedule(): Promise<string>
  reportRun(): Promise<string>
  /** A recording that is gone, with its certificate. */
  destroyed(): Promise<RecordingId>
  driftRun(): Promise<string>
  patient(): Promise<PatientId>
  /** With a private part; in no tree yet. */
  event(): Promise<EventId>
  sealedEvent(): Promise<EventId>
  /** All that there is. */
  seal(): Promise<void>
  suspension(): Promise<string>
  /** A rule whose one version shortens, and waits for somebody else than who proposed it. */
  shorterRule(): Promise<RuleId>
  retentionEvent(): Promise<string>
  hold(recordings?: readonly RecordingId[], custodians?: readonly UserId[]): Promise<string>
  /** One that the rules have done with. */
  dueRecording(): Promise<RecordingId>
  /** Up for review, by the vault. */
  disposition(): Promise<string>
  /** Of which writer. */
  receiptKey(): Promise<WriterId>
  emergencyCode(userId: UserId): Promise<string>
  passkey(userId: UserId): Promise<string>
  provider(): Promise<string>
  issuer(): Promise<string>
  issuerSubject(issuer: string, user: UserId): Promise<string>
  connector(): Promise<ConnectorId>
  /** One whose secret was changed a moment ago. */
  rotatedConnector(): Promise<ConnectorId>
}

/** As administrators write them down. */
/** Where nobody listens. */
export const nowhere = 'http://127.0.0.1:9'
export const providerSettings = { requiredAmr: ['mfa'] }
export const issuerSettings = { jwksUri: 'https://issuer.example/jwks', algorithms: ['ES256'] }

export function thingsOf(vault: TestVault, { clinic, tenantId, colleague }: Side): Things {
  const { catalog } = vault
  const sql = (text: string, values: unknown[]) => vault.database.superuserPool.query(text, values)
  const at = (minutes: number) => new Date(Date.now() + minutes * minuteMs)
  const unique = () =>
    `m${randomBytes(6)
      .toString('hex')
      .replaceAll(/\d/g, digit => 'ghijklmnop'.charAt(Number(digit)))}`
  const columns = async () => (await vault.secrets.get(tenantId, {})).columns
  const event = () => operatorDid(tenantId)
  const user = async (roles: readonly Role[], kind: 'person' | 'service', totpSecret: string | null) => {
    const login = unique()
    const facts = { tenantId, login, name: login, roles, kind, passwordHash: null, totpSecret }
    return (await createUser(vault, facts, {})).id
  }
  let weeks = 0
  const patient = async () => {
    const id = await catalog.ensurePatient(tenantId, unique(), await columns())
    if (id === null) throw new Error('a reference of a test is blank')
    return id
  }
  const connector = async () => {
    const made = { ...clinic.connectorRow, name: unique(), pbxSecrets: { nothing: true } }
    return (await createConnector(vault, made, {})).id
  }
  const recording: Things['recording'] = async (mailboxId, label) => {
    const tenant = { tenantId, slug: clinic.tenant.slug, userId: colleague, login: 'colleague' }
    const keys = await columns()
    const of = {
      ...tenant,
      mailboxId: clinic.mailbox.id,
      connectorId: clinic.connectorRow.id,
      columns: keys,
    }
    const intake = anIntake(of)
    await catalog.commitIntake(intake, await event())
    const facts = aRecording(of, intake, { mailboxId })
    await catalog.commitArchive(facts, someObjects(facts.id), keys, await event())
    const labels = label === 'none' ? [] : [label]
    await sql('update auricle.recording set labels = $3 where tenant_id = $1 and id = $2', [
      tenantId,
      facts.id,
      labels,
    ])
    return facts.id
  }
  const things: Things = {
    unique,
    recording,
    async destroyed() {
      const recordingId = await recording(clinic.mailbox.id, 'none')
      const parts = { pool: vault.database.appPool, catalog }
      await destroyRows(parts, { tenantId, recordingId }, { at: new Date() })
      return recordingId
    },
    person: (roles = ['clinician'], kind = 'person') => user(roles, kind, null),
    personWithTotp: () => user(['clinician'], 'person', newTotp({ issuer: 'test', account: 'test' }).secret),
    async token(userId, purpose) {
      const id = newTokenId()
      const isSession = purpose === 'session'
      const row = { id, tenantId, userId, purpose, createdAt: new Date(), expiresAt: at(60), idleMs: null }
      const rest = {
        scopes: isSession ? null : (['recordings.read'] as const),
        name: 'a program',
        verifiedAt: null,
      }
      await catalog.addToken({ ...row, ...rest, secretHash: null, factors: [] }, await event())
      return id
    },
    async mailbox(owners) {
      const { id } = await createMailbox(vault, { tenantId, address: unique(), name: 'A mailbox' }, {})
      for (const owner of owners) await assignMailbox(vault, { tenantId, id }, { id: owner }, {})
      return id
    },
    async team(members = [], mailboxes = []) {
      const id = newTeamId()
      await catalog.createTeam({ id, tenantId, name: unique(), createdAt: new Date() }, await event())
      for (const userId of members) {
        await catalog.setTeamMember({ tenantId, teamId: id, userId, supervises: false }, await event())
      }
      for (const mailboxId of mailboxes) {
        await catalog.addTeamMailbox({ tenantId, teamId: id, mailboxId }, await event())
      }
      return id
    },
    async delegation(mailboxId, fromUserId, toUserId) {
      const id = newDelegationId()
      const times = { createdAt: new Date(), startsAt: at(-1), until: at(60) }
      const row = { id, tenantId, mailboxId, fromUserId, toUserId, createdBy: fromUserId, ...times }
      await catalog.createDelegation(row, await event())
      return id
    },
    async roleRequest(userId, requestedBy) {
      const id = newRoleRequestId()
      const facts = { role: 'auditor', reason: 'of a test', until: null, requestedAt: new Date() } as const
      const request = { id, tenantId, userId, requestedBy, ...facts }
      await catalog.requestRole(request, at(-60), await columns(), await event())
      return id
    },
    breakGlass: (userId, state) => openAccess(vault, tenantId, userId, at(state === 'open' ? 30 : -1)),
    async alert() {
      const id = newAlertId()
      await sql(
        `insert into auricle.alert (tenant_id, id, kind, subject_type, subject_id, raised_at)
         values ($1, $2, 'review_overdue', 'break_glass', $3, now())`,
        [tenantId, id, newBreakGlassId()],
      )
      return id
    },
    patient,
    async event() {
      const actor = { type: 'system', name: 'operator' } as const
      const facts = { tenantId, action: 'token.listed', outcome: 'allowed', actor, object: null } as const
      const { privateParts: key } = await vault.secrets.get(tenantId, {})
      const made = await auditRecord({ ...facts, request: null }, { part: { ip: '192.0.2.7' }, key })
      await catalog.appendEvents([made])
      return made.id
    },
    async sealedEvent() {
      const found = await sql(
        'select event_id from auricle.audit_seal where tenant_id = $1 order by seq desc limit 1',
        [tenantId],
      )
      return EventId.parse(found.rows[0]?.event_id)
    },
    async seal() {
      const isLate = async () =>
        (await catalog.listUnsealed()).some(({ oldest }) => Date.now() - oldest.getTime() > minuteMs / 4)
      // Of several at once one keeps the log, of both tenants.
      do await sealLog(vault, tenantId)
      while (await isLate())
    },
    async receiptKey() {
      const id = newWriterId()
      const name = receiptKeyName('log.test', id)
      const key = formatVerifierKey(verifierKey(name, 'ed25519', randomBytes(32)))
      const parts = { keys: vault.keyService, store: vault.logStore, logName: 'log.test' }
      await endorseReceiptKey(parts, { id, verifierKey: key }, {})
      return id
    },
    async suspension() {
      const times = { from: at(-60), until: at(60), recordedAt: new Date(), endedAt: null }
      const words = { form: 'written', agency: 'An agency', statement: 'of a test' } as const
      const row = { tenantId, id: newSuspensionId(), patientId: await patient(), ...words, ...times }
      const whole = { ...row, recipientKind: 'law_enforcement', recordedBy: colleague } as const
      await catalog.addSuspension(whole, await columns(), await event())
      return whole.id
    },
    async shorterRule() {
      const id = newRuleId()
      const definition = RuleDefinition.parse({ keep: { years: 1 }, dispose: 'automatic' })
      const proposed = { version: 1, definition, effect: 'shortens', proposedAt: new Date() } as const
      const nothing = { approvedAt: null, approvedBy: null, effectiveFrom: null, appliedAt: null }
      const version = { ruleId: id, name: unique(), ...proposed, ...nothing, proposedBy: colleague }
      const made = await event()
      await catalog.changeRules(tenantId, async () => {
        return { version: { ...version, withdrawnAt: null, withdrawnBy: null }, events: [made] }
      })
      return id
    },
    async retentionEvent() {
      const recorded = { at: at(-60), recordedAt: new Date(), recordedBy: colleague }
      const row = { tenantId, id: newRetentionEventId(), kind: 'discharged', ...recorded } as const
      const whole = { ...row, subject: { patientId: await patient() }, withdrawnAt: null, withdrawnBy: null }
      await catalog.addRetentionEvent(whole, await event())
      return whole.id
    },
    async dueRecording() {
      const mailboxId = await things.mailbox([])
      const appliesTo = { kinds: null, mailboxes: [mailboxId], labels: null, recordSet: null }
      await addRule(vault, tenantId, { appliesTo, dispose: 'review' })
      await leaveOutOfRecordSet(vault, tenantId, mailboxId)
      const id = await things.recording(mailboxId, 'none')
      await makeOld(vault, tenantId, id)
      return id
    },
    async disposition() {
      const recordingId = await things.dueRecording()
      await decideAgain(vault, tenantId, [recordingId], { onlyStale: false }, {})
      const disposition = {
        id: newDispositionId(),
        tenantId,
        kind: 'review',
        at: new Date(),
        by: null,
      } as const
      await catalog.openDisposition(disposition, [recordingId], event)
      return disposition.id
    },
    async hold(recordings = [], custodians = []) {
      const id = newHoldId()
      const nobody = { clauses: [], recordings, custodians: [] }
      const row = {
        tenantId,
        id,
        by: colleague,
        at: new Date(),
        matter: 'of a test',
        notice: null,
        ...nobody,
      }
      await catalog.placeHold(row, await columns(), event)
      // Programs too, whom the vault would not take.
      await sql(
        `insert into auricle.hold_custodian (tenant_id, hold_id, user_id, added_at)
         select $1, $2, c.id, now() from unnest($3::text[]) c (id)`,
        [tenantId, id, custodians],
      )
      return id
    },
    async activityReview() {
      const id = newReviewId()
      await sql(
        `insert into auricle.activity_review (tenant_id, id, from_at, to_at, opened_at, due_at)
         select $1, $2, t, t + interval '7 days', now(), now() + interval '7 days'
         from (select '2020-01-06'::timestamptz + $3::int * interval '7 days' as t) w`,
        // Each of a week of its own.
        [tenantId, id, weeks++],
      )
      return id
    },
    async reportSchedule() {
      const id = newReportScheduleId()
      await sql(
        `insert into auricle.report_schedule (tenant_id, id, name, sections, formats, every, to_store, next_run_at,
           created_at)
         values ($1, $2, 'Monthly', '{status}', '{pdf}', 'month', true, now() + interval '1 month', now())`,
        [tenantId, id],
      )
      return id
    },
    async reportRun() {
      const id = newReportRunId()
      await sql(
        `insert into auricle.report_run (tenant_id, id, schedule_id, as_of, started_at)
         values ($1, $2, $3, now(), now())`,
        [tenantId, id, await this.reportSchedule()],
      )
      return id
    },
    async driftRun() {
      const run = { tenantId, id: newDriftRunId(), startedAt: new Date() }
      await catalog.openDriftRun(run, null)
      return run.id
    },
    async emergencyCode(userId) {
      const id = newEmergencyCodeId()
      const row = { id, tenantId, userId, issuedBy: colleague, createdAt: new Date(), expiresAt: at(60) }
      await catalog.addEmergencyCodes([{ row, hash: randomBytes(32), event: await event() }])
      return id
    },
    async passkey(userId) {
      const id = newPasskeyId()
      await sql(
        `insert into auricle.passkey (tenant_id, id, user_id, credential_id, public_key, sign_count, transports,
           is_multi_device, is_backed_up, aaguid, name, created_at)
         values ($1, $2, $3, $4, $5, 0, '{}', false, false, '00000000-0000-0000-0000-000000000000', 'a key', now())`,
        [tenantId, id, userId, randomBytes(16).toString('base64url'), randomBytes(32)],
      )
      return id
    },
    async provider() {
      const id = newProviderId()
      const facts = {
        name: unique(),
        issuer: nowhere,
        clientId: 'auricle',
        settings: ProviderSettings.parse(providerSettings),
      }
      const row = { tenantId, id, ...facts, createdAt: new Date(), disabledAt: null }
      await catalog.createProvider(row, 'a secret of a test', await columns(), {
        event: await event(),
        alert: null,
      })
      return id
    },
    async issuer() {
      const id = newIssuerId()
      await sql(
        `insert into auricle.token_issuer (tenant_id, id, name, issuer, audience, settings, created_at)
         values ($1, $2, $3, $3, 'auricle', $4, now())`,
        [tenantId, id, unique(), JSON.stringify(issuerSettings)],
      )
      return id
    },
    async issuerSubject(issuer, userId) {
      const subject = unique()
      await sql(
        `insert into auricle.issuer_subject (tenant_id, issuer_id, subject, user_id, scopes, created_at)
         values ($1, $2, $3, $4, '{recordings.read}', now())`,
        [tenantId, issuer, subject, userId],
      )
      return subject
    },
    connector,
    async rotatedConnector() {
      const id = await connector()
      await sql(
        `update auricle.connector set previous_sealed_secrets = sealed_secrets, previous_until = $3
         where tenant_id = $1 and id = $2`,
        [tenantId, id, at(60)],
      )
      return id
    },
  }
  return things
}
