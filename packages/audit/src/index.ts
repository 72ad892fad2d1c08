export { AuditEvent, EventAction } from './event.ts'
export type { AuditRecord } from './record.ts'
