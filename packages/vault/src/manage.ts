// Setting up: tenants, people, mailboxes and connectors, each made whole or not at all, and logged.
import type {
  AccessLimits,
  AllowedHost,
  Catalog,
  ConnectorRow,
  MailboxRow,
  TenantRow,
  UserRow,
} from '@auricle/catalog'
import {
  type MailboxId,
  newConnectorId,
  newMailboxId,
  newTenantId,
  newUserId,
  type Role,
  type TenantId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { sealConnectorSecrets } from './connector-secrets.ts'
import { newColumnSecret, type TenantSecretsCache } from './tenant-secrets.ts'
import { operatorEvent } from './token.ts'
import type { VaultKeys } from './vault-keys.ts'

/** What a tenant starts with, and the most that each may be. */
const accessLimits: AccessLimits = {
  idleMs: 15 * 60_000,
  sessionMs: 12 * 60 * 60_000,
  breakGlassMs: 60 * 60_000,
  reviewMs: 3 * 24 * 60 * 60_000,
}

export interface ManageParts {
  readonly catalog: Pick<
    Catalog,
    'createTenant' | 'createUser' | 'createMailbox' | 'addMailboxOwner' | 'createConnector'
  >
  readonly keys: VaultKeys
  readonly secrets: TenantSecretsCache
}

/**
 * Order: keys, then the row. Killed in between, two unused keys remain. Throws `taken` (CatalogError) where the
 * short name is in use.
 */
export async function createTenant(
  parts: Pick<ManageParts, 'catalog' | 'keys'>,
  tenant: Pick<TenantRow, 'slug' | 'name' | 'keepDays'> & Partial<Pick<TenantRow, 'access'>>,
  options: CallOptions,
): Promise<TenantRow> {
  const id = newTenantId()
  await parts.keys.ensure({ purpose: 'recordings', tenantId: id }, options)
  await parts.keys.ensure({ purpose: 'connectors', tenantId: id }, options)
  const columnSecret = await newColumnSecret(parts.keys, id, options)
  const row: TenantRow = { access: accessLimits, ...tenant, id, columnSecret, createdAt: new Date() }
  await parts.catalog.createTenant(
    row,
    await operatorEvent(id, 'tenant.created', { type: 'tenant', id }),
    options,
  )
  return row
}

export interface NewUser {
  readonly tenantId: TenantId
  readonly login: string
  readonly name: string
  readonly roles: readonly Role[]
  readonly passwordHash: string | null
  readonly totpSecret: string | null
  /** Default: a person. */
  readonly kind?: UserRow['kind']
}

export async function createUser(parts: ManageParts, user: NewUser, options: CallOptions): Promise<UserRow> {
  const { passwordHash, totpSecret, ...facts } = user
  const row: UserRow = { kind: 'person', ...facts, id: newUserId(), createdAt: new Date(), disabledAt: null }
  const { columns } = await parts.secrets.get(user.tenantId, options)
  const event = await operatorEvent(user.tenantId, 'user.created', { type: 'user', id: row.id })
  await parts.catalog.createUser(row, { passwordHash, totpSecret }, columns, event, options)
  return row
}

export async function createMailbox(
  parts: Pick<ManageParts, 'catalog'>,
  mailbox: Pick<MailboxRow, 'tenantId' | 'address' | 'name'>,
  options: CallOptions,
): Promise<Omit<MailboxRow, 'ownerIds'>> {
  const row = { ...mailbox, id: newMailboxId() }
  const event = await operatorEvent(row.tenantId, 'mailbox.created', { type: 'mailbox', id: row.id })
  await parts.catalog.createMailbox(row, event, options)
  return row
}

export async function assignMailbox(
  parts: Pick<ManageParts, 'catalog'>,
  mailbox: { readonly tenantId: TenantId; readonly id: MailboxId },
  user: Pick<UserRow, 'id'>,
  options: CallOptions,
): Promise<void> {
  const event = await operatorEvent(mailbox.tenantId, 'mailbox.assigned', { type: 'mailbox', id: mailbox.id })
  await parts.catalog.addMailboxOwner(mailbox.tenantId, mailbox.id, user.id, event, options)
}

export interface NewConnector {
  readonly tenantId: TenantId
  readonly kind: string
  readonly name: string
  readonly defaultMailboxId: MailboxId | null
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly allowedHosts: readonly AllowedHost[]
  /** As the connector kind's `newSecrets` made them. */
  readonly pbxSecrets: unknown
}

export async function createConnector(
  parts: Pick<ManageParts, 'catalog' | 'keys'>,
  { pbxSecrets, ...facts }: NewConnector,
  options: CallOptions,
): Promise<ConnectorRow> {
  const id = newConnectorId()
  const createdAt = new Date()
  const owner = { tenantId: facts.tenantId, id }
  const sealedSecrets = await sealConnectorSecrets(parts.keys, owner, pbxSecrets, createdAt, options)
  const made = { ...facts, id, sealedSecrets, createdAt, disabledAt: null }
  const event = await operatorEvent(facts.tenantId, 'connector.created', { type: 'connector', id })
  await parts.catalog.createConnector(made, event, options)
  return { ...made, firstSealedSecrets: null, previous: null, previousUsedAt: null }
}
