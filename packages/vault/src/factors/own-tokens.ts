// Tokens that a person makes for programs of theirs: each with a name, an end, and no more scopes than it was given.
import type { Catalog, OwnTokenRow, TokenRow } from '@auricle/catalog'
import { newTokenId, type Scope, type TokenId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { NewOpaqueToken } from '../token.ts'

const tokensMost = 50
const dayMs = 24 * 60 * 60_000

export interface OwnTokenParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'listOwnTokens' | 'addOwnToken' | 'endOwnToken'>
  readonly newOpaqueToken: NewOpaqueToken
}

export async function listOwnTokens(
  { catalog }: OwnTokenParts,
  { actor: { tenantId, userId } }: RequestFacts,
  options: CallOptions,
): Promise<readonly OwnTokenRow[]> {
  return catalog.listOwnTokens(tenantId, userId, options)
}

export interface WantedToken {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly expiresInDays: number
}

/** Its text is shown once and kept nowhere. Throws `conflict` where the person has as many as there may be. */
export async function makeOwnToken(
  parts: OwnTokenParts,
  facts: RequestFacts,
  { name, scopes, expiresInDays }: WantedToken,
  options: CallOptions,
): Promise<{ readonly token: OwnTokenRow; readonly text: string }> {
  const { tenantId, userId } = facts.actor
  const id = newTokenId()
  const object = { type: 'token', id, version: null }
  const { now, record } = await authorize(
    parts,
    facts,
    { action: 'self.secure', log: 'token.issued', object },
    options,
  )
  const { text, hash } = parts.newOpaqueToken('personal', id)
  const expiresAt = new Date(now.getTime() + expiresInDays * dayMs)
  const row: TokenRow = {
    ...{ id, tenantId, userId, purpose: 'personal', createdAt: now, expiresAt, idleMs: null, scopes, name },
    ...{ secretHash: hash, factors: [], verifiedAt: null },
  }
  if (!(await parts.catalog.addOwnToken(row, tokensMost, await record(), options)))
    throw new VaultError('conflict', 'You have as many tokens as there may be: end one first')
  return { token: { id, name, scopes, createdAt: now, expiresAt, seenAt: now }, text }
}

/** Throws `not_found` for any but a live token that the person made for a program. */
export async function endOwnToken(
  parts: OwnTokenParts,
  facts: RequestFacts,
  id: TokenId,
  options: CallOptions,
): Promise<void> {
  const { tenantId, userId } = facts.actor
  const object = { type: 'token', id, version: null }
  const asked = { action: 'self.manage', log: 'token.revoked', object } as const
  const { record } = await authorize(parts, facts, asked, options)
  if (await parts.catalog.endOwnToken({ tenantId, userId, id }, await record(), options)) return
  throw new VaultError('not_found', 'There is no such token of yours')
}
