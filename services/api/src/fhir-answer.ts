// The log as FHIR, for who asks for it by `Accept`: which of the two it is, and the Bundle of a page or of one event.
import { pipeline } from 'node:stream/promises'
import {
  type FhirAuditEvent,
  type FhirContext,
  type LogFinding,
  type SearchPage,
  searchsetJson,
  toFhir,
} from '@auricle/audit/fhir'
import { problems } from '@auricle/contract'
import type { LogQuery, RequestFacts, SearchedPage, ShownEvent } from '@auricle/vault'
import type { Request, Response } from 'express'
import { preferredType } from './preferred-type.ts'
import { sendProblem } from './problem.ts'
import { exchangeOf } from './request.ts'

export const fhirType = 'application/fhir+json'
const jsonType = 'application/json'

/** For whom, and where they reach us: without a trailing slash. */
interface Asked {
  readonly facts: Pick<RequestFacts, 'actor'>
  readonly baseUrl: string
}

/** What the client prefers of both; null where it takes neither, which it has then been told. */
export function chooseType(request: Request, response: Response): typeof fhirType | typeof jsonType | null {
  response.vary('Accept')
  const type = preferredType(request.get('Accept'), [jsonType, fhirType])
  if (type === null) sendProblem(response, { ...problems.notAcceptable, instance: exchangeOf(request).id })
  return type
}

/** Entry by entry, as fast as the client takes them. An abort ends it where it is. */
export async function sendFhir(
  response: Response,
  page: SearchPage,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  response.type(`${fhirType}; charset=utf-8; fhirVersion=4.0`)
  await pipeline(untilAbort(searchsetJson(page), signal), response, { signal })
}

/** Of itself a pipeline does not end the generator that it takes from. */
function* untilAbort(chunks: Iterable<string>, signal: AbortSignal): Generator<string> {
  for (const chunk of chunks) {
    signal.throwIfAborted()
    yield chunk
  }
}

/** A search opens no private part. */
export function fhirOfPage(page: SearchedPage, query: LogQuery, asked: Asked): SearchPage {
  return {
    resources: resourcesOf(page, asked),
    findings: page.events.flatMap(({ id, year, seq, finding }) =>
      finding === undefined ? [] : [{ id, place: { year, seq }, finding }],
    ),
    self: searchUrl(asked, { ...query, patient: patientOf(page, query) }),
    next:
      page.nextCursor === null
        ? null
        : searchUrl(asked, { ...query, patient: patientOf(page, query), cursor: page.nextCursor }),
  }
}

function* resourcesOf({ events }: SearchedPage, asked: Asked): Generator<FhirAuditEvent> {
  for (const { event, year, seq } of events)
    if (event !== null) yield* toFhir(event, contextOf(asked, { year, seq }, null))
}

export function fhirOfEvent(
  { id, event, place, finding, privatePart }: ShownEvent,
  asked: Asked,
): SearchPage {
  const findings: readonly LogFinding[] = [
    ...(finding === null ? [] : [{ id, place, finding }]),
    ...(privatePart?.state === 'altered' ? [{ id, place, finding: 'private_altered' } as const] : []),
  ]
  return {
    resources: event === null ? [] : toFhir(event, contextOf(asked, place, privatePart?.part ?? null)),
    findings,
    self: `${asked.baseUrl}/v1/audit/events/${id}`,
    next: null,
  }
}

function contextOf(
  { facts, baseUrl }: Asked,
  place: FhirContext['place'],
  part: FhirContext['private'],
): FhirContext {
  return {
    site: facts.actor.tenantId,
    server: { name: 'auricle', host: hostOf(baseUrl) },
    baseUrl,
    private: part,
    place,
  }
}

/** An IPv6 address stands in brackets in a URL only. */
const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '')

/** Where the search was for somebody who is not known: a name that is nobody's, unlike any word a PBX might send. */
const nobody = `pat_${'0'.repeat(26)}`

/** A Bundle is kept, and a PBX's reference of a patient is not for keeping: links have the log's name for them. */
const patientOf = ({ patient }: SearchedPage, query: LogQuery): string | undefined =>
  query.patient === undefined ? undefined : (patient ?? nobody)

function searchUrl({ baseUrl }: Asked, query: LogQuery): string {
  const url = new URL(`${baseUrl}/v1/audit/events`)
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value))
  return url.href
}
