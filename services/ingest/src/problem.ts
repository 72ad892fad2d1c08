// Which problem each failure of a delivery is to the PBX. A code without a row does not compile.
import { type Problem, type ProblemName, problems } from '@auricle/contract'
import { LimitsError, type LimitsErrorCode } from '@auricle/limits'
import { PbxError, type PbxErrorCode } from '@auricle/pbx'
import { VaultError, type VaultErrorCode } from '@auricle/vault'
import { IngestError, type IngestErrorCode } from './error.ts'

const vault = {
  bad_credentials: 'internal',
  conflict: 'internal',
  content_mismatch: 'contentMismatch',
  damaged: 'internal',
  denied: 'internal',
  empty_body: 'emptyBody',
  locked: 'internal',
  malformed: 'internal',
  log_unavailable: 'unavailable',
  log_unsealed: 'unavailable',
  message_conflict: 'messageIdConflict',
  not_audio: 'notAudio',
  not_found: 'internal',
  purpose_required: 'internal',
  source_conflict: 'sourceIdConflict',
  step_up_required: 'internal',
  unauthenticated: 'internal',
} satisfies Record<VaultErrorCode, ProblemName>

const pbx = {
  bad_signature: 'badSignature',
  stale_timestamp: 'staleTimestamp',
  malformed: 'malformed',
  empty_body: 'emptyBody',
  too_large: 'tooLarge',
  fetch_refused: 'internal',
  fetch_failed: 'internal',
} satisfies Record<PbxErrorCode, ProblemName>

const ingest = {
  idle_timeout: 'idleTimeout',
  too_large: 'tooLarge',
  truncated: 'truncatedBody',
} satisfies Record<IngestErrorCode, ProblemName>

const limits = {
  exceeded: 'tooManyAttempts',
  unavailable: 'unavailable',
} satisfies Record<LimitsErrorCode, ProblemName>

/** Everything else is a failure of ours, so that the PBX keeps the recording and tries again. */
export function problemName(error: unknown): ProblemName {
  if (error instanceof VaultError) return vault[error.code]
  if (error instanceof PbxError) return pbx[error.code]
  if (error instanceof IngestError) return ingest[error.code]
  if (error instanceof LimitsError) return limits[error.code]
  if (!(error instanceof Error)) return 'internal'
  // What Express refuses itself, such as a path that does not decode, carries its status.
  if ('status' in error && error.status === problems.malformed.status) return 'malformed'
  return 'transient' in error && error.transient === true ? 'unavailable' : 'internal'
}

/** The last word of a problem's type: how logs, metrics and the audit log name it. */
export function problemSlug(name: ProblemName): string {
  const { type } = problems[name]
  return type.slice(type.lastIndexOf(':') + 1)
}

/** Refusals carry the sentence of our own errors, which are free of PHI; every other failure carries none. */
export function problemOf(error: unknown, request: string): Problem {
  const problem = problems[problemName(error)]
  return { ...problem, ...detailOf(error, problem.status), instance: request }
}

function detailOf(error: unknown, status: number): { detail?: string } {
  const isOurs = [VaultError, PbxError, IngestError, LimitsError].some(kind => error instanceof kind)
  return isOurs && error instanceof Error && status < problems.internal.status
    ? { detail: error.message }
    : {}
}
