// The commit points of whoever comes from an OpenID provider: a sign-in, a second factor shown again, a log-out there.
import type { AuditRecord } from '@auricle/audit'
import {
  newGrantId,
  newUserId,
  type ProviderId,
  Role,
  type TenantId,
  TokenId,
  UserId,
} from '@auricle/contract'
import type { QueryOptions, TokenRow, UserRow } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, parsed, text } from './row.ts'
import { insertToken } from './tokens.ts'
import { readUser, userColumns } from './users.ts'

export interface ProviderPerson {
  readonly tenantId: TenantId
  readonly providerId: ProviderId
  /** Who they are there. Nothing else is looked for: a login or an address can be given to somebody else. */
  readonly subject: string
}

export interface ProviderArrival extends ProviderPerson {
  /** Of a person who is made; nothing of one who is there already. */
  readonly login: string
  readonly name: string
  /** Exactly what the provider's groups give from now on. */
  readonly roles: readonly Role[]
  readonly teams: readonly string[]
  /** Whether somebody whom nobody knows is made a person. */
  readonly provision: boolean
  readonly at: Date
  readonly token: Omit<TokenRow, 'userId'>
  readonly providerSession: string | null
}

/**
 * `unknown_person`: nobody with that subject, and none may be made. `login_taken`: one may be, but a person here has the
 * login already. `no_role`: no role is in force, by the provider or otherwise.
 */
export type ArrivalRefusal = 'unknown_person' | 'login_taken' | 'disabled' | 'no_role'

export interface Arrived {
  /** Null for somebody unknown. */
  readonly user: Pick<UserRow, 'id' | 'login' | 'name'> | null
  readonly isNew: boolean
  readonly granted: readonly Role[]
  readonly revoked: readonly Role[]
  /** Null: they are in, with the token. Otherwise there is no token, and what changed of their roles has changed. */
  readonly refusal: ArrivalRefusal | null
}

