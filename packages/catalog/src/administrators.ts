// A tenant keeps somebody who can administer it: what is asked before anybody's access or role ends.
import type { TenantId, UserId } from '@auricle/contract'
import type { Session } from './database.ts'

/** Who ends something, and when; null where it is the operator. */
export interface Ending {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly by: UserId | null
  readonly at: Date
}

/**
 * Whether somebody is the one who can still administer the tenant. Of two transactions that ask, the second waits for
 * the first: two administrators who end each other leave one.
 */
export async function isLastAdministrator(
  session: Session,
  { tenantId, userId, at }: Pick<Ending, 'tenantId' | 'userId' | 'at'>,
): Promise<boolean> {
  await session.rows({
    text: 'select id from auricle.tenant where id = $1 for no key update',
    values: [tenantId],
  })
  const administrators = await session.rows({
    text: `select u.id from auricle.app_user u
           where u.tenant_id = $1 and u.disabled_at is null and u.kind = 'person' and exists (
             select from auricle.role_grant g
             where g.tenant_id = u.tenant_id and g.user_id = u.id and g.role = 'administrator'
               and g.revoked_at is null and (g.until is null or g.until > $2)
           )`,
    values: [tenantId, at],
  })
  return administrators.length === 1 && administrators[0]?.['id'] === userId
}
