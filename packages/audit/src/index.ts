export { exceptions, isAccountable } from './accountable.ts'
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
export type { AuditRecord } from './record.ts'
