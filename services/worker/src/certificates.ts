// The worker's part in certificates of destruction: signs what the log has published, and says what it may not sign.
import type { Catalog } from '@auricle/catalog'
import type { KeyService } from '@auricle/keys'
import type { Config, Logger } from '@auricle/runtime'
import { issueCertificates } from '@auricle/vault'

export interface CertificateWorkParts {
  readonly config: Pick<Config, 'logName'>
  readonly catalog: Catalog
  readonly keys: Pick<KeyService, 'ensure' | 'signer'>
  readonly logger: Logger
}

export function certificateWork({ config, catalog, keys, logger }: CertificateWorkParts) {
  /** Told of once a process: they are found again every round. */
  const refused = new Set<string>()
  return async (options: { readonly signal: AbortSignal }): Promise<void> => {
    const parts = { catalog, keys, logName: config.logName }
    const count = await issueCertificates(
      {
        ...parts,
        onRefused({ tenantId, id }, error) {
          if (refused.has(id)) return
          refused.add(id)
          logger.error('A certificate of destruction cannot be signed', {
            tenantId,
            certificateId: id,
            error,
          })
        },
      },
      options,
    )
    if (count > 0) logger.info('Issued certificates of destruction', { count })
  }
}
