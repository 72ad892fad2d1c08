// An event of the log as FHIR R4 AuditEvent resources, in the shape of IHE BALP wherever one of its profiles applies.
//
// Patients are told by the log's random names. What the log keeps in private parts is told as far as the private
// part was opened, and not otherwise.
import type { AuditEvent } from '../event.ts'
import { agentsOf, vaultOf } from './agents.ts'
import { applicationServer, concept } from './codes.ts'
import type { FhirContext } from './context.ts'
import { entitiesOf, type Subjects, subjectsOf } from './entities.ts'
import { type Mapping, mappingOf, purposeOfUse } from './mapping.ts'
import type { FhirAuditEvent } from './resource.ts'
import { fhirText, present } from './text.ts'

const profileBase = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'

const outcomes = { allowed: '0', denied: '4', failed: '8' } as const satisfies Record<
  AuditEvent['outcome'],
  string
>

/**
 * One resource; or one for each patient where a profile of BALP applies and the event is about several, since those
 * profiles have room for one.
 */
export function toFhir(event: AuditEvent, context: FhirContext): readonly FhirAuditEvent[] {
  const mapping = mappingOf(event)
  const subjects = subjectsOf(event)
  const profile = profileOf(event, mapping, subjects)
  const whole = { event, mapping, profile, context }
  if (profile === null || subjects.patients.length < 2) return [resourceOf(whole, subjects, null)]
  return subjects.patients.map(patient => resourceOf(whole, { ...subjects, patients: [patient] }, patient))
}

interface Whole {
  readonly event: AuditEvent
  readonly mapping: Mapping
  readonly profile: string | null
  readonly context: FhirContext
}

function resourceOf(
  { event, mapping, profile, context }: Whole,
  subjects: Subjects,
  patient: string | null,
): FhirAuditEvent {
  const purposes = [
    ...new Set([...purposeOfUse(event), ...(mapping.purpose === null ? [] : [mapping.purpose])]),
  ]
  return {
    resourceType: 'AuditEvent',
    id: fhirId(event.id, patient),
    ...present('meta', profile === null ? null : { profile: [profile] }),
    type: mapping.type,
    ...present('subtype', mapping.subtypes.length === 0 ? null : mapping.subtypes),
    action: mapping.action,
    recorded: event.at,
    outcome: outcomes[event.outcome],
    ...present('outcomeDesc', fhirText(event.reasons.join(' '))),
    ...present('purposeOfEvent', purposes.length === 0 ? null : purposes.map(concept)),
    agent: agentsOf(event, mapping, context),
    source: { site: context.site, observer: vaultOf(context), type: [applicationServer] },
    entity: entitiesOf(event, subjects, mapping, context),
  }
}

/** The profile that holds. They are of what succeeded; of anything else FHIR's own AuditEvent is all there is. */
function profileOf(
  { outcome }: AuditEvent,
  { family }: Mapping,
  { object, patients }: Subjects,
): string | null {
  if (family === null || outcome !== 'allowed') return null
  const isOfPatient = patients.length > 0
  if (family === 'Disclosure')
    return object !== null && isOfPatient ? `${profileBase}PrivacyDisclosure.Source` : null
  if (family !== 'Query' && object === null) return null
  return `${profileBase}${isOfPatient ? 'Patient' : ''}${family}`
}

/** FHIR's ids have no underscore. The second part is the patient's, where one event became several resources. */
function fhirId(eventId: string, patient: string | null): string {
  const name = (id: string) => id.slice(id.indexOf('_') + 1)
  return `evt-${name(eventId)}${patient === null ? '' : `.${name(patient)}`}`
}
