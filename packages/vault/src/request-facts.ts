// What every use case of a signed-in person is told about the request it serves.
import type { Purpose } from '@auricle/contract'
import type { UserActor } from '@auricle/identity'

export interface RequestFacts {
  readonly actor: UserActor
  /** What it is wanted for, as the person stated it; null where they stated nothing. */
  readonly purposeOfUse: Purpose | null
  /** The request's id, as in the log. */
  readonly request: string
  /** Where it came from; kept in the private part of its audit event. */
  readonly ip: string | null
  readonly userAgent: string | null
}
