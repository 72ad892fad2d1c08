// The answer to a search, as a FHIR Bundle: the resources of a page, what is wrong with others, the way to the next page.
import { hex, sha256, utf8 } from '../bytes.ts'
import type { FhirAuditEvent, OperationOutcome, Searchset } from './resource.ts'

export interface SearchPage {
  /** Gone through once. */
  readonly resources: Iterable<FhirAuditEvent>
  /** What of the log is not as it was sealed: it must not be missed by who reads the rest. */
  readonly findings: readonly LogFinding[]
  /** The search that was made, as an absolute URL. */
  readonly self: string
  /** Null on the last page. */
  readonly next: string | null
}

/**
 * `missing` and `altered`: there is no event to show. `misfiled`: it is shown, and was found by an index that is wrong.
 * `private_altered`: it is shown, without its private part.
 */
export interface LogFinding {
  readonly id: string
  /** Null where it stands in no log yet. */
  readonly place: { readonly year: number; readonly seq: number } | null
  readonly finding: 'missing' | 'altered' | 'misfiled' | 'private_altered'
}

const issues = {
  missing: { severity: 'error', code: 'not-found', says: 'was sealed into the log, and is gone' },
  altered: { severity: 'error', code: 'security', says: 'is not as it was sealed into the log' },
  misfiled: { severity: 'warning', code: 'conflict', says: 'is in the index as something that it is not' },
  private_altered: {
    severity: 'error',
    code: 'security',
    says: 'has a private part that is not the one it commits to',
  },
} as const

export function toSearchset(page: SearchPage): Searchset {
  const entry = [...entriesOf(page)]
  return { ...headOf(page), ...(entry.length === 0 ? {} : { entry }) }
}

/**
 * The same as JSON, entry by entry: a page of lists that showed many patients is tens of thousands of resources, which
 * need not be there at once.
 */
export function* searchsetJson(page: SearchPage): Generator<string> {
  yield JSON.stringify(headOf(page)).slice(0, -1)
  let isFirst = true
  for (const entry of entriesOf(page)) {
    yield `${isFirst ? ',"entry":[' : ','}${JSON.stringify(entry)}`
    isFirst = false
  }
  yield isFirst ? '}' : ']}'
}

function headOf({ self, next }: SearchPage): Omit<Searchset, 'entry'> {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [
      { relation: 'self', url: self },
      ...(next === null ? [] : [{ relation: 'next', url: next } as const]),
    ],
  }
}

function* entriesOf({ resources, findings }: SearchPage): Generator<NonNullable<Searchset['entry']>[number]> {
  for (const resource of resources) {
    yield { fullUrl: `urn:uuid:${uuidOf(resource.id)}`, resource, search: { mode: 'match' } }
  }
  if (findings.length > 0) yield { resource: outcomeOf(findings), search: { mode: 'outcome' } }
}

function outcomeOf(findings: readonly LogFinding[]): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: findings.map(({ id, place, finding }) => {
      const { severity, code, says } = issues[finding]
      const where = place === null ? '' : ` at ${place.year}-${place.seq}`
      return { severity, code, diagnostics: `The event ${id}${where} ${says}` }
    }),
  }
}

/** Of the resource's id, always the same (RFC 9562 version 8). No FHIR server has these resources, so no URL does. */
function uuidOf(id: string): string {
  const bytes = sha256(utf8(id)).slice(0, 16)
  const at = (index: number) => bytes[index] ?? 0
  bytes[6] = (at(6) & 0x0f) | 0x80
  bytes[8] = (at(8) & 0x3f) | 0x80
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
