// The contract of the catalog: every row the vault keeps, and the commit points of its use cases.
//
// Every method that names a tenant runs under that tenant's row-level security. The few that do not are the
// directory: they answer from an id or a short name which tenant it belongs to, and nothing of PHI.
// Absence is null. Failures are `CatalogError`. Times are `Date`, sizes are bytes.
import type { AuditRecord, StampedRecord, StoredRecord } from '@auricle/audit'
import type {
  AudioState,
  BreakGlassId,
  CallDirection,
  ConnectorId,
  EventId,
  Factor,
  HoldId,
  IntakeId,
  Label,
  MailboxId,
  ObjectRole,
  PatientId,
  RecordingId,
  RecordingKind,
  RelationKind,
  Scope,
  TenantId,
  TokenId,
  UserId,
  Wrap,
} from '@auricle/contract'
import type { ActivityReviewCatalog } from './activity-reviews.ts'
import type { AlertCatalog, RaisedAlert } from './alerts.ts'
import type { AnchorCatalog } from './anchor-store.ts'
import type { AttemptCatalog } from './attempts.ts'
import type { AuditSearchCatalog } from './audit-search.ts'
import type { BreakGlassCatalog } from './break-glass.ts'
import type { CertificateCatalog } from './certificates.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { ConnectorChangeCatalog } from './connector-changes.ts'
import type { CoverCatalog } from './cover.ts'
import type { DestructionCatalog } from './destructions.ts'
import type { DisclosureCatalog } from './disclosures.ts'
import type { DispositionCatalog } from './dispositions.ts'
import type { DriftCatalog } from './drift.ts'
import type { EmergencyCodeCatalog } from './emergency-codes.ts'
import type { FactorCatalog } from './factors.ts'
import type { FirstFactsCatalog } from './first-facts.ts'
import type { GrantCatalog } from './grants.ts'
import type { HoldCatalog } from './holds.ts'
import type { InvitationCatalog } from './invitations.ts'
import type { IssuerCatalog } from './issuers.ts'
import type { LogCustodyCatalog } from './log-custody.ts'
import type { LogReadingCatalog } from './log-reading.ts'
import type { LogCatalog } from './log-store.ts'
import type { OwnTokenCatalog } from './own-tokens.ts'
import type { PasskeyCatalog } from './passkeys.ts'
import type { PatientCatalog } from './patients.ts'
import type { PeopleCatalog } from './people.ts'
import type { ProviderSignInCatalog } from './provider-sign-in.ts'
import type { ProviderCatalog } from './providers.ts'
import type { RecordSetCatalog } from './record-set.ts'
import type { RecoveryCodeCatalog } from './recovery-codes.ts'
import type { ReportScheduleCatalog } from './report-schedules.ts'
import type { KeptDecision, RetentionDecisionCatalog } from './retention-decisions.ts'
import type { RetentionEventCatalog } from './retention-events.ts'
import type { RetentionFactsCatalog } from './retention-facts.ts'
import type { RetentionPageCatalog } from './retention-pages.ts'
import type { RetentionReportCatalog } from './retention-report.ts'
import type { RetentionRuleCatalog } from './retention-rules.ts'
import type { RetentionSettingsCatalog } from './retention-settings.ts'
import type { RetentionStandingCatalog } from './retention-standing.ts'
import type { RoleRequestCatalog } from './role-requests.ts'
import type { ServiceAccountCatalog } from './service-accounts.ts'
import type { SessionsCatalog } from './sessions.ts'
import type { StoreWorkCatalog, Wanted } from './store-work.ts'
import type { TeamCatalog } from './teams.ts'
import type { TenantLimitsCatalog } from './tenant-limits.ts'

export interface QueryOptions {
  /** Abort means: stop waiting. A write may have been committed all the same. */
  readonly signal?: AbortSignal | undefined
}