export interface ProviderSignInCatalog {
  /** All of an arrival in one transaction, with the events that `record` makes of it. */
  commitArrival(
    arrival: ProviderArrival,
    record: (arrived: Arrived) => Promise<readonly AuditRecord[]>,
    options?: QueryOptions,
  ): Promise<Arrived>
  /** Who somebody is at a provider; null for nobody. */
  findSubject(
    person: Omit<ProviderPerson, 'subject'> & { readonly userId: UserId },
    options?: QueryOptions,
  ): Promise<string | null>
  /** The session of the same person, verified anew. False, and nothing is written, where it is not theirs or is over. */
  commitProviderStepUp(
    stepUp: ProviderPerson & {
      readonly tokenId: TokenId
      readonly verifiedAt: Date
      readonly providerSession: string | null
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /**
   * Ends the sessions that the provider says are over: the one of `sid`, or all of the subject's; of the subject also
   * those without a `sid` of their own. `record` makes the event of each. Null, and nothing ends, where that notice was given before.
   */
  commitProviderLogout(
    notice: Omit<ProviderPerson, 'subject'> & {
      readonly subject: string | null
      readonly sid: string | null
      readonly jti: string
      readonly expiresAt: Date
      readonly at: Date
    },
    record: (ended: EndedSession) => Promise<AuditRecord>,
    options?: QueryOptions,
  ): Promise<readonly EndedSession[] | null>
}

export interface EndedSession {
  readonly userId: UserId
  readonly tokenId: TokenId
}

export function createProviderSignIn(database: Database): ProviderSignInCatalog {
  return {
    commitArrival: (arrival, record, options) => {
      return database.inTenant(
        arrival.tenantId,
        async session => {
          const arrived = await arrive(session, arrival)
          for (const event of await record(arrived)) await insertEvent(session, event)
          return arrived
        },
        options,
      )
    },

    async findSubject({ tenantId, providerId, userId }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select subject from auricle.external_identity
                   where tenant_id = $1 and provider_id = $2 and user_id = $3`,
            values: [tenantId, providerId, userId],
          })
        },
        options,
      )
      return firstOrNull(found, row => text(row, 'subject'))
    },

    commitProviderStepUp: (stepUp, event, options) => {
      const { tenantId, providerId, subject, tokenId, verifiedAt, providerSession, at } = stepUp
      return database.inTenant(
        tenantId,
        async session => {
          const verified = await session.write({
            // Another session there than the one that signed them in: a log-out will name this one.
            text: `update auricle.token t set verified_at = greatest(t.verified_at, $5), seen_at = greatest(t.seen_at, $7),
                     factors = array(select distinct f from unnest(t.factors || '{provider}'::text[]) f order by f),
                     provider_session = case when t.provider_id = $2 then coalesce($6, t.provider_session)
                       else t.provider_session end
                   from auricle.external_identity e join auricle.app_user u
                     on u.tenant_id = e.tenant_id and u.id = e.user_id and u.disabled_at is null
                   where e.tenant_id = $1 and e.provider_id = $2 and e.subject = $3 and t.tenant_id = $1
                     and t.id = $4 and t.user_id = e.user_id and t.purpose = 'session' and auricle.holds(t, $7)`,
            values: [tenantId, providerId, subject, tokenId, verifiedAt, providerSession, at],
          })
          if (verified === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    commitProviderLogout: (notice, record, options) => {
      const { tenantId, providerId, subject, sid, jti, expiresAt, at } = notice
      return database.inTenant(
        tenantId,
        async session => {
          const first = await session.write({
            text: `insert into auricle.spent_token (tenant_id, issuer_id, jti, expires_at) values ($1, $2, $3, $4)
                   on conflict do nothing`,
            values: [tenantId, providerId, jti, expiresAt],
          })
          if (first === 0) return null
          const rows = await session.rows({
            text: `update auricle.token t set revoked_at = $5, end_reason = 'provider_logout'
                   where t.tenant_id = $1 and t.provider_id = $2 and t.revoked_at is null and t.expires_at > $5
                     -- A session of which the provider never said which it is there ends with its person.
                     and ($3::text is null or t.provider_session = $3
                       or ($4::text is not null and t.provider_session is null))
                     and ($4::text is null or t.user_id = (
                       select e.user_id from auricle.external_identity e
                       where e.tenant_id = $1 and e.provider_id = $2 and e.subject = $4))
                   returning t.id, t.user_id`,
            values: [tenantId, providerId, sid, subject, at],
          })
          const ended = rows.map(row => ({
            userId: parsed(row, 'user_id', UserId),
            tokenId: parsed(row, 'id', TokenId),
          }))
          for (const one of ended) await insertEvent(session, await record(one))
          return ended
        },
        options,
      )
    },
  }
}

async function arrive(session: Session, arrival: ProviderArrival): Promise<Arrived> {
  const known = await findKnown(session, arrival)
  const nothing = { isNew: false, granted: [], revoked: [] }
  // A group that gives no role makes nobody.
  if (known === null && !(arrival.provision && arrival.roles.length > 0))
    return { ...nothing, user: null, refusal: 'unknown_person' }
  const made = known === null ? await makePerson(session, arrival) : null
  // Where the login is taken, they may have taken it themselves, arriving twice at once.
  const user = known ?? made ?? (await findKnown(session, arrival))
  if (user === null) return { ...nothing, user, refusal: 'login_taken' }
  if (user.disabledAt !== null) return { ...nothing, user, refusal: 'disabled' }
  const isNew = made !== null
  const changed = await setRoles(session, arrival, user.id)
  await setTeams(session, arrival, user.id)
  if (!(await hasRole(session, arrival, user.id))) return { user, isNew, ...changed, refusal: 'no_role' }
  const { providerId, token, providerSession } = arrival
  await insertToken(session, { ...token, userId: user.id }, { providerId, providerSession })
  return { user, isNew, ...changed, refusal: null }
}

type Known = Pick<UserRow, 'id' | 'login' | 'name' | 'disabledAt'>

/** Held until the end, so that two arrivals at once set the roles one after the other. */
async function findKnown(
  session: Session,
  { tenantId, providerId, subject, at }: ProviderArrival,
): Promise<Known | null> {
  const found = await session.rows({
    text: `select ${userColumns('$4')} from auricle.external_identity e
           join auricle.app_user u on u.tenant_id = e.tenant_id and u.id = e.user_id
           where e.tenant_id = $1 and e.provider_id = $2 and e.subject = $3 for update of u`,
    values: [tenantId, providerId, subject, at],
  })
  return firstOrNull(found, readUser)
}

/** Null where the login is somebody's: it is not enough to be taken for them. */
async function makePerson(
  session: Session,
  { tenantId, providerId, subject, login, name, at }: ProviderArrival,
): Promise<Known | null> {
  const id = newUserId()
  const made = await session.write({
    text: `insert into auricle.app_user (tenant_id, id, login, name, kind, created_at)
           values ($1, $2, $3, $4, 'person', $5) on conflict (tenant_id, login) do nothing`,
    values: [tenantId, id, login, name, at],
  })
  if (made === 0) return null
  await session.write({
    text: `insert into auricle.external_identity (tenant_id, provider_id, subject, user_id, created_at)
           values ($1, $2, $3, $4, $5)`,
    values: [tenantId, providerId, subject, id, at],
  })
  return { id, login, name, disabledAt: null }
}

async function setRoles(
  session: Session,
  { tenantId, providerId, roles, at }: ProviderArrival,
  userId: UserId,
): Promise<Pick<Arrived, 'granted' | 'revoked'>> {
  const readRole = (row: Parameters<typeof text>[0]) => parsed(row, 'role', Role)
  const revoked = await session.rows({
    text: `update auricle.role_grant set revoked_at = $4
           where tenant_id = $1 and user_id = $2 and provider_id = $3 and revoked_at is null and role <> all ($5)
           returning role`,
    values: [tenantId, userId, providerId, at, roles],
  })
  const granted = await session.rows({
    text: `insert into auricle.role_grant (tenant_id, id, user_id, role, source, provider_id, granted_at)
           select $1, g.id, $2, g.role, 'provider', $3, $4 from unnest($5::text[], $6::text[]) g (id, role)
           where not exists (
             select from auricle.role_grant h where h.tenant_id = $1 and h.user_id = $2 and h.role = g.role
               and h.provider_id = $3 and h.revoked_at is null)
           returning role`,
    values: [tenantId, userId, providerId, at, roles.map(() => newGrantId()), roles],
  })
  return { granted: granted.map(readRole), revoked: revoked.map(readRole) }
}

/** Who was put into a team by a person stays there. Teams that are not there any more are passed over. */
async function setTeams(
  session: Session,
  { tenantId, providerId, teams }: ProviderArrival,
  userId: UserId,
): Promise<void> {
  await session.write({
    text: `delete from auricle.team_member
           where tenant_id = $1 and user_id = $2 and provider_id = $3 and team_id <> all ($4)`,
    values: [tenantId, userId, providerId, teams],
  })
  await session.write({
    text: `insert into auricle.team_member (tenant_id, team_id, user_id, provider_id)
           select $1, t.id, $2, $3 from auricle.team t where t.tenant_id = $1 and t.id = any ($4)
           on conflict do nothing`,
    values: [tenantId, userId, providerId, teams],
  })
}

async function hasRole(
  session: Session,
  { tenantId, at }: ProviderArrival,
  userId: UserId,
): Promise<boolean> {
  const found = await session.rows({
    text: `select from auricle.role_grant where tenant_id = $1 and user_id = $2 and revoked_at is null
             and (until is null or until > $3) limit 1`,
    values: [tenantId, userId, at],
  })
  return found.length > 0
}
