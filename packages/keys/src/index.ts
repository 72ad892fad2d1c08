export { KeyError, type KeyErrorCode } from './error.ts'
export type { KeyName, KeyService } from './key-service.ts'
export {
  createLocalKeyService,
  type LocalKeyService,
  type LocalKeyServiceOptions,
} from './local-key-service.ts'
