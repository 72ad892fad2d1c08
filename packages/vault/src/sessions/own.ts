// One's own sessions: listed, and ended one by one or everywhere, for every process at once.
import type { Catalog, SessionRow } from '@auricle/catalog'
import type { TokenId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { appendAccess } from '../access-event.ts'
import { VaultError } from '../error.ts'
import type { EventAppender } from '../log/durable-event.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import { personEvent } from './person-event.ts'

/** The newest: nobody reads further, and each that is left out ends by itself. */
const sessionsMost = 200

interface Parts<Method extends keyof Catalog> {
  readonly catalog: Pick<Catalog, Method>
  readonly secrets: TenantSecretsCache
  readonly now?: () => Date
}

export interface OwnSession extends SessionRow {
  /** The one of the request. */
  readonly isCurrent: boolean
}

/** Everything that acts as the person: sessions, and their tokens for programs. */
export async function listSessions(
  parts: Parts<'listSessions'> & { readonly log: EventAppender },
  facts: RequestFacts,
  options: CallOptions,
): Promise<readonly OwnSession[]> {
  const { tenantId, userId, tokenId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const whose = { tenantId, userId, now: parts.now?.() ?? new Date(), limit: sessionsMost }
  const sessions = await parts.catalog.listSessions(whose, secrets.columns, options)
  const object = { type: 'user', id: userId, version: null }
  const decision = { allowed: true, reasons: ['own'] }
  await appendAccess({ ...parts, secrets }, facts, 'session.listed', object, decision, options)
  return sessions.map(session => ({ ...session, isCurrent: session.id === tokenId }))
}

/** Signing out: the token of the request ends. */
export async function endSession(
  parts: Parts<'endToken'>,
  facts: RequestFacts,
  options: CallOptions,
): Promise<void> {
  await endOne(parts, facts, facts.actor.tokenId, 'signed_out', options)
}

/** Ends another of one's own tokens. Throws `not_found` for all that are not, or hold no longer. */
export async function endSessionById(
  parts: Parts<'endToken'>,
  facts: RequestFacts,
  tokenId: TokenId,
  options: CallOptions,
): Promise<void> {
  const reason = tokenId === facts.actor.tokenId ? 'signed_out' : 'ended_by_owner'
  if (await endOne(parts, facts, tokenId, reason, options)) return
  throw new VaultError('not_found', 'No such session')
}

async function endOne(
  parts: Parts<'endToken'>,
  facts: RequestFacts,
  tokenId: TokenId,
  reason: string,
  options: CallOptions,
): Promise<boolean> {
  const { tenantId, userId } = facts.actor
  const now = parts.now?.() ?? new Date()
  const event = await endEvent(
    parts,
    facts,
    { type: 'token', id: tokenId, version: null },
    reason,
    now,
    options,
  )
  return parts.catalog.endToken({ tenantId, userId, tokenId, reason, now }, event, options)
}

/** Signing out everywhere: how many sessions ended. Tokens of programs go on, which nobody signs in to. */
export async function endSessions(
  parts: Parts<'endSessions'>,
  facts: RequestFacts,
  { isCurrentToo }: { readonly isCurrentToo: boolean },
  options: CallOptions,
): Promise<number> {
  const { tenantId, userId, tokenId } = facts.actor
  const now = parts.now?.() ?? new Date()
  const reason = 'signed_out_everywhere'
  const event = await endEvent(
    parts,
    facts,
    { type: 'user', id: userId, version: null },
    reason,
    now,
    options,
  )
  const except = isCurrentToo ? null : tokenId
  return parts.catalog.endSessions({ tenantId, userId, except, reason, now }, event, options)
}

async function endEvent(
  parts: Pick<Parts<never>, 'secrets'>,
  facts: RequestFacts,
  object: { readonly type: string; readonly id: string; readonly version: null },
  reason: string,
  now: Date,
  options: CallOptions,
) {
  const { tenantId, userId, tokenId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const ended = { action: 'session.ended', outcome: 'allowed', reasons: [reason], object, now } as const
  return personEvent(secrets, { userId, tokenId, ...ended }, facts)
}
