export { type IngestParts, startIngest } from './service.ts'
