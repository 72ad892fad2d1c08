export { ObjectError, type ObjectErrorCode } from './error.ts'
export type { ObjectFacts, ObjectStore, PutOptions, PutResult, StoreOptions } from './store.ts'
