export { createGoogleStore, type GoogleStore, type GoogleStoreOptions } from './google/google-store.ts'
