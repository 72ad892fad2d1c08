// What every use case of a signed-in person is told about the request it serves.
import type { Actor } from '@auricle/identity'

export interface RequestFacts {
  readonly actor: Extract<Actor, { type: 'user' }>
  /** The request's id, as in the log. */
  readonly request: string
  /** Where it came from; kept in the private part of its audit event. */
  readonly ip: string | null
  readonly userAgent: string | null
}
