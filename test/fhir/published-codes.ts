// The code systems as HL7 published them with FHIR R4: whether a code is one of theirs, and is shown as they show it.
import type { IsPublished, LooseCoding } from './balp-rules.ts'
import { readDefinitions } from './validators.ts'

interface Concept {
  readonly code: string
  readonly display?: string
  readonly concept?: readonly Concept[]
}

interface CodeSystem {
  readonly resourceType: string
  readonly url: string
  readonly concept?: readonly Concept[]
}

/** IHE's, which is not among HL7's: code and display as BALP 1.1.4 has them. */
const ofIhe: readonly LooseCoding[] = [
  {
    system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType',
    code: 'XrequestId',
    display: 'transport specific unique identifier where http X-Request-Id is used',
  },
]

const keyOf = ({ system, code, display }: LooseCoding) => JSON.stringify([system, code, display])

export function publishedCodes(): IsPublished {
  const keys = new Set(ofIhe.map(keyOf))
  for (const file of ['valuesets.json', 'v3-codesystems.json']) {
    const entries: readonly { readonly resource: CodeSystem }[] = readDefinitions(file).entry
    for (const { resource } of entries)
      if (resource.resourceType === 'CodeSystem')
        for (const { code, display } of flat(resource.concept))
          keys.add(keyOf({ system: resource.url, code, ...(display === undefined ? {} : { display }) }))
  }
  return coding => keys.has(keyOf(coding))
}

const flat = (concepts: readonly Concept[] = []): Concept[] =>
  concepts.flatMap(concept => [concept, ...flat(concept.concept)])
