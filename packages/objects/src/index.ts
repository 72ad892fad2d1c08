export { ObjectError, type ObjectErrorCode } from './error.ts'
export { createFolderStore, type FolderStore, type FolderStoreOptions } from './folder-store.ts'
export { type FreeSpace, measureFreeSpace } from './free-space.ts'
export type {
  ListOptions,
  ObjectFacts,
  ObjectMetadata,
  ObjectStore,
  OfGeneration,
  PutOptions,
  PutResult,
  StoreOptions,
} from './store.ts'
