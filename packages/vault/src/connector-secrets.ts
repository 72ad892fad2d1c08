// A connector ready to take deliveries: its row, its opened secrets, and the keys of its two fingerprints.
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { Catalog, ConnectorRow } from '@auricle/catalog'
import type { ConnectorId, TenantId } from '@auricle/contract'
import type { KeyService } from '@auricle/keys'
import { type CallOptions, openBytes, sealBytes } from '@auricle/sealed'
import { z } from 'zod'
import { connectorIdentity, sealContext } from './object-context.ts'

const indexKeyBytes = 32
/** How long a change of a connector (secrets, limits, disabled) may take to reach every ingest process. */
const keptMs = 30_000
const connectorsMost = 4096

const StoredSecrets = z.strictObject({ pbx: z.unknown(), indexKey: z.base64() })

export interface OpenConnector {
  readonly row: ConnectorRow
  /** For the connector kind's own parser. */
  readonly pbxSecrets: unknown
  /** Fingerprint of a source id: the same id gives the same bytes within this connector only. */
  sourceKey(sourceId: string): Uint8Array
  /** Fingerprint of audio, from its SHA-256. */
  contentMac(sha256: Uint8Array): Uint8Array
}

export async function sealConnectorSecrets(
  keys: Pick<KeyService, 'key'>,
  connector: { readonly tenantId: TenantId; readonly id: ConnectorId },
  pbx: unknown,
  now: Date,
  options?: CallOptions,
): Promise<Uint8Array> {
  const stored = { pbx, indexKey: randomBytes(indexKeyBytes).toString('base64') }
  const sealed = await sealBytes(Buffer.from(JSON.stringify(stored)), {
    context: sealContext(connectorIdentity(connector.tenantId, connector.id), 'application/json', now),
    wrapper: keys.key({ purpose: 'connectors', tenantId: connector.tenantId }),
    signal: options?.signal,
  })
  return sealed.bytes
}

async function open(
  keys: Pick<KeyService, 'key'>,
  row: ConnectorRow,
  options?: CallOptions,
): Promise<OpenConnector> {
  const json = await openBytes(row.sealedSecrets, {
    expect: connectorIdentity(row.tenantId, row.id),
    unwrapper: keys.key({ purpose: 'connectors', tenantId: row.tenantId }),
    signal: options?.signal,
  })
  const stored = StoredSecrets.parse(JSON.parse(Buffer.from(json).toString('utf8')))
  const indexKey = createSecretKey(Buffer.from(stored.indexKey, 'base64'))
  return {
    row,
    pbxSecrets: stored.pbx,
    sourceKey: sourceId => mac(indexKey, 'source', Buffer.from(sourceId, 'utf8')),
    contentMac: sha256 => mac(indexKey, 'content', sha256),
  }
}

function mac(key: KeyObject, domain: 'source' | 'content', bytes: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(`auricle/1 ${domain} `).update(bytes).digest()
}

export interface Connectors {
  /** Null for an unknown or disabled connector. */
  find(id: ConnectorId, options?: CallOptions): Promise<OpenConnector | null>
}

export function createConnectors(
  catalog: Pick<Catalog, 'findConnector'>,
  keys: Pick<KeyService, 'key'>,
  now: () => number = Date.now,
): Connectors {
  const kept = new Map<ConnectorId, { readonly until: number; readonly connector: OpenConnector }>()
  return {
    async find(id, options) {
      const found = kept.get(id)
      if (found !== undefined && found.until > now()) return found.connector
      kept.delete(id)
      const row = await catalog.findConnector(id, options)
      if (row === null || row.disabledAt !== null) return null
      const connector = await open(keys, row, options)
      kept.set(id, { until: now() + keptMs, connector })
      for (const oldest of kept.keys()) {
        if (kept.size <= connectorsMost) break
        kept.delete(oldest)
      }
      return connector
    },
  }
}
