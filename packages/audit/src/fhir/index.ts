export { toFhir } from './audit-event.ts'
export type { FhirContext } from './context.ts'
export type { FhirAuditEvent, Searchset } from './resource.ts'
export { type LogFinding, type SearchPage, searchsetJson, toSearchset } from './searchset.ts'
