// Which secret PBXs prove to have: counted, and told while it is the one that was changed, so that an administrator knows
// whose PBX still has to be.
import type { Catalog } from '@auricle/catalog'
import type { ConnectorId } from '@auricle/contract'
import type { ProvenBy } from '@auricle/pbx'
import type { Logger, Metrics } from '@auricle/runtime'
import type { OpenConnector } from '@auricle/vault'

/** Told at most so often for one connector. */
const everyMs = 60_000
const connectorsMost = 4096

export interface SecretUseParts {
  readonly catalog: Pick<Catalog, 'notePreviousSecret'>
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'countSecretUse'>
  readonly now: () => Date
}

/** Never rejects: a delivery is as good without. */
export function createSecretUses({ catalog, logger, metrics, now }: SecretUseParts) {
  const told = new Map<ConnectorId, number>()
  return async ({ row }: Pick<OpenConnector, 'row'>, secret: ProvenBy, requestId: string): Promise<void> => {
    metrics.countSecretUse({ connectorKind: row.kind, secret })
    if (secret === 'current') return
    const at = now()
    const last = told.get(row.id)
    if (last !== undefined && at.getTime() - last < everyMs) return
    told.delete(row.id)
    told.set(row.id, at.getTime())
    const [oldest] = told.keys()
    if (told.size > connectorsMost && oldest !== undefined) told.delete(oldest)
    const { tenantId, id } = row
    logger.info('Old secret still used', { tenantId, connectorId: id, kind: row.kind, requestId })
    try {
      await catalog.notePreviousSecret({ tenantId, id, at })
    } catch (error) {
      logger.warn('The use of an old secret could not be noted', { connectorId: id, requestId, error })
    }
  }
}
