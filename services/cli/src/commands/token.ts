// `auricle token`: bearer tokens for programs, shown once.
import { type Scope, TokenId } from '@auricle/contract'
import { newOpaqueToken } from '@auricle/identity'
import { issueProgramToken, revokeToken } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import { findTenant, findUser, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'

const dayMs = 24 * 60 * 60_000
const daysMost = 366

export async function addToken(
  operator: Operator,
  output: Output,
  asked: {
    readonly tenant: string | undefined
    readonly login: string
    readonly days: number
    readonly scopes: readonly Scope[]
  },
): Promise<void> {
  if (!(asked.days > 0 && asked.days <= daysMost))
    throw new UsageError(`--days is a number up to ${daysMost}`)
  const tenant = await findTenant(operator, asked.tenant)
  const user = await findUser(operator, tenant, asked.login)
  const { id, token, expiresAt } = await issueProgramToken(
    { catalog: operator.catalog, newOpaqueToken },
    user,
    { lifetimeMs: asked.days * dayMs, scopes: asked.scopes, name: null },
    operator,
  )
  const lines = [
    `Made token ${id} for ${user.login}, valid until ${formatTime(expiresAt)}. It is shown once:`,
    token,
  ]
  output.value({ id, token, expiresAt }, lines.join('\n'))
}

export async function listTokens(
  operator: Operator,
  output: Output,
  slug: string | undefined,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const users = new Map(
    (await operator.catalog.listUsers(tenant.id, operator)).map(({ id, login }) => [id, login]),
  )
  const now = new Date()
  const tokens = await operator.catalog.listTokens(tenant.id, operator)
  output.rows(
    tokens.map(({ id, userId, purpose, createdAt, expiresAt, revokedAt }) => {
      const state = revokedAt !== null ? 'revoked' : expiresAt <= now ? 'expired' : 'valid'
      return { id, login: users.get(userId) ?? userId, purpose, createdAt, expiresAt, state }
    }),
    [
      { title: 'token', cell: row => row.id },
      { title: 'user', cell: row => row.login },
      { title: 'for', cell: row => row.purpose },
      { title: 'made', cell: row => formatTime(row.createdAt) },
      { title: 'until', cell: row => formatTime(row.expiresAt) },
      { title: 'state', cell: row => row.state },
    ],
    `Tenant ${tenant.slug} has issued no tokens`,
  )
}

export async function endToken(
  operator: Operator,
  output: Output,
  slug: string | undefined,
  text: string,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const id = TokenId.safeParse(text)
  const revoked = id.success && (await revokeToken(operator, tenant.id, id.data, operator))
  if (!revoked) throw new UsageError(`Tenant ${tenant.slug} has no valid token "${text}"`)
  output.value({ id: text, state: 'revoked' }, `Token ${text} is revoked`)
}
