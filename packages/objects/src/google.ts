export {
  createGoogleStore,
  type GoogleStore,
  type GoogleStoreOptions,
  googleStoreDefaults,
} from './google/google-store.ts'
