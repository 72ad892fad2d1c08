// What an AuditEvent says that no event does: whose log it is, who serves it, and what of the private part is shown.
import type { PrivatePart } from '../private-part.ts'

export interface FhirContext {
  /** Whose log it is: `AuditEvent.source.site`. */
  readonly site: string
  /** The vault as other systems know it. */
  readonly server: {
    readonly name: string
    /** Host name or address it is reached at. */
    readonly host: string
  }
  /** How the outside reaches it, without a trailing slash. */
  readonly baseUrl: string
  /** The private part, opened for whoever reads this; null where there is none, it was dropped, or it is not shown. */
  readonly private: PrivatePart | null
  /** Where its leaf stands, in the log of which year; null while it is in none. */
  readonly place: { readonly year: number; readonly seq: number } | null
}
