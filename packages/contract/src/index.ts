export { Factor, Label, Purpose, RelationKind, Role, Scope } from './access.ts'
export {
  AlertPage,
  AlertQuery,
  AlertView,
  BreakGlassDetail,
  BreakGlassPage,
  BreakGlassQuery,
  BreakGlassReview,
  BreakGlassStart,
  BreakGlassState,
  BreakGlassView,
  EmergencyCodeList,
  EmergencyCodeRequest,
  EmergencyCodes,
  EmergencyCodeView,
  EmergencyCookieSession,
  EmergencySession,
  EmergencySignIn,
  EmergencyUse,
  EmergencyUseQuery,
  Verdict,
} from './break-glass.ts'
export type { Finding } from './finding.ts'
export {
  ExternalSubject,
  IssuerList,
  IssuerPatch,
  IssuerSettings,
  IssuerSubject,
  IssuerSubjectList,
  IssuerView,
  NewIssuer,
  NewProvider,
  ProviderCheck,
  ProviderList,
  ProviderPatch,
  ProviderSettings,
  ProviderView,
  SignInWays,
} from './identity-provider.ts'
export {
  AlertId,
  AttemptId,
  BreakGlassId,
  ConnectorId,
  DelegationId,
  EmergencyCodeId,
  EventId,
  GrantId,
  type IdSource,
  IntakeId,
  InvitationId,
  IssuerId,
  MailboxId,
  newAlertId,
  newAttemptId,
  newBreakGlassId,
  newConnectorId,
  newDelegationId,
  newEmergencyCodeId,
  newEventId,
  newGrantId,
  newIntakeId,
  newInvitationId,
  newIssuerId,
  newMailboxId,
  newPasskeyId,
  newProviderId,
  newRecordingId,
  newRoleRequestId,
  newTeamId,
  newTenantId,
  newTokenId,
  newUserId,
  PasskeyId,
  ProviderId,
  RecordingId,
  RoleRequestId,
  TeamId,
  TenantId,
  TokenId,
  UserId,
} from './ids.ts'
export { Job } from './job.ts'
export { CallDirection, Notice, RecordingKind } from './notice.ts'
export { ObjectRole } from './object-role.ts'
export { Peaks } from './peaks.ts'
export { Login, Name } from './person.ts'
export { Problem, type ProblemName, problems } from './problem.ts'
export type { ByteRange } from './range.ts'
export { Receipt } from './receipt.ts'
export {
  AudioState,
  LabelChange,
  RecordingPage,
  RecordingPatch,
  RecordingQuery,
  RecordingView,
} from './recording-view.ts'
export type { RedisSettings } from './redis-settings.ts'
export {
  CookieSession,
  OwnSession,
  OwnSessionList,
  Session,
  SignIn,
  Verification,
  VerificationCode,
} from './session.ts'
export { Wrap } from './wrap.ts'
