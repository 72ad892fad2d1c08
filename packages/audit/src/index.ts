export {
  type ActivityEvent,
  type ActivityFinding,
  type ActivityKind,
  activityKinds,
  isSameSurname,
  reviewActivity,
} from './activity/review-activity.ts'
export { workingHours } from './activity/working-hours.ts'
export { canonicalJson } from './canonical-json.ts'
export { AuditError, type AuditErrorCode } from './error.ts'
export { AuditEvent, EventAction, EventDetail, patientsMost } from './event.ts'
export { decodeLeaf, encodeLeaf, leafHash } from './leaf.ts'
export {
  commitPrivate,
  decodePrivate,
  encodePrivate,
  newPrivatePart,
  type PrivateFacts,
  PrivatePart,
} from './private-part.ts'
export {
  type AuditRecord,
  newRecord,
  type RecordStamper,
  type StampedRecord,
  type StoredRecord,
} from './record.ts'
