// Two tenants with everything that somebody may come to, and people who hold just what a case needs.
import { openAuthority } from '@auricle/api-service'
import type { TokenRow } from '@auricle/catalog'
import {
  Label,
  type MailboxId,
  newDelegationId,
  newTeamId,
  newTokenId,
  type RecordingId,
  Role,
  Scope,
  type TeamId,
  type TenantId,
  type UserId,
} from '@auricle/contract'
import { assignMailbox, createMailbox, createUser } from '@auricle/vault'
import { archiveAudio } from '../archived.ts'
import { sealLog } from '../sealed-log.ts'
import { type Clinic, makeClinic, shortWav, type TestVault } from '../vault.ts'
import { openAccess } from './emergency.ts'
import { operatorDid } from './operator.ts'
import type { Place } from './table.ts'

export const minuteMs = 60_000

/** One tenant. */
export interface Side {
  readonly clinic: Clinic
  readonly tenantId: TenantId
  readonly mailboxes: Readonly<Record<Exclude<Place, 'no mailbox' | 'another tenant'>, MailboxId>>
  readonly teams: { readonly member: TeamId; readonly supervised: TeamId }
  /** A colleague with no part in anything but what they give in cover. */
  readonly colleague: UserId
  /** By place and label. */
  recording(place: Place, label: string): RecordingId
}

export interface Member {
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly kind: 'person' | 'service'
}

export interface MemberOptions {
  readonly emergency?: 'open' | 'over' | null
  readonly kind?: 'person' | 'service'
  /** Their roles ended a moment ago, or were taken. */
  readonly roles?: 'until' | 'revoked'
}

/** How a caller shows who they are. */
export type TokenKind =
  | 'fresh'
  | 'stale'
  | 'program'
  | 'scopeless'
  | `only ${Scope}`
  | `without ${Scope}`
  | 'expired'
  | 'revoked'
  | 'idle'

export interface World {
  readonly vault: TestVault
  readonly home: Side
  readonly abroad: Side
  /** New in the tenant at home, with a relation to every kind of place. */
  member(roles: readonly Role[], options?: MemberOptions): Promise<Member>
  disable(member: Member): Promise<void>
  bearer(member: Member, kind: TokenKind): Promise<string>
}

export async function openWorld(vault: TestVault): Promise<World> {
  const home = await openSide(vault, [...mailboxNames, 'no mailbox'])
  // Abroad one place will do: nobody at home has a relation to any.
  const abroad = await openSide(vault, ['owner'])
  const { issueToken } = await openAuthority(vault, {})
  const sql = (text: string, values: unknown[]) => vault.database.superuserPool.query(text, values)
  let members = 0
  return {
    vault,
    home,
    abroad,
    async member(roles, { emergency = null, kind = 'person', roles: over } = {}) {
      const login = `member-${++members}`
      const facts = {
        tenantId: home.tenantId,
        login,
        name: login,
        passwordHash: null,
        totpSecret: null,
        kind,
      }
      const { id: userId } = await createUser(vault, { ...facts, roles }, {})
      await relate(vault, home, userId)
      if (over === 'until')
        await sql('update auricle.role_grant set until = now() where user_id = $1', [userId])
      if (over === 'revoked') {
        await sql('update auricle.role_grant set revoked_at = now(), revoked_by = $1 where user_id = $1', [
          userId,
        ])
      }
      if (emergency !== null) {
        const until = new Date(Date.now() + (emergency === 'open' ? 30 : -1) * minuteMs)
        await openAccess(vault, home.tenantId, userId, until)
      }
      return { userId, tenantId: home.tenantId, kind }
    },
    async disable({ userId }) {
      await sql('update auricle.app_user set disabled_at = now() where id = $1', [userId])
    },
    async bearer(member, kind) {
      const row = tokenRow(member, kind)
      await vault.catalog.addToken(row, await operatorDid(member.tenantId))
      if (kind === 'revoked')
        await vault.catalog.revokeToken(row.tenantId, row.id, await operatorDid(row.tenantId))
      return issueToken(row)
    },
  }
}

function tokenRow({ tenantId, userId, kind: personKind }: Member, kind: TokenKind): TokenRow {
  const now = Date.now()
  const isSession = ['fresh', 'stale', 'expired', 'revoked', 'idle'].includes(kind)
  const createdAt = new Date(kind === 'fresh' ? now : now - 20 * minuteMs)
  return {
    id: newTokenId(),
    tenantId,
    userId,
    purpose: isSession ? 'session' : personKind === 'service' ? 'service' : 'personal',
    createdAt,
    expiresAt: new Date(kind === 'expired' ? now - 1 : now + 60 * minuteMs),
    idleMs: kind === 'idle' ? 15 * minuteMs : null,
    scopes: isSession ? null : scopesOf(kind),
    name: null,
    secretHash: null,
    factors: isSession ? ['pwd', 'otp'] : [],
    verifiedAt: isSession ? createdAt : null,
  }
}

