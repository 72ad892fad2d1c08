export { type CachedKeysOptions, cachedKeys } from './cached-keys.ts'
export { KeyError, type KeyErrorCode } from './error.ts'
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
export { createLocalKeyService, type LocalKeyServiceOptions } from './local-key-service.ts'
