export type { CallOptions, KeyUnwrapper, KeyWrapper, SealedSource } from './port.ts'
