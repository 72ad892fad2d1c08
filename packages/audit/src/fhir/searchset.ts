// The answer to a search, as a FHIR Bundle: the resources of a page, and the way to the next.
import { hex, sha256, utf8 } from '../bytes.ts'
import type { FhirAuditEvent, Searchset } from './resource.ts'

export interface SearchLinks {
  /** The search that was made, as an absolute URL. */
  readonly self: string
  /** Null on the last page. */
  readonly next: string | null
}

export function toSearchset(resources: readonly FhirAuditEvent[], { self, next }: SearchLinks): Searchset {
  const entry = resources.map(resource => ({
    fullUrl: `urn:uuid:${uuidOf(resource.id)}`,
    resource,
    search: { mode: 'match' } as const,
  }))
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [
      { relation: 'self', url: self },
      ...(next === null ? [] : [{ relation: 'next', url: next } as const]),
    ],
    ...(entry.length === 0 ? {} : { entry }),
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
