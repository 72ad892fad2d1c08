// Every refusal the HTTP services can give: RFC 9457 problem types with their status and title.
import { z } from 'zod'

export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  /** The request's id, as in the log. */
  instance: z.string().optional(),
})
export type Problem = z.infer<typeof Problem>

const base = 'urn:auricle:problem:'

const problem = (slug: string, status: number, title: string) => ({ type: base + slug, status, title })

/** Registry of problem types; `docs/api.md` explains each by its slug. */
export const problems = {
  malformed: problem('malformed', 400, 'The request is malformed'),
  emptyBody: problem('empty-body', 400, 'The delivery has no audio'),
  truncatedBody: problem('truncated-body', 400, 'The body ended before its declared length'),
  staleTimestamp: problem('stale-timestamp', 400, 'The signed timestamp is too far from now'),
  contentMismatch: problem('content-mismatch', 422, 'The audio is not what its metadata declares'),
  unauthenticated: problem('unauthenticated', 401, 'Sign in first'),
  badCredentials: problem('bad-credentials', 401, 'The credentials are wrong'),
  badSignature: problem('bad-signature', 401, 'The delivery could not be authenticated'),
  stepUpRequired: problem('step-up-required', 401, 'Show your second factor again'),
  purposeRequired: problem('purpose-required', 403, 'State what it is for'),
  denied: problem('denied', 403, 'This is not allowed'),
  notFound: problem('not-found', 404, 'There is no such thing here'),
  unknownConnector: problem('unknown-connector', 404, 'There is no such connector'),
  methodNotAllowed: problem('method-not-allowed', 405, 'This method is not served here'),
  notAcceptable: problem('not-acceptable', 406, 'This is not served in such a content type'),
  idleTimeout: problem('idle-timeout', 408, 'The body stopped arriving'),
  sourceIdConflict: problem('source-id-conflict', 409, 'This source id was delivered with other content'),
  messageIdConflict: problem('message-id-conflict', 409, 'This message id was delivered with other content'),
  conflict: problem('conflict', 409, 'This is already so, or no longer possible'),
  tooLarge: problem('too-large', 413, 'The body is larger than this connector accepts'),
  notAudio: problem('not-audio', 415, 'The body is not audio'),
  rangeNotSatisfiable: problem('range-not-satisfiable', 416, 'The range lies outside the audio'),
  tooManyAttempts: problem('too-many-attempts', 429, 'Too many attempts'),
  internal: problem('internal', 500, 'Something went wrong'),
  logUnavailable: problem('log-unavailable', 503, 'The audit log cannot take this now'),
  unavailable: problem('unavailable', 503, 'The service cannot do this now'),
} as const satisfies Record<string, { type: string; status: number; title: string }>
export type ProblemName = keyof typeof problems
