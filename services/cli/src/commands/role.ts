// `auricle role` and `auricle recertify`: who may what. At the console nobody approves; the log says who did it.
import type { Role } from '@auricle/contract'
import {
  type GrantView,
  grantAtConsole,
  grantViewOf,
  recertificationCsv,
  recertifyAtConsole,
  revokeAtConsole,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import { findTenant, findUser, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import type { Column } from '../table.ts'

export interface OfUser {
  readonly tenant: string | undefined
  readonly login: string
}

export async function grantRole(
  operator: Operator,
  output: Output,
  { tenant: slug, login, role, until = null }: OfUser & { readonly role: Role; readonly until?: Date | null },
): Promise<void> {
  const user = await findUser(operator, await findTenant(operator, slug), login)
  if (until !== null && until <= new Date()) throw new UsageError('--until is a time that is still to come')
  await grantAtConsole(operator, user, { role, until }, operator)
  const end = until === null ? '' : ` until ${formatTime(until)}`
  output.value({ login, role, until }, `${login} is ${role}${end}`)
}

export async function revokeRole(
  operator: Operator,
  output: Output,
  { tenant: slug, login, role }: OfUser & { readonly role: Role },
): Promise<void> {
  const user = await findUser(operator, await findTenant(operator, slug), login)
  if (!(await revokeAtConsole(operator, user, role, operator)))
    throw new UsageError(`${login} is not ${role}; \`auricle user roles ${login}\` shows what they are`)
  output.value({ login, role, state: 'revoked' }, `${login} is no longer ${role}`)
}

export async function listRoles(operator: Operator, output: Output, slug: string | undefined): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const grants = await operator.catalog.listGrants(tenant.id, { now: new Date(), endedSince: null }, operator)
  output.rows(grants.map(grantViewOf), grantColumns, `Nobody of tenant ${tenant.slug} has a role`)
}

export async function recertify(
  operator: Operator,
  output: Output,
  asked: { readonly tenant: string | undefined; readonly csv: boolean; readonly endedSince?: Date },
): Promise<void> {
  if (asked.csv && output.json) throw new UsageError('Say either --csv or --json')
  const tenant = await findTenant(operator, asked.tenant)
  const grants = await recertifyAtConsole(operator, tenant.id, asked.endedSince ?? null, operator)
  if (asked.csv) output.document(recertificationCsv(grants))
  else output.rows(grants, grantColumns, `Nobody of tenant ${tenant.slug} has a role`)
}

const day = (time: string | null, without: string) => (time === null ? without : formatTime(new Date(time)))

/** Of a person, or of everybody. */
export const grantColumns: readonly Column<GrantView>[] = [
  { title: 'login', cell: ({ user }) => user.login },
  { title: 'role', cell: ({ role }) => role },
  { title: 'by', cell: ({ source, provider, approvedBy }) => approvedBy ?? provider ?? source },
  { title: 'asked by', cell: ({ requestedBy }) => requestedBy ?? '' },
  { title: 'since', cell: ({ since }) => day(since, '') },
  { title: 'until', cell: ({ until, endedAt }) => day(endedAt ?? until, 'no end') },
  { title: 'last sign-in', cell: ({ user }) => day(user.signedInAt, 'never') },
  {
    title: 'state',
    cell: ({ user, endedAt }) =>
      endedAt !== null ? 'ended' : user.disabledAt === null ? 'holds' : 'disabled',
  },
]
