// The little that authentication reads of an HTTP request, whichever framework serves it.
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface HttpRequest extends IncomingMessage {
  /** The parsed JSON body, where a body parser has run. */
  readonly body?: unknown
}

export type HttpHandler = (
  request: HttpRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** RFC 6750 section 3: how a client is told what is missing. */
export const challenges = {
  none: 'Bearer realm="auricle"',
  malformed: 'Bearer realm="auricle", error="invalid_request", error_description="send one bearer token"',
  invalid: 'Bearer realm="auricle", error="invalid_token", error_description="the token does not hold"',
} as const
