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
  MailboxRow,
  NewIntake,
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
export type { ColumnKeys } from './column-keys.ts'
export type { DelegationRow } from './cover.ts'
export { type CatalogOptions, createCatalog } from './create-catalog.ts'
export type { DisclosureRow, SuspensionRow } from './disclosures.ts'
export type { EmergencyCodeRow, EmergencyHolder, EmergencySignInRecord } from './emergency-codes.ts'
export { CatalogError, type CatalogErrorCode } from './error.ts'
export type { FactorChange, FactorOutcome, OwnFactors } from './factors.ts'
export type { GrantRow } from './grants.ts'
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
export type { NewReportScheduleRow, ReportRunRow, ReportScheduleRow } from './report-schedules.ts'
export type { ReportFigures, ReportFrame } from './retention-figures.ts'
export type { DestroyedLine, OverdueLine } from './retention-lines.ts'
export type {
  HoldFigure,
  ReconciledRun,
  RetentionReportCatalog,
  RetentionReportRows,
} from './retention-report.ts'
export type { NewRoleRequest, RoleRequestFilter, RoleRequestRow } from './role-requests.ts'
export type { ServiceTokenRow } from './service-accounts.ts'
export type { SessionRow, SessionsCatalog, TokenOrigin, TokenState } from './sessions.ts'
export type { TeamRow } from './teams.ts'
export type { TenantChange } from './tenant-limits.ts'
