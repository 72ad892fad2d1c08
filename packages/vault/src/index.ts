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
export { type AuthorizeParts, authorizeSelf } from './authorize.ts'
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
export { type BrowseParts, labelRecording, listRecordings, markRecording, showRecording } from './browse.ts'
export { type Disposal, disposalClaims, type Gone } from './certificates/disposal-claims.ts'
export { type IssueParts, issueCertificates } from './certificates/issue.ts'
export { certificateKeys } from './certificates/keys.ts'
export {
  type CertificateParts,
  listCertificates,
  showCertificate,
  showCertificateKeys,
} from './certificates/reading.ts'
export { type Connectors, createConnectors, type OpenConnector } from './connector-secrets.ts'
export { type DestroyParts, type Destruction, destroyRecording } from './disposition/destroy.ts'
export {
  type DestroyedCounts,
  type DestroyReadyParts,
  destroyReady,
} from './disposition/destroy-ready.ts'
export {
  cancelDisposition,
  type DispositionParts,
  listDispositionItems,
  listDispositions,
  previewDisposition,
  proposeDisposition,
  reviewDisposition,
  showDisposition,
} from './disposition/dispositions.ts'
export type { DisposalStore, DisposalStores } from './disposition/remains.ts'
export { type SweepDueParts, sweepDue } from './disposition/sweep-due.ts'
export { errorCode, isError, refusalOf, VaultError, type VaultErrorCode } from './error.ts'
export {
  type EvidenceParts,
  type EvidenceWish,
  exportAtConsole,
  exportEvidence,
  showPolicy,
} from './evidence/export-evidence.ts'
export { logPolicy, type PolicyParts } from './evidence/log-policy.ts'
export {
  type AcceptanceAnswer,
  type Begun,
  beginAcceptance,
  completeAcceptance,
  type InvitationParts,
  lookAtInvitation,
} from './factors/invitation.ts'
export {
  beginTotp,
  changePassword,
  type NewTotp,
  type OwnFactorParts,
  replaceRecoveryCodes,
  replaceTotp,
  type ShownFactors,
  showFactors,
} from './factors/own-factors.ts'
export {
  addPasskey,
  beginPasskey,
  type OwnPasskeyParts,
  type RegistrationOptions,
  removePasskey,
  renamePasskey,
} from './factors/own-passkeys.ts'
export { endOwnToken, listOwnTokens, makeOwnToken, type OwnTokenParts } from './factors/own-tokens.ts'
export type { AssertionOptions, PasskeyAnswerParts } from './factors/passkey-answer.ts'
export { beginPasskeySignIn, type PasskeySignInParts, signInByPasskey } from './factors/passkey-sign-in.ts'
export { beginPasskeyStepUp, type PasskeyStepUpParts, verifyByPasskey } from './factors/passkey-step-up.ts'
export {
  extendHold,
  type HoldExtension,
  type HoldParts,
  placeHold,
  releaseCover,
  releaseHold,
} from './holds/manage-holds.ts'
export { acknowledgeNotice, listOwnNotices } from './holds/own-notices.ts'
export { listHeld, listHolds, previewHold, showHold } from './holds/read-holds.ts'
export { type AnchorParts, anchorVerifierKey } from './log/anchor.ts'
export { type DurableEvent, type EventAppender, isDurable } from './log/durable-event.ts'
export {
  createEventLog,
  type EventLog,
  type EventLogParts,
  type EventLogTimes,
  type Sink,
} from './log/event-log.ts'
export {
  createEventWriter,
  type EventWriter,
  type EventWriterOptions,
  type GivenReceipt,
} from './log/event-writer.ts'
export { createLogKeeper, type LogKeeper, type LogKeeperParts, type LogWatch } from './log/keeper.ts'
export { refuseUnhealthyLog } from './log/log-health.ts'
export { LogRefusal, type LogRefusalCode } from './log/log-refusal.ts'
export { endorseReceiptKey, endorserKey, listReceiptKeys } from './log/receipt-key.ts'
export { createLateReconciler, type LateReconciler, type ReconcileParts } from './log/reconcile-late.ts'
export {
  createWitnesses,
  type WitnessAddress,
  type Witnesses,
  type WitnessOutcome,
} from './log/witness-client.ts'
export { anchorPrefix, checkpointKey, findLastPublished, logPrefix } from './log/write-once.ts'
export {
  type AccessReport,
  accessReport,
  accessReportCsv,
  wholeAccessReport,
} from './log-reading/access-report.ts'
export { accountingCsv, accountOfDisclosures } from './log-reading/accounting.ts'
export { type CheckedReceipt, checkReceipt, type ReceiptParts } from './log-reading/check-receipt.ts'
export { type DisclosureParts, listDisclosures, recordDisclosure } from './log-reading/disclosures.ts'
export { type FeedParts, followLog } from './log-reading/feed.ts'
export { type LogList, listLogs, showCheckpoint } from './log-reading/logs.ts'
export { type DropParts, dropPrivatePart } from './log-reading/private-part.ts'
export { type ProofParts, proveConsistency, proveInclusion } from './log-reading/proofs.ts'
export {
  AccessReportQuery,
  CheckpointQuery,
  ConsistencyQuery,
  FeedQuery,
  InclusionQuery,
  LogQuery,
  PrivatePartDrop,
} from './log-reading/query.ts'
export type { LogFinding, SealedEvent } from './log-reading/sealed-event.ts'
export {
  type LogPage,
  type NamedPerson,
  type SearchedPage,
  type SearchParts,
  searchLog,
} from './log-reading/search.ts'
export { type ShownEvent, showEvent } from './log-reading/show.ts'
export { endSuspension, listSuspensions, suspendDisclosures } from './log-reading/suspensions.ts'
export {
  changeTenantAtConsole,
  disableConnectorAtConsole,
  rotateAtConsole,
} from './machines/at-console.ts'
export { deliveryAddress } from './machines/connector-view.ts'
export {
  type ConnectorParts,
  disableConnector,
  endOverlap,
  listConnectors,
  makeConnector,
  rotateConnector,
  showConnector,
} from './machines/connectors.ts'
export type { Overlap } from './machines/rotate.ts'
export {
  createServiceAccount,
  disableServiceAccount,
  endServiceToken,
  issueServiceToken,
  listServiceAccounts,
  listServiceTokens,
  type ServiceAccountParts,
} from './machines/service-accounts.ts'
export {
  changeTenant,
  showTenant,
  type TenantLimits,
  type TenantParts,
  tenantBounds,
} from './machines/tenant-limits.ts'
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
export type { LineFiles } from './monitor/check-claims.ts'
export type { WatchedWitness } from './monitor/check-witnesses.ts'
export { type FindingName, findingNames, type OpenFinding } from './monitor/finding.ts'
export {
  createMonitor,
  type Monitor,
  type MonitorParts,
  type MonitorTimes,
  monitorTimes,
  type Round,
} from './monitor/monitor.ts'
export { createPublished } from './monitor/published.ts'
export { type DigestStore, digestBytes } from './monitor/read-leaves.ts'
export { decodeState, encodeState, firstState, type MonitorState } from './monitor/state.ts'
export { type NamePatientsParts, namePatients } from './name-patients.ts'
export { recordingKey } from './object-key.ts'
export {
  type ConsoleParts,
  createTeamAtConsole,
  disableAtConsole,
  enableAtConsole,
  grantAtConsole,
  inviteAgainAtConsole,
  inviteAtConsole,
  type OpenInvitation,
  recertifyAtConsole,
  revokeAtConsole,
  setMemberAtConsole,
  shareAtConsole,
} from './people/at-console.ts'
export { type CoverParts, createDelegation, endDelegation, listDelegations } from './people/cover.ts'
export {
  changePerson,
  invitePerson,
  listPeople,
  type NewInvitation,
  type PeopleParts,
  resetFactors,
  showPerson,
} from './people/people.ts'
export {
  type GrantView,
  grantViewOf,
  type RecertificationParts,
  recertification,
  recertificationCsv,
} from './people/recertification.ts'
export {
  decideRoleRequest,
  listRoleRequests,
  type RoleParts,
  requestRole,
  revokeRole,
  withdrawRoleRequest,
} from './people/roles.ts'
export {
  addMailbox,
  addMailboxOwner,
  addTeamMailbox,
  createTeam,
  listTeams,
  removeMailboxOwner,
  removeTeamMailbox,
  removeTeamMember,
  setTeamMember,
  type TeamParts,
} from './people/teams.ts'
export {
  type Bearer,
  createPlayer,
  type Playback,
  type Player,
  type PlayParts,
  type PlayRequest,
  type Sending,
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
export { makeReport } from './reports/make-report.ts'
export { reportCsv } from './reports/report-csv.ts'
export {
  type RetentionReportParts,
  retentionReport,
  wholeRetentionReport,
} from './reports/retention-report.ts'
export { type RunReportsParts, runReports } from './reports/run-reports.ts'
export {
  createReportSchedule,
  endReportSchedule,
  listReportRuns,
  listReportSchedules,
  type ReportScheduleParts,
  showReportRun,
} from './reports/schedules.ts'
export type { RequestFacts } from './request-facts.ts'
export {
  type ApplyPolicyParts,
  applyPolicy,
  decideAgain,
  type PolicyApplied,
} from './retention/apply-policy.ts'
export { type BirthDateParts, recordBirthDate } from './retention/birth-date.ts'
export { decideFirst } from './retention/decide-first.ts'
export {
  listRetentionEvents,
  type RetentionEventParts,
  recordRetentionEvent,
  withdrawRetentionEvent,
} from './retention/events.ts'
export { type ExplainParts, explainRecording } from './retention/explain-recording.ts'
export { type PreviewParts, previewRule } from './retention/preview-rule.ts'
export { proposeRule, proposeVersion } from './retention/propose-rule.ts'
export { decideRecordSet, listRecordSet, type RecordSetParts } from './retention/record-set.ts'
export {
  approveVersion,
  listPresets,
  listRules,
  type RuleParts,
  showRule,
  withdrawVersion,
} from './retention/rules.ts'
export {
  changeRetentionSettings,
  type RetentionSettingsParts,
  showRetentionSettings,
} from './retention/settings.ts'
export { type ReviewSweepParts, sweepReviews, weekOf } from './review/open-reviews.ts'
export {
  changeWorkingHours,
  listReviews,
  type ReviewParts,
  showReview,
  showWorkingHours,
  signReview,
} from './review/reviews.ts'
export { parseRoles } from './roles.ts'
export { isSameSecret } from './same-secret.ts'
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
export { type DriftParts, type DriftReport, findDrift } from './stores/drift.ts'
export { type DriftRunParts, listDriftRuns, showDriftRun } from './stores/drift-runs.ts'
export { type FollowAttempt, type FollowWorkParts, followWork } from './stores/follow-work.ts'
export { type ShortenParts, type ShortenReport, shortenStores } from './stores/shorten.ts'
export { type DriftSweepParts, sweepDrift } from './stores/sweep-drift.ts'
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
  type NewOpaqueToken,
  revokeToken,
  type TokenKeyPair,
  type TokenKeys,
} from './token.ts'
export type { VaultKeys } from './vault-keys.ts'
export { type Finding, type VerifyParts, verifyTenant } from './verify.ts'
export { type CopyFinding, type VerifyCopiesParts, verifyCopies } from './verify-copies.ts'
export {
  createWitness,
  type Witness,
  type WitnessAnswer,
  type WitnessKey,
  type WitnessParts,
  type WitnessStore,
} from './witness/witness.ts'