export interface TenantRow {
  readonly id: TenantId
  /** Short name used at sign-in; lower-case letters, digits, hyphens. */
  readonly slug: string
  readonly name: string
  /** Days that a recording is kept at least, from its start. */
  readonly keepDays: number
  /** The tenant's column secret (32 bytes), wrapped under its `recordings` key. */
  readonly columnSecret: Wrap
  readonly createdAt: Date
  readonly access: AccessLimits
}

/** How long sign-ins and emergency access last with this tenant. */
export interface AccessLimits {
  /** Without a request for as long, a session ends. */
  readonly idleMs: number
  /** However busy, a session ends after this. */
  readonly sessionMs: number
  readonly breakGlassMs: number
  /** Within this, emergency access must be reviewed. */
  readonly reviewMs: number
}

export interface UserRow {
  readonly id: UserId
  readonly tenantId: TenantId
  readonly login: string
  readonly name: string
  /** A `service` is a machine: it has tokens and no way to sign in. */
  readonly kind: 'person' | 'service'
  /** Those in force now. */
  readonly roles: readonly string[]
  readonly createdAt: Date
  readonly disabledAt: Date | null
}

/** What a person may come to, as `can` asks for it. */
export interface AccessFacts {
  readonly roles: readonly string[]
  readonly mailboxes: readonly {
    readonly mailboxId: MailboxId
    readonly kind: RelationKind
    readonly until: Date | null
  }[]
  readonly breakGlass: { readonly id: BreakGlassId; readonly until: Date } | null
}

/** What is known of a token that holds. */
export interface HeldToken {
  readonly kind: TokenRow['purpose']
  readonly scopes: readonly Scope[] | null
  /** Of an opaque token, to be compared with the one that was shown. */
  readonly secretHash: Uint8Array | null
  /** When its person last showed a second factor. */
  readonly verifiedAt: Date | null
}

export interface BearerFacts {
  readonly user: UserRow
  readonly access: AccessFacts
  readonly token: HeldToken & { readonly expiresAt: Date; readonly idleMs: number | null }
}

/** What sign-in needs; `totpSecret` is opened with the column keys. */
export interface UserCredentials {
  readonly user: UserRow
  /** Null for somebody who signs in by other ways only. */
  readonly passwordHash: string | null
  readonly totpSecret: string | null
  /** The last TOTP time step accepted, which may not be used again; null before the first. */
  readonly totpLastStep: number | null
  readonly failedAttempts: number
  readonly lockedUntil: Date | null
}

export interface MailboxRow {
  readonly id: MailboxId
  readonly tenantId: TenantId
  /** Extension or queue as PBXs name it. */
  readonly address: string
  readonly name: string
  readonly ownerIds: readonly UserId[]
}

export interface ConnectorRow {
  readonly id: ConnectorId
  readonly tenantId: TenantId
  readonly kind: string
  readonly name: string
  readonly defaultMailboxId: MailboxId | null
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly allowedHosts: readonly AllowedHost[]
  /** Sealed under the tenant's `connectors` key (a sealed object holding JSON). */
  readonly sealedSecrets: Uint8Array
  /** Whose index key counts; null while it is that of `sealedSecrets`. */
  readonly firstSealedSecrets: Uint8Array | null
  /** What was valid before, sealed likewise, and until when it still is; exclusive. */
  readonly previous: { readonly sealedSecrets: Uint8Array; readonly until: Date } | null
  /** When a delivery was last made with it, to a minute. */
  readonly previousUsedAt: Date | null
  readonly createdAt: Date
  readonly disabledAt: Date | null
}

/** An origin audio may be fetched from. Private addresses only within `privateCidr`, and plain http only there. */
export interface AllowedHost {
  readonly origin: string
  readonly privateCidr: string | null
}

export type IntakeState = 'received' | 'archived' | 'quarantined'

