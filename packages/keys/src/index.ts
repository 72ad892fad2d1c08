export { type CachedKeysOptions, cachedKeys } from './cached-keys.ts'
export { KeyError, type KeyErrorCode } from './error.ts'
export {
  guardKeys,
  type KeyGuard,
  type KeyGuardOptions,
  type KeyUse,
  type NamedEvent,
  type OnKeyUse,
  type OtherKeyName,
  type RecordingsKeyName,
} from './guarded-keys.ts'
export type {
  AnyKeyName,
  KeyName,
  KeyService,
  Mac,
  MacKey,
  MacName,
  PublicKey,
  Signature,
  SignatureAlgorithm,
  Signer,
  SignerName,
} from './key-service.ts'
export { createKeyUses, keyUsesFolder } from './key-uses.ts'
export { createLocalKeyService, type LocalKeyServiceOptions } from './local-key-service.ts'
