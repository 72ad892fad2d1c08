// The person or program behind a token that holds, as decisions are made about them.
import type { AccessFacts, HeldToken } from '@auricle/catalog'
import type { TenantId, TokenId, UserId } from '@auricle/contract'
import type { UserActor } from '@auricle/identity'
import { parseRoles } from './roles.ts'

export interface ActorFacts {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly tokenId: TokenId
  readonly access: AccessFacts
  readonly token: HeldToken
}

/** Throws for a role that this version does not know. */
export function actorOf({ tenantId, userId, tokenId, access, token }: ActorFacts): UserActor {
  const { kind, scopes, verifiedAt } = token
  return {
    type: 'user',
    tenantId,
    userId,
    tokenId,
    roles: parseRoles(access.roles),
    mailboxes: access.mailboxes,
    breakGlass: access.breakGlass,
    token: { kind, scopes, verifiedAt },
  }
}
