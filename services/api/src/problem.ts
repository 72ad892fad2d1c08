// Which problem each failure is to a client of the API. A code without a row does not compile.
import type { CatalogErrorCode } from '@auricle/catalog'
import { type Problem, type ProblemName, problems } from '@auricle/contract'
import { IdentityError, type IdentityErrorCode } from '@auricle/identity'
import { LimitsError, type LimitsErrorCode } from '@auricle/limits'
import { VaultError, type VaultErrorCode } from '@auricle/vault'
import type { Response } from 'express'
import { z } from 'zod'

const millisecondsPerSecond = 1000

const vault = {
  bad_credentials: 'badCredentials',
  conflict: 'conflict',
  content_mismatch: 'internal',
  damaged: 'internal',
  denied: 'denied',
  empty_body: 'internal',
  locked: 'tooManyAttempts',
  log_unavailable: 'logUnavailable',
  log_unsealed: 'unavailable',
  malformed: 'malformed',
  message_conflict: 'internal',
  not_audio: 'internal',
  not_found: 'notFound',
  purpose_required: 'purposeRequired',
  source_conflict: 'internal',
  step_up_required: 'stepUpRequired',
  unauthenticated: 'unauthenticated',
} satisfies Record<VaultErrorCode, ProblemName>

const catalog = {
  taken: 'conflict',
  not_found: 'notFound',
  bad_cursor: 'malformed',
  damaged: 'internal',
  outdated_schema: 'unavailable',
  refused: 'unavailable',
  unavailable: 'unavailable',
} satisfies Record<CatalogErrorCode, ProblemName>

const identity = {
  bad_credentials: 'badCredentials',
  bad_hash: 'internal',
  bad_key: 'internal',
  bad_provider_answer: 'denied',
  bad_secret: 'internal',
  bad_token: 'unauthenticated',
  cross_origin: 'denied',
  busy: 'unavailable',
  malformed: 'malformed',
  not_admitted: 'denied',
  provider_unavailable: 'unavailable',
  second_factor_missing: 'denied',
  unauthenticated: 'unauthenticated',
  weak_password: 'malformed',
} satisfies Record<IdentityErrorCode, ProblemName>

const limits = {
  exceeded: 'tooManyAttempts',
  unavailable: 'unavailable',
} satisfies Record<LimitsErrorCode, ProblemName>

function isCatalogCode(error: Error): error is Error & { code: CatalogErrorCode } {
  return error.name === 'CatalogError' && 'code' in error && String(error.code) in catalog
}

export function problemName(error: unknown): ProblemName {
  if (error instanceof VaultError) return vault[error.code]
  if (error instanceof IdentityError) return identity[error.code]
  if (error instanceof LimitsError) return limits[error.code]
  if (error instanceof z.ZodError) return 'malformed'
  if (!(error instanceof Error)) return 'internal'
  if (isCatalogCode(error)) return catalog[error.code]
  // What Express and its parsers refuse (a body that is no JSON, a path that does not decode) carries its status.
  if ('status' in error && error.status === problems.tooLarge.status) return 'tooLarge'
  if ('status' in error && typeof error.status === 'number' && isRefusal(error.status)) return 'malformed'
  return 'transient' in error && error.transient === true ? 'unavailable' : 'internal'
}

const isRefusal = (status: number) => status >= problems.malformed.status && status < problems.internal.status

/** Refusals say why; failures of ours say nothing but their kind. */
export function problemOf(error: unknown, request: string): Problem {
  const problem = problems[problemName(error)]
  return { ...problem, ...detailOf(error, problem.status), instance: request }
}

/** The one outage that is not ours, and that somebody can do something about. */
const providerAway =
  'The identity provider does not answer. Who is signed in stays so; who must hear a recording now uses emergency ' +
  'access, for which the compliance officer has codes.'

function detailOf(error: unknown, status: number): { detail?: string } {
  if (error instanceof IdentityError && error.code === 'provider_unavailable') return { detail: providerAway }
  if (status >= 500) return {}
  if (error instanceof z.ZodError) return { detail: z.prettifyError(error) }
  const isOurs = [VaultError, IdentityError, LimitsError].some(kind => error instanceof kind)
  return isOurs && error instanceof Error ? { detail: error.message } : {}
}

/** How long whoever was refused has to wait; null where it is not for a time of its own. */
export function retryAfterSeconds(error: unknown, now: Date): number | null {
  if (error instanceof VaultError && error.retryAt !== null) {
    return Math.max(1, Math.ceil((error.retryAt.getTime() - now.getTime()) / millisecondsPerSecond))
  }
  if (!(error instanceof LimitsError) || error.retryAfterMs === null) return null
  return Math.ceil(error.retryAfterMs / millisecondsPerSecond)
}

/** RFC 9470 section 3: the token is good, but its person must show themselves again. */
const stepUpChallenge = 'Bearer realm="auricle", error="insufficient_user_authentication", max_age=300'

export function sendProblem(response: Response, problem: Problem): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  // The guards of the routes know better why, and have said so.
  if (problem.type === problems.stepUpRequired.type) response.set('WWW-Authenticate', stepUpChallenge)
  if (problem.status === 401 && !response.hasHeader('WWW-Authenticate')) {
    response.set('WWW-Authenticate', 'Bearer realm="auricle"')
  }
  if (problem.status === 429 && !response.hasHeader('Retry-After')) response.set('Retry-After', '900')
  if (problem.status === 503 && !response.hasHeader('Retry-After')) response.set('Retry-After', '5')
  response.removeHeader('Content-Length')
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}
