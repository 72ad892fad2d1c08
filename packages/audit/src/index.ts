export { exceptions, isAccountable } from './accountable.ts'
export {
  type ActivityEvent,
  type ActivityFinding,
  type ActivityKind,
  activityKinds,
  isSameSurname,
  reviewActivity,
} from './activity/review-activity.ts'
export { workingHours } from './activity/working-hours.ts'
export { type AnchorLeaf, decodeAnchorLeaf, encodeAnchorLeaf } from './anchor-leaf.ts'
export { type Bytes, equalBytes, fromBase64, sha256, toBase64 } from './bytes.ts'
export { canonicalJson } from './canonical-json.ts'
export {
  type CertificateKey,
  certificateKey,
  certificateText,
  claimsHash,
  disposedDetail,
  type ReadCertificate,
  readCertificate,
  sealCertificate,
} from './certificate.ts'
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
export { cosignaturePayload, cosignedMessage } from './cosignature.ts'
export { AuditError, type AuditErrorCode } from './error.ts'
export { AuditEvent, EventAction, EventDetail, patientsMost } from './event.ts'
export { decodeLeaf, encodeLeaf, finishLeaf, leafHash } from './leaf.ts'
export {
  type ConsistencyClaim,
  createTree,
  decodeFrontier,
  emptyRoot,
  encodeFrontier,
  type Frontier,
  type InclusionClaim,
  nodeHash,
  type Tree,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts'
export {
  formatNote,
  formatSignatures,
  maxSignatures,
  type Note,
  type NoteSignature,
  noteSignature,
  parseNote,
  parseSignatures,
  signatureLine,
  verifyNote,
} from './note.ts'
export { anchorOrigin, LogName, logOrigin, parseLogOrigin, receiptKeyName } from './origins.ts'
export {
  formatPolicy,
  meetsQuorum,
  type Policy,
  type PolicyGroup,
  type PolicyLog,
  type PolicyWitness,
  parsePolicy,
  verifyCheckpoint,
} from './policy.ts'
export {
  commitPrivate,
  decodePrivate,
  encodePrivate,
  newPrivatePart,
  type PrivateFacts,
  PrivatePart,
} from './private-part.ts'
export { formatProofFile, type ProofFile, parseProofFile, verifyProofFile } from './proof-file.ts'
export { consistencyProof, type HashReader, inclusionProof, rootAt } from './proofs.ts'
export { type EventReceipt, formatReceipt, parseReceipt } from './receipt.ts'
export {
  type AuditRecord,
  newRecord,
  type RecordStamper,
  type StampedRecord,
  type StoredRecord,
} from './record.ts'
export { verifyCosignature } from './signature.ts'
export {
  decodeEntries,
  encodeEntries,
  entriesPath,
  fullTiles,
  parseEntriesPath,
  parseTilePath,
  partialTiles,
  type Tile,
  tileHash,
  tilePath,
  tileReader,
  tileWidth,
} from './tiles.ts'
export {
  formatVerifierKey,
  type NoteAlgorithm,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
} from './verifier-key.ts'
export {
  type AddCheckpoint,
  formatAddCheckpoint,
  formatTreeSize,
  monitoringPath,
  parseAddCheckpoint,
  parseTreeSize,
  treeSizeContentType,
} from './witness-request.ts'
