// What the event was about: the object or the query, the patients, the request, and the leaf it stands in.
//
// BALP knows the parts by their type: one system object, one person where it is about a patient, one id of a
// request. Whatever else is worth telling is therefore of type "other".
import { toBase64, utf8 } from '../bytes.ts'
import type { AuditEvent, EventDetail } from '../event.ts'
import { dcm, entityType, objectRole } from './codes.ts'
import type { FhirContext } from './context.ts'
import type { Mapping } from './mapping.ts'
import type { Coding, Detail, Entity } from './resource.ts'
import { fhirText, identifierOf, present } from './text.ts'

/** Stands for the query of a search whose private part is not opened, was dropped or never was. */
export const withheldQuery = 'urn:auricle:query:withheld'

export interface Subjects {
  /** Null where the object is nothing, or a patient. */
  readonly object: AuditEvent['object']
  readonly patients: readonly string[]
}

export function subjectsOf({ object, patients = [] }: AuditEvent): Subjects {
  if (object === null || !object.id.startsWith('pat_')) return { object, patients }
  return { object: null, patients: [...new Set([object.id, ...patients])] }
}

export function entitiesOf(
  event: AuditEvent,
  { object, patients }: Subjects,
  mapping: Mapping,
  context: FhirContext,
): Entity[] {
  const raw = rawQuery(context)
  const isSearch = mapping.family === 'Query'
  const asksLog = mapping.type === dcm.auditLogUsed
  const about = object ?? (asksLog ? { type: 'log', id: event.tenant, version: null } : null)
  const hasQuery = isSearch || (mapping.family === null && raw !== null)
  return [
    ...(hasQuery ? [queryOf(raw)] : []),
    ...(about === null ? [] : [objectOf(about, mapping)]),
    ...patients.map(patientOf),
    ...(event.request === null ? [] : [requestOf(event.request)]),
    leafOf(event, context, hasQuery ? null : raw),
  ]
}

function queryOf(raw: string | null): Entity {
  return {
    type: entityType.systemObject,
    role: objectRole.query,
    query: toBase64(utf8(raw ?? withheldQuery)),
  }
}

function objectOf({ type, id, version }: NonNullable<AuditEvent['object']>, mapping: Mapping): Entity {
  const { family } = mapping
  const isRecording = type === 'recording'
  return {
    what: { ...(isRecording ? { type: 'DocumentReference' } : {}), identifier: identifierOf(id) },
    type: typeOf(type, family),
    role: family === null || family === 'Query' ? roleOf(type) : objectRole.domainResource,
    ...present('lifecycle', mapping.lifecycle),
    description: type,
    ...present('detail', version === null ? null : [{ type: 'version', valueString: version }]),
  }
}

function typeOf(type: string, family: Mapping['family']): Coding {
  if (family === 'Query') return entityType.other
  return family === null && type === 'user' ? entityType.person : entityType.systemObject
}

function roleOf(type: string): Coding {
  switch (type) {
    case 'user':
      return objectRole.securityUser
    case 'team':
      return objectRole.securityGroup
    case 'recording':
      return objectRole.domainResource
    default:
      return objectRole.securityResource
  }
}

function patientOf(id: string): Entity {
  return {
    what: { type: 'Patient', identifier: identifierOf(id) },
    type: entityType.person,
    role: objectRole.patient,
  }
}

function requestOf(request: string): Entity {
  return {
    what: { identifier: { system: 'urn:auricle:request', value: request } },
    type: entityType.requestId,
  }
}

/** The event itself, for whoever wants to find it in the log, with what FHIR has no element for. */
function leafOf(event: AuditEvent, context: FhirContext, raw: string | null): Entity {
  const { writer, detail } = event
  const { place, baseUrl } = context
  const facts: readonly (readonly [string, string | null])[] = [
    ['action', event.action],
    ['place', place === null ? null : `${place.year}-${place.seq}`],
    ['proof', place === null ? null : `${baseUrl}/v1/audit/events/${event.id}`],
    ['writer', writer === undefined ? null : `${writer.name} ${writer.id} ${writer.n}`],
    ['private', event.private],
    ['query', raw],
    ['reason', fhirText(context.private?.reason)],
    ['what', fhirText(context.private?.what)],
    ['recipientAddress', fhirText(context.private?.recipientAddress)],
    ...(detail === undefined ? [] : detailsOf(detail)),
  ]
  return {
    what: { identifier: identifierOf(event.id) },
    type: entityType.other,
    role: objectRole.securityResource,
    description: 'leaf of the log',
    detail: facts.flatMap(([type, valueString]): Detail[] =>
      valueString === null || valueString === '' ? [] : [{ type, valueString }],
    ),
  }
}

function detailsOf(detail: EventDetail): [string, string | null][] {
  const spans = (all: readonly (readonly [number, number])[]) =>
    all.map(([first, last]) => `${first}-${last}`).join(',')
  switch (detail.kind) {
    case 'served':
      return [
        ['intent', detail.intent],
        ['bytesServed', detail.bytes.toString()],
        ['ranges', spans(detail.ranges)],
        ['milliseconds', detail.milliseconds?.toString() ?? null],
        ['complete', detail.complete.toString()],
      ]
    case 'started':
      return [['receiptKey', detail.receiptKey]]
    case 'beat':
      return [
        ['beat', detail.beat.toString()],
        ['acknowledged', spans(detail.acknowledged)],
      ]
    case 'opened':
      return [...(detail.previous === null ? [] : rootOf(detail.previous)), ['keys', detail.keys.join(' ')]]
    case 'checkpoint':
      return rootOf(detail.of)
    case 'reconciled':
      return [['events', detail.events.join(' ')]]
    case 'disclosed':
      return [
        ['accountable', detail.accountable.toString()],
        ['recipientKind', detail.recipientKind],
      ]
    case 'covered':
      return [['covered', detail.count.toString()]]
    case 'disposal':
      return [
        ['disposition', detail.disposition],
        ['rule', detail.rule],
        ['version', detail.version.toString()],
        ['objects', detail.objects.toString()],
        ['bytesDestroyed', detail.bytes.toString()],
        ['claims', detail.claims ?? null],
      ]
    case 'version':
      return [['version', detail.version.toString()]]
    case 'found':
      return [['found', detail.count.toString()]]
    default:
      return detail satisfies never
  }
}

const rootOf = ({ origin, size, root }: { origin: string; size: number; root: string }) =>
  [
    ['origin', origin],
    ['size', size.toString()],
    ['root', root],
  ] satisfies [string, string][]

/** What was searched for, as a query string; null where the private part says nothing of it. */
function rawQuery({ private: part }: FhirContext): string | null {
  const query = fhirText(part?.query)
  const number = fhirText(part?.number)
  const patient = fhirText(part?.patientReference)
  const raw = [
    ...(query === null ? [] : [query]),
    ...(number === null ? [] : [`number=${encodeURIComponent(number)}`]),
    ...(patient === null ? [] : [`patient=${encodeURIComponent(patient)}`]),
  ]
  return raw.length === 0 ? null : raw.join('&')
}
