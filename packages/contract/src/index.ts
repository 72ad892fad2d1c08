export type { Finding } from './finding.ts'
export {
  ConnectorId,
  EventId,
  type IdSource,
  IntakeId,
  MailboxId,
  newConnectorId,
  newEventId,
  newIntakeId,
  newMailboxId,
  newRecordingId,
  newTenantId,
  newTokenId,
  newUserId,
  RecordingId,
  TenantId,
  TokenId,
  UserId,
} from './ids.ts'
export { Job } from './job.ts'
export { CallDirection, Notice, RecordingKind } from './notice.ts'
export { ObjectRole } from './object-role.ts'
export { Peaks } from './peaks.ts'
export { Problem, type ProblemName, problems } from './problem.ts'
export type { ByteRange } from './range.ts'
export { Receipt } from './receipt.ts'
export { AudioState, RecordingPage, RecordingPatch, RecordingQuery, RecordingView } from './recording-view.ts'
export type { RedisSettings } from './redis-settings.ts'
export { Session, SignIn } from './session.ts'
export { Wrap } from './wrap.ts'
