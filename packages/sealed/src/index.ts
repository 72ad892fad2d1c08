export { openBytes, type SealedBytes, sealBytes } from './bytes.ts'
export type { ExpectedContext, RecordingIdentity, SealContext } from './context.ts'
export { SealedError, type SealedErrorCode } from './error.ts'
export { fingerprintSealed } from './fingerprint.ts'
export type { SealedHeader } from './header.ts'
export { inspectSealed } from './inspect.ts'
export { type OpenOptions, openSealed } from './open.ts'
export type { OpenedObject } from './opened-object.ts'
export type { CallOptions, KeyUnwrapper, KeyWrapper, SealedSource } from './port.ts'
export {
  type RecordingSecret,
  type RecordingSecretOptions,
  startRecordingSecret,
} from './recording-secret.ts'
export { type SealFacts, type Sealing, type SealKey, type SealOptions, startSeal } from './seal.ts'
export { bytesSource } from './source.ts'
