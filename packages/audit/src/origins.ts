// What the logs and the keys of one deployment are called. A name is given once and for all: it is in every signature.
import { TenantId, type WriterId } from '@auricle/contract'
import { z } from 'zod'

/** Of a deployment: like the name of a host, which need not exist. */
export const LogName = z
  .string()
  .max(100)
  .regex(
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/,
    'expected the name of a host',
  )

/** The log of a tenant's events in a year. */
export const logOrigin = (name: string, tenantId: TenantId, year: number): string =>
  `${name}/t/${tenantId}/${year}`

/** The log over all logs, of which there is one. */
export const anchorOrigin = (name: string): string => `${name}/anchor`

/** Of the key that signs receipts in one life of a process. */
export const receiptKeyName = (name: string, writerId: WriterId): string => `${name}/receipts/${writerId}`

/** The inverse of `logOrigin`; null for every other origin. */
export function parseLogOrigin(
  origin: string,
): { readonly name: string; readonly tenantId: TenantId; readonly year: number } | null {
  const [, name, tenant, year] = /^([^/]+)\/t\/([^/]+)\/([1-9]\d{3})$/.exec(origin) ?? []
  const tenantId = TenantId.safeParse(tenant)
  if (!tenantId.success || !LogName.safeParse(name).success || name === undefined) return null
  return { name, tenantId: tenantId.data, year: Number(year) }
}