export interface IntakeRow {
  readonly id: IntakeId
  readonly tenantId: TenantId
  readonly connectorId: ConnectorId
  /** HMAC of the PBX's source id; unique within the connector. */
  readonly sourceKey: Uint8Array
  /** HMAC of the audio bytes; null where the audio is still to be fetched. */
  readonly contentMac: Uint8Array | null
  /** Minted with the intake, so that an archive run twice makes one recording. */
  readonly recordingId: RecordingId
  readonly state: IntakeState
  /** Where the sealed audio lies; null where it is still to be fetched. */
  readonly objectKey: string | null
  /** Length of the audio; null where it is still to be fetched. */
  readonly audioBytes: number | null
  /** The notice, sealed (a sealed object holding JSON); null once the recording is destroyed. */
  readonly sealedNotice: Uint8Array | null
  readonly receivedAt: Date
  readonly attempts: number
  /** Not before this time will it be tried again. */
  readonly nextAttemptAt: Date
  /** A stable word for the last failure; never a message. */
  readonly lastErrorCode: string | null
}

export type NewIntake = Omit<IntakeRow, 'state' | 'attempts' | 'nextAttemptAt' | 'lastErrorCode'> & {
  readonly sealedNotice: Uint8Array
}

export interface StoredObject {
  readonly role: ObjectRole
  readonly objectKey: string
  readonly generation: string
  readonly sealedBytes: number
  readonly plaintextBytes: number
  readonly contentType: string
  /** SHA-256 over prefix and trailer of the sealed object. */
  readonly fingerprint: Uint8Array
  /** Newest wrap after a rewrap; null while the one in the object is current. */
  readonly wrap: Wrap | null
}

/** An object that was just stored. */
export interface NewObject extends StoredObject {
  /** Until when the store keeps it; null: not at all. */
  readonly storeUntil: Date | null
  /** Whether nobody can take that back. */
  readonly storeLocked: boolean
}

/** An object as the catalog keeps it, and where its copy in the recovery store stands. */
export interface KeptObject extends StoredObject {
  /** Null while no copy is known to be there. */
  readonly copy: { readonly generation: string; readonly replicatedAt: Date } | null
}

/** A copy that was made, and how the recovery store keeps it. */
export interface MadeCopy {
  readonly role: ObjectRole
  readonly generation: string
  readonly until: Date | null
  readonly held: boolean
}

/** What replicating a recording needs to know. */
export interface ReplicationFacts extends Wanted {
  /** How often it failed so far. */
  readonly attempts: number
  readonly objects: readonly KeptObject[]
}

/** Facts of a recording; what may identify a patient is sealed in its columns. */
export interface RecordingFacts {
  readonly id: RecordingId
  readonly tenantId: TenantId
  readonly connectorId: ConnectorId
  readonly intakeId: IntakeId
  readonly mailboxId: MailboxId | null
  readonly kind: RecordingKind
  readonly direction: CallDirection | null
  readonly sourceId: string
  readonly from: string | null
  readonly fromName: string | null
  readonly to: string | null
  readonly patientReference: string | null
  /** The random name that the log has for the patient. */
  readonly patientId: PatientId | null
  readonly note: string | null
  readonly startedAt: Date
  readonly receivedAt: Date
  readonly archivedAt: Date
  readonly durationMs: number | null
  readonly channels: number | null
  readonly codec: string | null
  readonly audioState: AudioState
  /** The tenant's minimum; rules keep it longer, never shorter. */
  readonly retainUntil: Date
}

export interface NewRecording extends RecordingFacts {
  readonly decision: KeptDecision & { readonly revision: number }
}

export interface RecordingRow extends RecordingFacts {
  /** What the rules say of it. */
  readonly decision: Pick<KeptDecision, 'status' | 'keepUntil' | 'dueAt'>
  /** Legal holds that cover it. */
  readonly holdIds: readonly HoldId[]
  readonly mailbox: Pick<MailboxRow, 'id' | 'address' | 'name'> | null
  readonly labels: readonly Label[]
  readonly heardAt: Date | null
  readonly heardBy: UserId | null
  readonly originalContentType: string
  readonly originalBytes: number
}

