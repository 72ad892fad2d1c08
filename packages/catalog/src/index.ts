export type {
  AllowedHost,
  Catalog,
  ConnectorRow,
  IntakeRow,
  IntakeState,
  MailboxRow,
  NewIntake,
  OutboxRow,
  PlayFacts,
  QueryOptions,
  RecordingFacts,
  RecordingFilter,
  RecordingRow,
  SigningKeyRow,
  StoredObject,
  TenantRow,
  TokenRow,
  UserCredentials,
  UserRow,
} from './catalog.ts'
export type { ColumnKeys } from './column-keys.ts'
export { CatalogError, type CatalogErrorCode } from './error.ts'
