export { ObjectError, type ObjectErrorCode } from './error.ts'
export { createFolderStore, type FolderStore, type FolderStoreOptions } from './folder-store.ts'
export { type FreeSpace, measureFreeSpace } from './free-space.ts'
export type {
  GoneObject,
  ListOptions,
  ObjectFacts,
  ObjectMetadata,
  ObjectStore,
  OfGeneration,
  PutOptions,
  PutResult,
  RetainOptions,
  StoreOptions,
} from './store.ts'