export interface RecordingFilter {
  /** Only recordings of these mailboxes; null for all of the tenant. */
  readonly mailboxIds: readonly MailboxId[] | null
  /** Recordings with any of these labels are left out. */
  readonly withoutLabels: readonly Label[]
  readonly label?: Label | undefined
  readonly kind?: RecordingKind | undefined
  /** Start of recording: `after` inclusive, `before` exclusive. */
  readonly after?: Date | undefined
  readonly before?: Date | undefined
  /** Exact number of either party; compared by its digits through the blind index. */
  readonly number?: string | undefined
  readonly heard?: boolean | undefined
  /** Whether a legal hold covers it. */
  readonly held?: boolean | undefined
  /** As given by the page before; `CatalogError('bad_cursor')` for anything else. */
  readonly cursor?: string | undefined
  readonly limit: number
}

/** What a play decision needs, in one query: the token, the person, the recording and one of its objects. */
export interface PlayFacts {
  readonly userId: UserId
  /** Of the recording's mailbox alone, where there is a recording. */
  readonly access: AccessFacts
  readonly token: HeldToken
  /** Null where the tenant has no such recording. */
  readonly recording: {
    readonly id: RecordingId
    readonly mailboxId: MailboxId | null
    /** The patient's random name; null where there is none, or none yet. */
    readonly patientId: PatientId | null
    readonly labels: readonly Label[]
    readonly audioState: AudioState
    readonly durationMs: number | null
  } | null
  /** Null where the recording has no object of that role. */
  readonly object: StoredObject | null
}

export interface TokenRow {
  readonly id: TokenId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly purpose: 'session' | 'personal' | 'service'
  readonly createdAt: Date
  readonly expiresAt: Date
  /** Without use for as long, it ends; null for never. */
  readonly idleMs: number | null
  /** Null for a session; for a program's token what it may be used for. */
  readonly scopes: readonly Scope[] | null
  /** What its person calls it. */
  readonly name: string | null
  /** Of an opaque token; null for one that is signed. */
  readonly secretHash: Uint8Array | null
  readonly factors: readonly Factor[]
  readonly verifiedAt: Date | null
  /** Sealed by `sealOrigin`: where it was made. Default: not known. */
  readonly origin?: Uint8Array | null
}

export interface SigningKeyRow {
  readonly kid: string
  readonly publicJwk: Readonly<Record<string, unknown>>
  /** Sealed under the deployment's `identity` key. */
  readonly sealedPrivateJwk: Uint8Array
  readonly createdAt: Date
  readonly retiredAt: Date | null
}

export interface OutboxRow {
  readonly id: string
  readonly tenantId: TenantId
  readonly intakeId: IntakeId
}

