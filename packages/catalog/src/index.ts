export type {
  AccessFacts,
  AccessLimits,
  AllowedHost,
  BearerFacts,
  Catalog,
  ConnectorRow,
  HeldToken,
  IntakeRow,
  IntakeState,
  KeptObject,
  MailboxRow,
  NewIntake,
  OutboxRow,
  PlayFacts,
  QueryOptions,
  RecordingFacts,
  RecordingFilter,
  RecordingRow,
  ReplicationFacts,
  SigningKeyRow,
  StoredObject,
  TenantRow,
  TokenRow,
  UserCredentials,
  UserRow,
} from './catalog.ts'
export type { ColumnKeys } from './column-keys.ts'
export type { DelegationRow } from './cover.ts'
export { type CatalogOptions, createCatalog } from './create-catalog.ts'
export { CatalogError, type CatalogErrorCode } from './error.ts'
export { type MigrateOptions, migrate } from './migrate.ts'
export type { InvitationRow, PersonRow } from './people.ts'
export { createPool, type DatabaseSettings, type PoolOptions } from './pool.ts'
export type { GrantRow, NewRoleRequest, RoleRequestFilter, RoleRequestRow } from './roles.ts'
export type { ServiceTokenRow } from './service-accounts.ts'
export type { SessionRow, SessionsCatalog, TokenOrigin, TokenState } from './sessions.ts'
export type { TeamRow } from './teams.ts'
export type { TenantChange } from './tenant-limits.ts'
