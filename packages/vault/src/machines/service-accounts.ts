// Service accounts and their tokens: machines that act for themselves, within scopes, and never sign in.
//
// Their roles come as everybody's do, by request and approval. A login is never used again: the account stays, disabled.
import type { Catalog, ServiceTokenRow, TokenRow, UserRow } from '@auricle/catalog'
import { newTokenId, newUserId, type Scope, type TokenId, type UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named, refuse } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

/** Of one tenant, and of one account: a list of them is one answer. */
const accountsMost = 1000
const liveTokensMost = 50
const tokensShownMost = 200
const dayMs = 24 * 60 * 60_000

export interface ServiceAccountParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'createUser'
    | 'listServiceAccounts'
    | 'findServiceAccount'
    | 'disableServiceAccount'
    | 'listServiceTokens'
    | 'addServiceToken'
    | 'endServiceToken'
  >
  /** A token's text, to be shown once, and the hash to be kept of it. */
  readonly newToken: (id: TokenId) => { readonly text: string; readonly hash: Uint8Array }
}

export interface ServiceAccountView {
  readonly id: UserId
  readonly login: string
  readonly name: string
  /** Those in force. */
  readonly roles: readonly string[]
  readonly createdAt: string
  readonly disabledAt: string | null
}

export interface ServiceTokenView {
  readonly id: TokenId
  readonly name: string | null
  readonly scopes: readonly Scope[]
  readonly createdAt: string
  readonly expiresAt: string
  /** When it was last used, to half a minute. */
  readonly lastUsedAt: string
  readonly revokedAt: string | null
}

export async function listServiceAccounts(
  parts: ServiceAccountParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<{ readonly accounts: readonly ServiceAccountView[] }> {
  const asked = { action: 'machine.read', log: 'people.listed', object: null } as const
  await authorizeReading(parts, facts, asked, options)
  const rows = await parts.catalog.listServiceAccounts(facts.actor.tenantId, options)
  return { accounts: rows.map(accountViewOf) }
}

/** Throws `taken` (CatalogError) where the tenant has or had that login. */
export async function createServiceAccount(
  parts: ServiceAccountParts,
  facts: RequestFacts,
  { login, name }: Pick<UserRow, 'login' | 'name'>,
  options: CallOptions,
): Promise<ServiceAccountView> {
  const { tenantId } = facts.actor
  const id = newUserId()
  const asked = { action: 'machine.manage', log: 'user.created', object: named('user', id) } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  if ((await parts.catalog.listServiceAccounts(tenantId, options)).length >= accountsMost)
    throw new VaultError('conflict', `A tenant has at most ${accountsMost} service accounts`)
  const row = {
    id,
    tenantId,
    login,
    name,
    kind: 'service',
    roles: [],
    createdAt: now,
    disabledAt: null,
  } as const
  const nothing = { passwordHash: null, totpSecret: null }
  await parts.catalog.createUser(row, nothing, secrets.columns, await record(), options)
  return accountViewOf(row)
}

/** Ends its tokens in the same moment. */
export async function disableServiceAccount(
  parts: ServiceAccountParts,
  facts: RequestFacts,
  userId: UserId,
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  const asked = { action: 'machine.manage', log: 'user.disabled', object: named('user', userId) } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  await findAccount(parts, facts, userId, options)
  const ending = { tenantId, userId, at: now }
  if (!(await parts.catalog.disableServiceAccount(ending, await record(), options)))
    throw new VaultError('conflict', 'The account is disabled already')
}

/** Those that hold before those that ended, newest first. */
export async function listServiceTokens(
  parts: ServiceAccountParts,
  facts: RequestFacts,
  userId: UserId,
  options: CallOptions,
): Promise<{ readonly tokens: readonly ServiceTokenView[] }> {
  const { tenantId } = facts.actor
  const asked = { action: 'machine.read', log: 'token.listed', object: named('user', userId) } as const
  await authorizeReading(parts, facts, asked, options)
  await findAccount(parts, facts, userId, options)
  const rows = await parts.catalog.listServiceTokens(tenantId, userId, tokensShownMost, options)
  return { tokens: rows.map(tokenViewOf) }
}

export interface ServiceTokenRequest {
  readonly userId: UserId
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly expiresInDays: number
}

/** A program hands on no scope that it does not hold. Throws `conflict` where the account has enough, or is disabled. */
export async function issueServiceToken(
  parts: ServiceAccountParts,
  facts: RequestFacts,
  { userId, name, scopes, expiresInDays }: ServiceTokenRequest,
  options: CallOptions,
): Promise<{ readonly id: TokenId; readonly token: string; readonly expiresAt: string }> {
  const { tenantId, token: held } = facts.actor
  const id = newTokenId()
  const object = named('token', id)
  const asked = { action: 'machine.manage', log: 'token.issued', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  if (!scopes.every(scope => held.scopes?.includes(scope) ?? true))
    return await refuse(parts, facts, { log: 'token.issued', object, reason: 'out_of_scope' }, options)
  await findAccount(parts, facts, userId, options)
  const { text, hash } = parts.newToken(id)
  const row: TokenRow = {
    id,
    tenantId,
    userId,
    purpose: 'service',
    createdAt: now,
    expiresAt: new Date(now.getTime() + expiresInDays * dayMs),
    idleMs: null,
    scopes,
    name,
    secretHash: hash,
    factors: [],
    verifiedAt: null,
  }
  if (!(await parts.catalog.addServiceToken(row, liveTokensMost, await record(), options)))
    throw new VaultError('conflict', `The account is disabled, or has ${liveTokensMost} tokens that hold`)
  return { id, token: text, expiresAt: row.expiresAt.toISOString() }
}

export async function endServiceToken(
  parts: ServiceAccountParts,
  facts: RequestFacts,
  { userId, tokenId }: { readonly userId: UserId; readonly tokenId: TokenId },
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  const asked = { action: 'machine.manage', log: 'token.revoked', object: named('token', tokenId) } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  const ended = { tenantId, userId, tokenId, at: now }
  if (!(await parts.catalog.endServiceToken(ended, await record(), options)))
    throw new VaultError('not_found', 'The account has no such token that holds')
}

async function findAccount(
  { catalog }: Pick<ServiceAccountParts, 'catalog'>,
  { actor }: RequestFacts,
  userId: UserId,
  options: CallOptions,
): Promise<UserRow> {
  const row = await catalog.findServiceAccount(actor.tenantId, userId, options)
  if (row === null) throw new VaultError('not_found', 'There is no such service account')
  return row
}

function accountViewOf({ id, login, name, roles, createdAt, disabledAt }: UserRow): ServiceAccountView {
  return {
    id,
    login,
    name,
    roles,
    createdAt: createdAt.toISOString(),
    disabledAt: disabledAt?.toISOString() ?? null,
  }
}

function tokenViewOf(row: ServiceTokenRow): ServiceTokenView {
  const { id, name, scopes, createdAt, expiresAt, seenAt, revokedAt } = row
  return {
    id,
    name,
    scopes: scopes ?? [],
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    lastUsedAt: seenAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
  }
}
