// `auricle tenant`: the organisations of this deployment.
import { keepDaysBounds } from '@auricle/retention'
import { createTenant } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import { type Operator, unlessTaken } from '../operator.ts'
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
