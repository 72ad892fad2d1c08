// Bearer tokens: the deployment's signing key, tokens issued to people and programs, and their end.
import type { Catalog, SigningKeyRow, TokenRow, UserRow } from '@auricle/catalog'
import { newTokenId, type Scope, type TenantId, type TokenId } from '@auricle/contract'
import { type CallOptions, openBytes, sealBytes } from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'
import { sealContext, tokenKeyIdentity } from './object-context.ts'
import type { VaultKeys } from './vault-keys.ts'

/** Signs the token of a row: the row is what makes it valid, the signature only says that it is ours. */
export type IssueToken = (token: TokenRow) => Promise<string>

type Jwk = Readonly<Record<string, unknown>>

/** A signing key as the identity package makes them. */
export interface TokenKeyPair {
  readonly kid: string
  readonly publicJwk: Jwk
  readonly privateJwk: Jwk
}

export interface TokenKeyParts {
  readonly catalog: Pick<Catalog, 'listSigningKeys' | 'addFirstSigningKey'>
  readonly keys: Pick<VaultKeys, 'ensure' | 'key'>
  readonly newKeyPair: () => Promise<TokenKeyPair>
}

export interface TokenKeys {
  /** The key that signs. */
  readonly current: TokenKeyPair
  /** Public keys that verify, the current one among them. */
  readonly all: readonly { readonly kid: string; readonly publicJwk: Jwk }[]
}

/** Loads the deployment's signing keys, making the first one where there is none; processes starting at once agree. */
export async function loadTokenKeys(parts: TokenKeyParts, options: CallOptions): Promise<TokenKeys> {
  await parts.keys.ensure({ purpose: 'identity' }, options)
  let rows = await parts.catalog.listSigningKeys(options)
  if (!rows.some(isLive)) rows = await parts.catalog.addFirstSigningKey(await newRow(parts, options), options)
  const current = rows.filter(isLive).sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0]
  if (current === undefined) throw new TypeError('no live signing key after adding one')
  return { current: { ...current, privateJwk: await openPrivateJwk(parts, current, options) }, all: rows }
}

const isLive = (row: SigningKeyRow) => row.retiredAt === null

async function newRow(parts: TokenKeyParts, { signal }: CallOptions): Promise<SigningKeyRow> {
  const pair = await parts.newKeyPair()
  const createdAt = new Date()
  const { bytes: sealedPrivateJwk } = await sealBytes(Buffer.from(JSON.stringify(pair.privateJwk)), {
    context: sealContext(tokenKeyIdentity(pair.kid), 'application/jwk+json', createdAt),
    wrapper: parts.keys.key({ purpose: 'identity' }),
    signal,
  })
  return { kid: pair.kid, publicJwk: pair.publicJwk, sealedPrivateJwk, createdAt, retiredAt: null }
}

async function openPrivateJwk(
  parts: TokenKeyParts,
  row: SigningKeyRow,
  { signal }: CallOptions,
): Promise<Jwk> {
  const json = await openBytes(row.sealedPrivateJwk, {
    expect: tokenKeyIdentity(row.kid),
    unwrapper: parts.keys.key({ purpose: 'identity' }),
    signal,
  })
  return JSON.parse(Buffer.from(json).toString('utf8'))
}

export interface NewProgramToken {
  readonly lifetimeMs: number
  /** What it may be used for, of what the user may do. */
  readonly scopes: readonly Scope[]
  readonly name: string | null
}

/** Makes the opaque text of a token, and what is kept of it. */
export type NewOpaqueToken = (
  kind: 'personal' | 'service',
  tokenId: TokenId,
) => { readonly text: string; readonly hash: Uint8Array }

/** A token for a program that acts as `user`, issued by the operator. It is opaque: its text is kept nowhere. */
export async function issueProgramToken(
  parts: { readonly catalog: Pick<Catalog, 'addToken'>; readonly newOpaqueToken: NewOpaqueToken },
  user: UserRow,
  { lifetimeMs, scopes, name }: NewProgramToken,
  options: CallOptions,
): Promise<{ readonly id: TokenId; readonly token: string; readonly expiresAt: Date }> {
  const createdAt = new Date()
  const expiresAt = new Date(createdAt.getTime() + lifetimeMs)
  const id = newTokenId()
  const purpose = user.kind === 'service' ? 'service' : 'personal'
  const { text, hash } = parts.newOpaqueToken(purpose, id)
  const row: TokenRow = {
    id,
    tenantId: user.tenantId,
    userId: user.id,
    purpose,
    createdAt,
    expiresAt,
    idleMs: null,
    scopes,
    name,
    secretHash: hash,
    factors: [],
    verifiedAt: null,
  }
  const event = await operatorEvent(row.tenantId, 'token.issued', { type: 'token', id: row.id })
  await parts.catalog.addToken(row, event, options)
  return { id, token: text, expiresAt }
}

/** False where there is no such live token. */
export async function revokeToken(
  parts: { readonly catalog: Pick<Catalog, 'revokeToken'> },
  tenantId: TenantId,
  tokenId: TokenId,
  options: CallOptions,
): Promise<boolean> {
  const event = await operatorEvent(tenantId, 'token.revoked', { type: 'token', id: tokenId })
  return parts.catalog.revokeToken(tenantId, tokenId, event, options)
}

/** The event of something the operator did at the machine's console. */
export function operatorEvent(
  tenantId: TenantId,
  action: Parameters<typeof auditRecord>[0]['action'],
  object: { readonly type: string; readonly id: string },
  reasons: readonly string[] = [],
) {
  const actor = { type: 'system', name: 'operator' } as const
  const facts = {
    tenantId,
    action,
    outcome: 'allowed',
    actor,
    object: { ...object, version: null },
    reasons,
    request: null,
  } as const
  return auditRecord(facts, null)
}
