// As of which signed root of the log something was read, so that whoever holds the root can check it.
import type { Catalog, CheckpointRow, LogPosition } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'

export interface AsOf {
  readonly origin: string
  readonly year: number
  readonly size: number
  /** Base64. */
  readonly root: string
  readonly sealedAt: string
}

type Parts = { readonly catalog: Pick<Catalog, 'listAuditLogs' | 'findCheckpoint'> }

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const asOfOf = (
  { origin, year }: { readonly origin: string; readonly year: number },
  { size, root, at }: CheckpointRow,
): AsOf => ({ origin, year, size, root: base64(root), sealedAt: at.toISOString() })

/** The newest signed root of the tenant's newest log; null before the first. */
export async function newestAsOf(
  { catalog }: Parts,
  tenantId: TenantId,
  options: CallOptions,
): Promise<AsOf | null> {
  const logs = await catalog.listAuditLogs(tenantId, options)
  for (const log of logs.toReversed()) {
    if (log.checkpoint !== null) return asOfOf(log, log.checkpoint)
  }
  return null
}

/** What a cursor names. Throws `malformed` where there is no such root: no page before has named it. */
export async function givenAsOf(
  { catalog }: Parts,
  tenantId: TenantId,
  { year, seq: size }: LogPosition,
  options: CallOptions,
): Promise<AsOf> {
  const checkpoint = await catalog.findCheckpoint({ tenantId, year }, size, options)
  const log = (await catalog.listAuditLogs(tenantId, options)).find(found => found.year === year)
  if (checkpoint === null || log === undefined)
    throw new VaultError('malformed', 'The cursor is not one that a page before has given')
  return asOfOf(log, checkpoint)
}
