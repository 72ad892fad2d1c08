export { type Bytes, equalBytes, fromBase64, sha256, toBase64 } from './bytes.ts'
export { canonicalJson } from './canonical-json.ts'
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
export { cosignaturePayload, cosignedMessage } from './cosignature.ts'
export { AuditError, type AuditErrorCode } from './error.ts'
export { AuditEvent, EventAction, EventDetail, patientsMost } from './event.ts'
export { decodeLeaf, encodeLeaf, leafHash } from './leaf.ts'
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
export {
  commitPrivate,
  decodePrivate,
  encodePrivate,
  newPrivatePart,
  type PrivateFacts,
  PrivatePart,
} from './private-part.ts'
export { consistencyProof, type HashReader, inclusionProof, rootAt } from './proofs.ts'
export type { AuditRecord } from './record.ts'
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
