// FHIR R4 (4.0.1) as far as this package writes it: AuditEvent, and the Bundle of a search.

export interface Coding {
  readonly system: string
  readonly code: string
  readonly display: string
}

export interface Concept {
  readonly coding: readonly Coding[]
}

export interface Identifier {
  readonly system: string
  readonly value: string
}

/** A logical reference: what it names is kept by the vault, not by a FHIR server. */
export interface Reference {
  /** Kind of resource, where FHIR has one. */
  readonly type?: 'Patient' | 'DocumentReference'
  readonly identifier?: Identifier
  readonly display?: string
}

export interface Network {
  readonly address: string
  /** 1 machine name, 2 IP address, 4 email address, 5 URI. */
  readonly type: '1' | '2' | '4' | '5'
}

export interface Agent {
  readonly type: Concept
  readonly who: Reference
  readonly altId?: string
  readonly name?: string
  readonly requestor: boolean
  readonly policy?: readonly string[]
  readonly network?: Network
  readonly purposeOfUse?: readonly Concept[]
}

export interface Detail {
  readonly type: string
  readonly valueString: string
}

export interface Entity {
  readonly what?: Reference
  readonly type: Coding
  readonly role?: Coding
  readonly lifecycle?: Coding
  readonly description?: string
  /** Base64. */
  readonly query?: string
  readonly detail?: readonly Detail[]
}

/** Create, read, update, delete, execute. */
export type FhirAction = 'C' | 'R' | 'U' | 'D' | 'E'

export interface FhirAuditEvent {
  readonly resourceType: 'AuditEvent'
  readonly id: string
  readonly meta?: { readonly profile: readonly string[] }
  readonly type: Coding
  readonly subtype?: readonly Coding[]
  readonly action: FhirAction
  readonly recorded: string
  /** Success, minor failure, serious failure. */
  readonly outcome: '0' | '4' | '8'
  readonly outcomeDesc?: string
  readonly purposeOfEvent?: readonly Concept[]
  readonly agent: readonly Agent[]
  readonly source: {
    readonly site: string
    readonly observer: Reference
    readonly type: readonly Coding[]
  }
  readonly entity: readonly Entity[]
}

/** What cannot be told as AuditEvents. */
export interface OperationOutcome {
  readonly resourceType: 'OperationOutcome'
  readonly issue: readonly {
    readonly severity: 'error' | 'warning'
    readonly code: 'not-found' | 'security' | 'conflict'
    readonly diagnostics: string
  }[]
}

export interface Searchset {
  readonly resourceType: 'Bundle'
  readonly type: 'searchset'
  readonly link: readonly { readonly relation: 'self' | 'next'; readonly url: string }[]
  /** Absent where nothing was found: FHIR knows no empty list. */
  readonly entry?: readonly (
    | {
        readonly fullUrl: string
        readonly resource: FhirAuditEvent
        readonly search: { readonly mode: 'match' }
      }
    | { readonly resource: OperationOutcome; readonly search: { readonly mode: 'outcome' } }
  )[]
}
