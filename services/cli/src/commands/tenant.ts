// `auricle tenant`: the organisations of this deployment.
import { keepDaysBounds } from '@auricle/retention'
import { changeTenantAtConsole, createTenant, type TenantLimits, tenantBounds } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import { findTenant, type Operator, unlessTaken } from '../operator.ts'
import type { Output } from '../output.ts'

const slugForm = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/
/** Seven years: what most states ask for at most, see the presets of the retention rules. */
export const keepDaysDefault = 2557

export interface NewTenant {
  readonly slug: string
  readonly name: string
  readonly keepDays: number
}

export async function addTenant(operator: Operator, output: Output, tenant: NewTenant): Promise<void> {
  const { least, most } = keepDaysBounds
  if (!slugForm.test(tenant.slug)) {
    throw new UsageError('A short name has 1 to 64 lower-case letters, digits and hyphens')
  }
  if (!(tenant.keepDays >= least && tenant.keepDays <= most)) {
    throw new UsageError(`--keep-days is a whole number from ${least} to ${most}`)
  }
  const row = await unlessTaken(
    createTenant(operator, tenant, operator),
    `There is a tenant "${tenant.slug}" already`,
  )
  const { id, slug, name, keepDays } = row
  output.value(
    { id, slug, name, keepDays },
    `Made tenant ${slug} (${id}); recordings are kept ${keepDays} days`,
  )
}

export async function listTenants({ catalog, signal }: Operator, output: Output): Promise<void> {
  const tenants = await catalog.listTenants({ signal })
  const rows = tenants.map(({ id, slug, name, keepDays, createdAt }) => ({
    id,
    slug,
    name,
    keepDays,
    createdAt,
  }))
  output.rows(
    rows,
    [
      { title: 'tenant', cell: row => row.slug },
      { title: 'name', cell: row => row.name },
      { title: 'keeps days', align: 'right', cell: row => String(row.keepDays) },
      { title: 'made', cell: row => formatTime(row.createdAt) },
      { title: 'id', cell: row => row.id },
    ],
    'There is no tenant yet: make one with `auricle tenant create`',
  )
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Milliseconds; what is absent stays. */
export interface NewLimits {
  readonly idle: number | undefined
  readonly session: number | undefined
  readonly breakGlass: number | undefined
  readonly review: number | undefined
}

export async function changeLimits(
  operator: Operator,
  output: Output,
  slug: string | undefined,
  asked: NewLimits,
): Promise<void> {
  const { idleMinutes, sessionHours, breakGlassMinutes, reviewHours } = tenantBounds
  const limits = {
    idleMinutes: inUnits('--idle', asked.idle, minuteMs, idleMinutes),
    sessionHours: inUnits('--session', asked.session, hourMs, sessionHours),
    breakGlassMinutes: inUnits('--break-glass', asked.breakGlass, minuteMs, breakGlassMinutes),
    reviewHours: inUnits('--review', asked.review, hourMs, reviewHours),
  } satisfies TenantLimits
  const found = await findTenant(operator, slug)
  const isAsked = Object.values(limits).some(limit => limit !== undefined)
  const tenant = isAsked ? await changeTenantAtConsole(operator, found.id, limits, operator) : found
  const { idleMs, sessionMs, breakGlassMs, reviewMs } = tenant.access
  output.value(
    { id: tenant.id, slug: tenant.slug, idleMs, sessionMs, breakGlassMs, reviewMs },
    [
      `Limits of tenant ${tenant.slug}, for what begins from now on:`,
      `  a session without a request  ${idleMs / minuteMs} minutes`,
      `  a session                    ${sessionMs / hourMs} hours`,
      `  emergency access             ${breakGlassMs / minuteMs} minutes`,
      `  its review                   within ${reviewMs / hourMs} hours`,
    ].join('\n'),
  )
}

function inUnits(
  option: string,
  ms: number | undefined,
  unit: number,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  if (ms === undefined) return undefined
  if (ms < least * unit || ms > most * unit)
    throw new UsageError(
      `${option} is from ${(least * unit) / minuteMs}m to ${(most * unit) / minuteMs}m: limits can be stricter, not laxer`,
    )
  return ms / unit
}
