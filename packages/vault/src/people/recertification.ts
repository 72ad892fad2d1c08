// Who holds which role, since when, by whose approval: the report that a reviewer signs every quarter.
import type { Catalog, GrantRow } from '@auricle/catalog'
import type { GrantId, RoleRequestId, UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { AuthorizeParts } from '../authorize.ts'
import type { RequestFacts } from '../request-facts.ts'
import { formatCsv } from './csv.ts'
import { authorizeReading } from './reading.ts'

export interface RecertificationParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'listGrants'>
}

/** Times as texts; people other than the holder by login. */
export interface GrantView {
  readonly id: GrantId
  readonly user: {
    readonly id: UserId
    readonly login: string
    readonly name: string
    readonly kind: GrantRow['user']['kind']
    readonly disabledAt: string | null
    readonly signedInAt: string | null
  }
  readonly role: string
  readonly source: GrantRow['source']
  readonly provider: string | null
  readonly request: RoleRequestId | null
  readonly requestedBy: string | null
  readonly approvedBy: string | null
  readonly since: string
  readonly until: string | null
  readonly endedAt: string | null
  readonly endedBy: string | null
}

/** Every grant that holds, and those that ended at `endedSince` or later where one is given. */
export async function recertification(
  parts: RecertificationParts,
  facts: RequestFacts,
  endedSince: Date | null,
  options: CallOptions,
): Promise<{ readonly at: string; readonly grants: readonly GrantView[] }> {
  const asked = { action: 'recertification.read', log: 'recertification.read', object: null } as const
  const { now } = await authorizeReading(parts, facts, asked, options)
  const grants = await parts.catalog.listGrants(facts.actor.tenantId, { now, endedSince }, options)
  return { at: now.toISOString(), grants: grants.map(grantViewOf) }
}

export function grantViewOf(row: GrantRow): GrantView {
  const { id, user, role, source, provider, requestId, requestedBy, approvedBy, endedBy } = row
  return {
    id,
    user: {
      ...{ id: user.id, login: user.login, name: user.name, kind: user.kind },
      disabledAt: user.disabledAt?.toISOString() ?? null,
      signedInAt: row.signedInAt?.toISOString() ?? null,
    },
    ...{ role, source, provider, request: requestId, requestedBy, approvedBy },
    since: row.grantedAt.toISOString(),
    until: row.until?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    endedBy,
  }
}

/** One line a grant, for a spreadsheet. */
export function recertificationCsv(grants: readonly GrantView[]): string {
  return formatCsv(
    {
      login: ({ user }) => user.login,
      name: ({ user }) => user.name,
      kind: ({ user }) => user.kind,
      disabled_at: ({ user }) => user.disabledAt,
      role: ({ role }) => role,
      source: ({ source }) => source,
      provider: ({ provider }) => provider,
      requested_by: ({ requestedBy }) => requestedBy,
      approved_by: ({ approvedBy }) => approvedBy,
      since: ({ since }) => since,
      until: ({ until }) => until,
      ended_at: ({ endedAt }) => endedAt,
      ended_by: ({ endedBy }) => endedBy,
      last_sign_in: ({ user }) => user.signedInAt,
      request: ({ request }) => request,
      user: ({ user }) => user.id,
      grant: ({ id }) => id,
    },
    grants,
  )
}