export interface Catalog
  extends PeopleCatalog,
    PatientCatalog,
    RetentionDecisionCatalog,
    RetentionPageCatalog,
    RetentionStandingCatalog,
    FirstFactsCatalog,
    RoleRequestCatalog,
    GrantCatalog,
    TeamCatalog,
    CoverCatalog,
    SessionsCatalog,
    AlertCatalog,
    ActivityReviewCatalog,
    BreakGlassCatalog,
    CertificateCatalog,
    EmergencyCodeCatalog,
    AttemptCatalog,
    IssuerCatalog,
    ProviderCatalog,
    ProviderSignInCatalog,
    PasskeyCatalog,
    RecoveryCodeCatalog,
    FactorCatalog,
    InvitationCatalog,
    OwnTokenCatalog,
    ConnectorChangeCatalog,
    ServiceAccountCatalog,
    TenantLimitsCatalog,
    StoreWorkCatalog,
    DriftCatalog,
    AuditSearchCatalog,
    DisclosureCatalog,
    DispositionCatalog,
    DestructionCatalog,
    HoldCatalog,
    RetentionSettingsCatalog,
    RetentionRuleCatalog,
    RetentionFactsCatalog,
    RetentionEventCatalog,
    RecordSetCatalog,
    LogCatalog,
    LogReadingCatalog,
    AnchorCatalog,
    LogCustodyCatalog,
    RetentionReportCatalog,
    ReportScheduleCatalog {
  // --- the directory: no tenant yet ---
  findTenantBySlug(slug: string, options?: QueryOptions): Promise<TenantRow | null>
  listTenants(options?: QueryOptions): Promise<readonly TenantRow[]>
  findConnector(id: ConnectorId, options?: QueryOptions): Promise<ConnectorRow | null>
  listSigningKeys(options?: QueryOptions): Promise<readonly SigningKeyRow[]>
  /** Adds the key unless an unretired one exists already (one writer wins); returns all keys. */
  addFirstSigningKey(key: SigningKeyRow, options?: QueryOptions): Promise<readonly SigningKeyRow[]>

  // --- people and machines; each commits with its audit record, or not at all ---
  /** Throws `taken` where the slug is in use. */
  createTenant(tenant: TenantRow, event: AuditRecord, options?: QueryOptions): Promise<void>
  findTenant(tenantId: TenantId, options?: QueryOptions): Promise<TenantRow | null>
  /** Throws `taken` where the tenant has that login. */
  createUser(
    user: UserRow,
    secrets: { readonly passwordHash: string | null; readonly totpSecret: string | null },
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  listUsers(tenantId: TenantId, options?: QueryOptions): Promise<readonly UserRow[]>
  findUserByLogin(tenantId: TenantId, login: string, options?: QueryOptions): Promise<UserRow | null>
  findCredentials(
    tenantId: TenantId,
    login: string,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<UserCredentials | null>
  /** As `findCredentials`, of somebody who is known already. */
  findCredentialsById(
    tenantId: TenantId,
    userId: UserId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<UserCredentials | null>
  /**
   * Records a good sign-in: resets the failures, spends the TOTP step, adds the token. Returns false, and changes
   * nothing, where another sign-in has spent that step or a later one already, or the password that was checked is
   * another by now.
   */
  commitSignIn(
    signIn: { readonly token: TokenRow; readonly totpStep: number; readonly passwordHash: string },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /**
   * Counts a failed attempt, and locks the account where `lockout` says so of the failures in a row, this one included.
   * Raises the alert, and returns true, where that is the first lock of the row.
   */
  commitSignInFailure(
    failure: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly lockout: (failures: number) => Date | null
      readonly raised: RaisedAlert
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  addToken(token: TokenRow, event: AuditRecord, options?: QueryOptions): Promise<void>
  /** Returns false where there is no such live token. */
  revokeToken(
    tenantId: TenantId,
    tokenId: TokenId,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  listTokens(
    tenantId: TenantId,
    options?: QueryOptions,
  ): Promise<readonly (TokenRow & { readonly revokedAt: Date | null })[]>
  /** The person behind a live token of a user who is not disabled; null otherwise. */
  findBearer(
    tenantId: TenantId,
    tokenId: TokenId,
    now: Date,
    options?: QueryOptions,
  ): Promise<BearerFacts | null>
  /** Throws `taken` where the tenant has that address. */
  createMailbox(
    mailbox: Omit<MailboxRow, 'ownerIds'>,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** Idempotent. Throws `not_found` where mailbox or user are not the tenant's. */
  addMailboxOwner(
    tenantId: TenantId,
    mailboxId: MailboxId,
    userId: UserId,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** False where they did not own it. Cover that they gave for it ends with that. */
  removeMailboxOwner(
    tenantId: TenantId,
    mailboxId: MailboxId,
    userId: UserId,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  listMailboxes(tenantId: TenantId, options?: QueryOptions): Promise<readonly MailboxRow[]>
  findMailbox(tenantId: TenantId, id: MailboxId, options?: QueryOptions): Promise<MailboxRow | null>
  findMailboxByAddress(
    tenantId: TenantId,
    address: string,
    options?: QueryOptions,
  ): Promise<MailboxRow | null>
  createConnector(
    connector: Omit<ConnectorRow, 'firstSealedSecrets' | 'previous' | 'previousUsedAt'>,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  listConnectors(tenantId: TenantId, options?: QueryOptions): Promise<readonly ConnectorRow[]>

  // --- in: intake and archive ---
  findIntakeBySource(
    tenantId: TenantId,
    connectorId: ConnectorId,
    sourceKey: Uint8Array,
    options?: QueryOptions,
  ): Promise<IntakeRow | null>
  /**
   * The commit point of a delivery: intake, audit record and outbox row in one transaction. `duplicate` where the
   * connector has that source already, with the intake that was first; then nothing is written.
   */
  commitIntake(
    intake: NewIntake,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<{ readonly status: 'committed' } | { readonly status: 'duplicate'; readonly first: IntakeRow }>
  findIntake(tenantId: TenantId, intakeId: IntakeId, options?: QueryOptions): Promise<IntakeRow | null>
  /** Intakes by state, oldest first. */
  listIntakes(
    tenantId: TenantId,
    state: IntakeState,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly IntakeRow[]>
  /** Which of these have no row at all: their objects are left-overs of deliveries that never committed. */
  findMissingIntakes(
    tenantId: TenantId,
    ids: readonly IntakeId[],
    options?: QueryOptions,
  ): Promise<readonly IntakeId[]>
  /** Takes up to `limit` outbox rows that nobody else holds, hands them to `relay`, and removes them when it resolves. */
  drainOutbox(
    limit: number,
    relay: (rows: readonly OutboxRow[]) => Promise<void>,
    options?: QueryOptions,
  ): Promise<number>
  /** Intakes of any tenant that should have been archived: `received`, due, and untouched since `before`. */
  listStalledIntakes(before: Date, limit: number, options?: QueryOptions): Promise<readonly OutboxRow[]>
  /**
   * The commit point of an archive: recording, its objects, what the rules say of it, the holds that it comes under,
   * intake marked archived, audit record. Returns `already` where the intake was archived before; then nothing is written.
   */
  commitArchive(
    recording: NewRecording,
    objects: readonly NewObject[],
    columns: ColumnKeys,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<'archived' | 'already'>
  /** Counts a failed attempt and says when to try again. */
  commitArchiveFailure(
    failure: {
      readonly tenantId: TenantId
      readonly intakeId: IntakeId
      readonly errorCode: string
      readonly nextAttemptAt: Date
    },
    options?: QueryOptions,
  ): Promise<void>
  /** Gives up on an intake until a person looks at it. Its sealed audio stays. */
  commitQuarantine(
    tenantId: TenantId,
    intakeId: IntakeId,
    errorCode: string,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<void>
  /** Puts a quarantined intake back to `received`, due at once, with an outbox row. False where it is not there. */
  releaseQuarantine(tenantId: TenantId, intakeId: IntakeId, options?: QueryOptions): Promise<boolean>

  // --- the recovery store ---
  /** Recordings of any tenant with an object that was archived before `before` and is due to be replicated. */
  listUnreplicated(
    before: Date,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly { readonly tenantId: TenantId; readonly recordingId: RecordingId }[]>
  /** Of all tenants: objects without a copy, how many of them met something damaged, since when the oldest waits. */
  replicationBacklog(
    options?: QueryOptions,
  ): Promise<{ readonly objects: number; readonly damaged: number; readonly owedAt: Date | null }>
  /** Null where the tenant has no such recording. */
  findReplication(
    tenantId: TenantId,
    recordingId: RecordingId,
    options?: QueryOptions,
  ): Promise<ReplicationFacts | null>
  /**
   * The commit point of a replication: every object marked with the generation of its copy, and the audit record.
   * Returns `already` where nothing was left to mark, or its end has begun; then nothing is written. Where a copy is not
   * kept as is decided by now, the stores are asked to follow.
   */
  commitReplication(
    replication: {
      readonly tenantId: TenantId
      readonly recordingId: RecordingId
      readonly copies: readonly MadeCopy[]
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<'replicated' | 'already'>
  /** Counts a failed attempt and says when to try again. Never gives up: without a copy, an object owes one. */
  commitReplicationFailure(
    failure: {
      readonly tenantId: TenantId
      readonly recordingId: RecordingId
      readonly errorCode: string
      readonly nextAttemptAt: Date
    },
    options?: QueryOptions,
  ): Promise<void>

  // --- out ---
  /** Newest start first. */
  listRecordings(
    tenantId: TenantId,
    filter: RecordingFilter,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<{ readonly recordings: readonly RecordingRow[]; readonly nextCursor: string | null }>
  findRecording(
    tenantId: TenantId,
    id: RecordingId,
    columns: ColumnKeys,
    options?: QueryOptions,
  ): Promise<RecordingRow | null>
  listObjects(tenantId: TenantId, id: RecordingId, options?: QueryOptions): Promise<readonly KeptObject[]>
  /** Null where the token is not live or its user disabled. */
  findPlayFacts(
    query: {
      readonly tenantId: TenantId
      readonly tokenId: TokenId
      readonly recordingId: RecordingId
      readonly role: ObjectRole
      readonly now: Date
      /** Whether this counts as a use of the token, which keeps it from ending by idleness. Default: true. */
      readonly isUse?: boolean
    },
    options?: QueryOptions,
  ): Promise<PlayFacts | null>
  /** False where there is no such recording. The first who heard it stays; null marks it unheard. */
  commitHeard(
    mark: {
      readonly tenantId: TenantId
      readonly recordingId: RecordingId
      readonly heard: { readonly at: Date; readonly by: UserId } | null
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Puts labels on and takes others off, whatever else happens at the same time. False where there is no such recording. */
  commitLabels(
    change: {
      readonly tenantId: TenantId
      readonly recordingId: RecordingId
      readonly add: readonly Label[]
      readonly remove: readonly Label[]
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** All recordings of a tenant by id, page by page, for `verify`. */
  listAllRecordings(
    tenantId: TenantId,
    afterId: RecordingId | null,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly { readonly id: RecordingId; readonly objects: readonly KeptObject[] }[]>

  // --- the log ---
  /** Resolves once the events are durable. All or none. */
  appendEvents(events: readonly AuditRecord[], options?: QueryOptions): Promise<void>
  /** The same of events that have their numbers already; each is acknowledged. */
  appendStamped(events: readonly StampedRecord[], options?: QueryOptions): Promise<void>
  /**
   * Brings events of one tenant that could not be appended when they happened, each marked as late, with the event that
   * `reconciled` makes of those that were missing. What is there already stays as it is; it is `altered` where it is not
   * the same.
   */
  commitLate(
    tenantId: TenantId,
    events: readonly StoredRecord[],
    reconciled: (missing: readonly EventId[]) => AuditRecord,
    options?: QueryOptions,
  ): Promise<{ readonly missing: readonly EventId[]; readonly altered: readonly EventId[] }>
  /** Which of these events the tenant's log does not have. */
  findMissingEvents(
    tenantId: TenantId,
    ids: readonly EventId[],
    options?: QueryOptions,
  ): Promise<readonly EventId[]>
  /** A tenant's events in the order of their ids. */
  listEvents(
    tenantId: TenantId,
    page: { readonly afterId: EventId | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly (StoredRecord & { readonly recordedAt: Date })[]>

  /** Derives a tenant's column keys from its unwrapped column secret. */
  columnKeys(secret: Uint8Array): ColumnKeys
  /** Resolves when the database answers and its schema is the one this code knows; throws otherwise. */
  check(options?: QueryOptions): Promise<void>
}
