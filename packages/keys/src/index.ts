export type { KeyName, KeyService } from './key-service.ts'
