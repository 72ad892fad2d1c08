// Connectors and a tenant's limits as the operator changes them at the machine's console.
import type { Catalog, ConnectorRow, TenantRow } from '@auricle/catalog'
import type { ConnectorId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import { operatorEvent } from '../token.ts'
import { type Overlap, type Rotated, type RotateParts, rotate } from './rotate.ts'
import { type TenantLimits, tenantChangeOf } from './tenant-limits.ts'

interface Whose {
  readonly tenantId: TenantId
  readonly id: ConnectorId
}

/** Throws `not_found`, and `conflict` as `rotate` does. */
export async function rotateAtConsole(
  parts: RotateParts & { readonly catalog: Pick<Catalog, 'findTenantConnector'> },
  { tenantId, id }: Whose,
  overlap: Overlap,
  options: CallOptions,
): Promise<Rotated> {
  const row = await findConnector(parts, { tenantId, id }, options)
  const record = () => operatorEvent(tenantId, 'connector.rotated', { type: 'connector', id })
  return rotate(parts, row, overlap, { now: new Date(), record }, options)
}

/** False where it is disabled already. Throws `not_found`. */
export async function disableConnectorAtConsole(
  parts: { readonly catalog: Pick<Catalog, 'findTenantConnector' | 'disableConnector'> },
  whose: Whose,
  options: CallOptions,
): Promise<boolean> {
  const { id } = await findConnector(parts, whose, options)
  const event = await operatorEvent(whose.tenantId, 'connector.disabled', { type: 'connector', id })
  return parts.catalog.disableConnector({ ...whose, at: new Date() }, event, options)
}

export async function changeTenantAtConsole(
  parts: { readonly catalog: Pick<Catalog, 'changeTenant'> },
  tenantId: TenantId,
  limits: TenantLimits,
  options: CallOptions,
): Promise<TenantRow> {
  const event = await operatorEvent(tenantId, 'tenant.changed', { type: 'tenant', id: tenantId })
  const tenant = await parts.catalog.changeTenant(tenantId, tenantChangeOf(limits), event, options)
  if (tenant === null) throw new VaultError('not_found', 'No such tenant')
  return tenant
}

async function findConnector(
  { catalog }: { readonly catalog: Pick<Catalog, 'findTenantConnector'> },
  { tenantId, id }: Whose,
  options: CallOptions,
): Promise<ConnectorRow> {
  const row = await catalog.findTenantConnector(tenantId, id, options)
  if (row === null) throw new VaultError('not_found', 'There is no such connector')
  return row
}
