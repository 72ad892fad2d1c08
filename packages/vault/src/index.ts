export { actorOf } from './actor.ts'
export { type ArchiveOutcome, type ArchiveParts, archive, type FetchAudio } from './archive.ts'
export {
  type AttemptOutcome,
  type AttemptParts,
  attemptArchive,
  type FailedAttempt,
  failAttempt,
} from './archive-attempt.ts'
export { auditRecord, openPrivate } from './audit-record.ts'
export {
  type AlertParts,
  acknowledgeAlert,
  listAlerts,
  type OnAlert,
} from './break-glass/alert.ts'
export {
  type BreakGlassParts,
  endBreakGlass,
  listBreakGlass,
  reviewBreakGlass,
  showBreakGlass,
  startBreakGlass,
} from './break-glass/emergency-access.ts'
export {
  type EmergencyCodeParts,
  issueEmergencyCodes,
  listEmergencyCodes,
  revokeEmergencyCode,
} from './break-glass/emergency-codes.ts'
export { type EmergencySignInParts, emergencySignIn } from './break-glass/emergency-sign-in.ts'
export { type BreakGlassSweepParts, sweepBreakGlass } from './break-glass/sweep-break-glass.ts'
export { type BrowseParts, listRecordings, markRecording, showRecording } from './browse.ts'
export { type Connectors, createConnectors, type OpenConnector } from './connector-secrets.ts'
export { errorCode, isError, refusalOf, VaultError, type VaultErrorCode } from './error.ts'
export {
  assignMailbox,
  createConnector,
  createMailbox,
  createTenant,
  createUser,
  type ManageParts,
  type NewConnector,
  type NewUser,
} from './manage.ts'
export {
  type Bearer,
  createPlayer,
  type Playback,
  type Player,
  type PlayParts,
  type PlayRequest,
} from './play.ts'
export type { Administrator } from './providers/administrator.ts'
export { createForeignBearers, type ForeignBearers } from './providers/foreign-bearers.ts'
export {
  changeIssuer,
  createIssuer,
  disableIssuer,
  listIssuerSubjects,
  listIssuers,
  type ManageIssuersParts,
  putIssuerSubject,
  removeIssuerSubject,
} from './providers/manage-issuers.ts'
export {
  changeProvider,
  checkProvider,
  createProvider,
  disableProvider,
  linkIdentity,
  listProviders,
  type ManageProvidersParts,
} from './providers/manage-providers.ts'
export { type Received, type ReceiveParts, receive } from './receive.ts'
export { noteRefusal } from './refusal.ts'
export {
  attemptReplication,
  type FailedReplication,
  failReplication,
  type ReplicationAttempt,
  type ReplicationAttemptParts,
} from './replicate-attempt.ts'
export type { RequestFacts } from './request-facts.ts'
export { parseRoles } from './roles.ts'
export {
  type FailureParts,
  locked,
  lockedUntilOf,
  type NextLockout,
  noteFailure,
} from './sessions/failure.ts'
export { type NewSession, newSession } from './sessions/new-session.ts'
export { endSession, endSessionById, endSessions, listSessions, type OwnSession } from './sessions/own.ts'
export { type PersonEvent, personEvent } from './sessions/person-event.ts'
export { noteRefusedToken, type RefusedTokenParts } from './sessions/refused-token.ts'
export { markVerified, type VerifySessionParts, verifySession } from './sessions/verify.ts'
export { type BeginParts, beginProviderSignIn, beginProviderStepUp } from './sign-in/begin-at-provider.ts'
export {
  type FinishParts,
  finishAtProvider,
  type ProviderFinish,
  type SignInRefusal,
} from './sign-in/finish-at-provider.ts'
export {
  createProviderClients,
  type ProviderAddresses,
  type ProviderClients,
} from './sign-in/provider-clients.ts'
export { endSessionsAtProvider, type ProviderLogoutParts } from './sign-in/provider-logout.ts'
export { signInWays } from './sign-in/sign-in-ways.ts'
export { type SignInFacts, type SignInParts, signIn } from './sign-in.ts'
export type { Stream, StreamTimes, StreamWatchParts } from './stream-watch.ts'
export {
  enqueueReplication,
  relayOutbox,
  requeueStalled,
  requeueUnreplicated,
  sweepIntakeObjects,
} from './sweep.ts'
export { createTenantSecrets, type TenantSecrets, type TenantSecretsCache } from './tenant-secrets.ts'
export {
  type IssueToken,
  issueProgramToken,
  loadTokenKeys,
  revokeToken,
  type TokenKeyPair,
  type TokenKeys,
} from './token.ts'
export { type Finding, type VerifyParts, verifyTenant } from './verify.ts'
export { type CopyFinding, type VerifyCopiesParts, verifyCopies } from './verify-copies.ts'