function scopesOf(kind: TokenKind): readonly Scope[] {
  if (kind === 'program') return Scope.options
  const [how, scope] = kind.split(' ')
  if (how === 'only') return [Scope.parse(scope)]
  return how === 'without' ? Scope.options.filter(one => one !== scope) : []
}

// --- one tenant ---

const mailboxNames = ['owner', 'team', 'delegation', 'ended delegation', 'supervised', 'other'] as const

async function openSide(
  vault: TestVault,
  recordingPlaces: readonly Exclude<Place, 'another tenant'>[],
): Promise<Side> {
  const clinic = await makeClinic(vault)
  const tenantId = clinic.tenant.id
  const sql = (text: string, values: unknown[]) => vault.database.superuserPool.query(text, values)
  const made = new Map<string, MailboxId>()
  for (const [index, name] of mailboxNames.entries()) {
    const address = String(3000 + index)
    made.set(name, (await createMailbox(vault, { tenantId, address, name }, {})).id)
  }
  const mailboxes = Object.fromEntries(made) as Side['mailboxes']
  const teams = { member: newTeamId(), supervised: newTeamId() }
  for (const [name, id] of Object.entries(teams)) {
    await sql('insert into auricle.team (tenant_id, id, name, created_at) values ($1, $2, $3, now())', [
      ...[tenantId, id, name],
    ])
  }
  const attach = 'insert into auricle.team_mailbox (tenant_id, team_id, mailbox_id) values ($1, $2, $3)'
  await sql(attach, [tenantId, teams.member, mailboxes.team])
  await sql(attach, [tenantId, teams.supervised, mailboxes.supervised])
  const facts = { tenantId, login: 'colleague', name: 'colleague', passwordHash: null, totpSecret: null }
  const { id: colleague } = await createUser(vault, { ...facts, roles: ['clinician'] }, {})
  for (const name of ['delegation', 'ended delegation', 'other'] as const) {
    await assignMailbox(vault, { tenantId, id: mailboxes[name] }, { id: colleague }, {})
  }

  const recordings = new Map<string, RecordingId>()
  const archiveAll = async (label: string) => {
    for (const place of recordingPlaces) {
      const sourceId = `${place} ${label}`.replaceAll(' ', '-')
      const id = await archiveAudio(vault, clinic, shortWav(1), { sourceId })
      await sql(
        'update auricle.recording set mailbox_id = $3, labels = $4 where tenant_id = $1 and id = $2',
        [
          ...[tenantId, id, place === 'no mailbox' ? null : mailboxes[place]],
          label === 'none' ? [] : [label],
        ],
      )
      recordings.set(`${place} ${label}`, id)
    }
  }
  await Promise.all(['none', ...Label.options].map(archiveAll))
  await sealLog(vault, tenantId)
  return {
    ...{ clinic, tenantId, mailboxes, teams, colleague },
    recording(place, label) {
      const id = recordings.get(`${place} ${label}`)
      if (id === undefined) throw new RangeError(`no recording is ${place} ${label}`)
      return id
    },
  }
}

/** Makes every place somebody's in its way. */
async function relate(vault: TestVault, side: Side, userId: UserId): Promise<void> {
  const { tenantId, mailboxes, teams, colleague } = side
  await assignMailbox(vault, { tenantId, id: mailboxes.owner }, { id: userId }, {})
  const now = Date.now()
  const at = (minutes: number) => new Date(now + minutes * minuteMs)
  await vault.database.superuserPool.query(
    `insert into auricle.team_member (tenant_id, team_id, user_id, supervises) values ($1, $2, $4, false), ($1, $3, $4, true)`,
    [tenantId, teams.member, teams.supervised, userId],
  )
  const cover = (mailboxId: MailboxId, starts: Date, until: Date) =>
    vault.database.superuserPool.query(
      `insert into auricle.delegation
         (tenant_id, id, mailbox_id, from_user_id, to_user_id, created_by, created_at, starts_at, until)
       values ($1, $2, $3, $4, $5, $4, $6, $6, $7)`,
      [tenantId, newDelegationId(), mailboxId, colleague, userId, starts, until],
    )
  await cover(mailboxes.delegation, at(-60), at(60))
  await cover(mailboxes['ended delegation'], at(-60), at(-1 / 60))
}

/** All roles that let somebody do or see something by themselves. */
export const everyRole: readonly Role[] = Role.options.filter(role => !role.startsWith('hears_'))
