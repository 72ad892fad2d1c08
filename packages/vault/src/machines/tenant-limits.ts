// A tenant's own limits: how long sign-ins and emergency access last. Each may be stricter than the product's, none laxer.
import type { Catalog, TenantChange, TenantRow } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Least and most of each, as the catalog holds them too. */
export const tenantBounds = {
  idleMinutes: { least: 1, most: 15 },
  sessionHours: { least: 0.25, most: 12 },
  breakGlassMinutes: { least: 5, most: 4 * 60 },
  reviewHours: { least: 1, most: 7 * 24 },
} as const

export interface TenantView {
  readonly id: TenantId
  readonly shortName: string
  readonly name: string
  readonly idleMinutes: number
  readonly sessionHours: number
  readonly breakGlassMinutes: number
  readonly reviewHours: number
}

/** What is absent stays. */
export type TenantLimits = {
  readonly [limit in keyof Omit<TenantView, 'id' | 'shortName'>]?: TenantView[limit] | undefined
}

export interface TenantParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'findTenant' | 'changeTenant'>
}

export async function showTenant(
  parts: TenantParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<TenantView> {
  const { tenantId } = facts.actor
  const asked = { action: 'tenant.read', log: 'tenant.shown', object: named('tenant', tenantId) } as const
  await authorizeReading(parts, facts, asked, options)
  // As it is now: what is kept in memory may be some minutes old.
  return tenantViewOf(await parts.catalog.findTenant(tenantId, options))
}

/** Counts at once for what this process opens, and within five minutes for every other. */
export async function changeTenant(
  parts: TenantParts,
  facts: RequestFacts,
  limits: TenantLimits,
  options: CallOptions,
): Promise<TenantView> {
  const { tenantId } = facts.actor
  const object = named('tenant', tenantId)
  const asked = { action: 'tenant.manage', log: 'tenant.changed', object } as const
  const { record } = await authorize(parts, facts, asked, options)
  try {
    const change = tenantChangeOf(limits)
    return tenantViewOf(await parts.catalog.changeTenant(tenantId, change, await record(), options))
  } finally {
    // Also after a failure: it may have been committed all the same.
    parts.secrets.forget(tenantId)
  }
}

export function tenantChangeOf({
  name,
  idleMinutes,
  sessionHours,
  breakGlassMinutes,
  reviewHours,
}: TenantLimits): TenantChange {
  return {
    ...(name === undefined ? {} : { name }),
    ...(idleMinutes === undefined ? {} : { idleMs: idleMinutes * minuteMs }),
    ...(sessionHours === undefined ? {} : { sessionMs: Math.round(sessionHours * hourMs) }),
    ...(breakGlassMinutes === undefined ? {} : { breakGlassMs: breakGlassMinutes * minuteMs }),
    ...(reviewHours === undefined ? {} : { reviewMs: reviewHours * hourMs }),
  }
}

function tenantViewOf(tenant: TenantRow | null): TenantView {
  if (tenant === null) throw new VaultError('not_found', 'No such tenant')
  const { id, slug, name, access } = tenant
  return {
    id,
    shortName: slug,
    name,
    idleMinutes: access.idleMs / minuteMs,
    sessionHours: access.sessionMs / hourMs,
    breakGlassMinutes: access.breakGlassMs / minuteMs,
    reviewHours: access.reviewMs / hourMs,
  }
}
