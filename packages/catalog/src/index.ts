export {
  ActivityVerdict,
  type FindingRow,
  type ReviewRow,
} from './activity-reviews.ts'
export type { AlertFilter, AlertRow, NewAlert, RaisedAlert } from './alerts.ts'
export type { AnchorCatalog, AnchorCommit, AnchorLeaf, AnchorRow } from './anchor-store.ts'
export type { AuditFilter, LogPosition } from './audit-query.ts'
export type { AuditLogRow, AuditSearchCatalog, SealedRow, StoredEvent } from './audit-search.ts'
export type {
  BreakGlassFilter,
  BreakGlassReference,
  BreakGlassRow,
  NewBreakGlass,
  Opened,
  OpeningBreakGlass,
} from './break-glass.ts'
export type {
  AccessFacts,
  AccessLimits,
  AllowedHost,
  BearerFacts,
  Catalog,
  ConnectorRow,
  HeldToken,
  IntakeRow,
  IntakeState,
  KeptObject,
  MadeCopy,
  MailboxRow,
  NewIntake,
  NewObject,
  NewRecording,
  OutboxRow,
  PlayFacts,
  QueryOptions,
  RecordingFacts,
  RecordingFilter,
  RecordingRow,
  ReplicationFacts,
  SigningKeyRow,
  StoredObject,
  TenantRow,
  TokenRow,
  UserCredentials,
  UserRow,
} from './catalog.ts'
export type { CertificateRow, NewCertificate } from './certificates.ts'
export type { ColumnKeys } from './column-keys.ts'
export type { DelegationRow } from './cover.ts'
export { type CatalogOptions, createCatalog } from './create-catalog.ts'
export type { DestroyedObject, DestructionFacts, FoundObject } from './destruction-facts.ts'
export type { DestructionItem, DestructionStep } from './destructions.ts'
export type { DisclosureRow, SuspensionRow } from './disclosures.ts'
export type { NewDispositionReview, ReviewOutcome } from './disposition-reviews.ts'
export type {
  DispositionItemRow,
  DispositionKind,
  DispositionReviewRow,
  DispositionRow,
  DispositionState,
} from './disposition-row.ts'
export type { NewDisposition } from './dispositions.ts'
export type { DriftCatalog, DriftFinding, DriftRun, KeptRow } from './drift.ts'
export type { DueQuery, DueRecording } from './due-recordings.ts'
export type { EmergencyCodeRow, EmergencyHolder, EmergencySignInRecord } from './emergency-codes.ts'
export { CatalogError, type CatalogErrorCode } from './error.ts'
export type { FactorChange, FactorOutcome, OwnFactors } from './factors.ts'
export type { GrantRow } from './grants.ts'
export type { Covered, HoldAdditions } from './hold-cover.ts'
export type { HoldPreviewRow, NoticeRow } from './hold-reading.ts'
export type { HeldRow, HoldCriteria, HoldDetailRow, HoldRow, HoldStepRow, NewHoldClause } from './hold-row.ts'
export type { CountedEvent, HoldCatalog, NewHoldRow } from './holds.ts'
export type { Acceptance, FirstFactors, OpenInvitation } from './invitations.ts'
export type { IssuerRow, IssuerSubjectRow } from './issuers.ts'
export type { Leadership, LogCustodyCatalog, LogKeyRow } from './log-custody.ts'
export type {
  CheckpointRow,
  LeafRange,
  LogName,
  LogReadingCatalog,
  SealedLeaf,
  TilePlace,
  UnpublishedLog,
} from './log-reading.ts'
export type {
  LogCatalog,
  LogCursor,
  LogHead,
  LogRow,
  Seal,
  SealCommit,
  SignedCheckpoint,
  StoredTile,
  UnsealedEvent,
} from './log-store.ts'
export {
  createLogView,
  type LogOf,
  type LogView,
  type WatchedLeaf,
  type WatchedLog,
  type WatchedUnsealed,
} from './log-view.ts'
export { type MigrateOptions, migrate } from './migrate.ts'
export type { OwnTokenRow } from './own-tokens.ts'
export type { PasskeyRow } from './passkeys.ts'
export type { InvitationRow, PersonRow } from './people.ts'
export { createPool, type DatabaseSettings, type PoolOptions } from './pool.ts'
export type { Arrived, EndedSession, ProviderArrival } from './provider-sign-in.ts'
export type { ChangeOfRights, EndedWithProvider, ProviderRow } from './providers.ts'
export type { RecordSetMailbox, RecordSetRow } from './record-set.ts'
export type { NewReportScheduleRow, ReportRunRow, ReportScheduleRow } from './report-schedules.ts'
export type {
  Deciding,
  DecisionRow,
  DueVersion,
  KeptDecision,
  StaleDecision,
} from './retention-decisions.ts'
export type { RetentionEventRow, RetentionSubject } from './retention-events.ts'
export type { RetentionFactsRow } from './retention-facts.ts'
export type { ReportFigures, ReportFrame } from './retention-figures.ts'
export type { DestroyedLine, OverdueLine } from './retention-lines.ts'
export type { WeighedFacts } from './retention-pages.ts'
export type {
  HoldFigure,
  ReconciledRun,
  ReportWanted,
  RetentionReportCatalog,
  RetentionReportRows,
} from './retention-report.ts'
export type { RuleChange, RulesNow, RuleVersionRow } from './retention-rules.ts'
export type { RetentionSettingsRow } from './retention-settings.ts'
export type { RetentionStanding } from './retention-standing.ts'
export type { NewRoleRequest, RoleRequestFilter, RoleRequestRow } from './role-requests.ts'
export type { ServiceTokenRow } from './service-accounts.ts'
export type { SessionRow, SessionsCatalog, TokenOrigin, TokenState } from './sessions.ts'
export type {
  FollowedObject,
  KeptIn,
  KeptNow,
  StoreAccess,
  StoreFacts,
  StoreWork,
  Wanted,
} from './store-work.ts'
export type { TeamRow } from './teams.ts'
export type { TenantChange } from './tenant-limits.ts'
