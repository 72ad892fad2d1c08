// A connector ready to take deliveries: its row, its opened secrets, and the keys of its two fingerprints.
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { Catalog, ConnectorRow } from '@auricle/catalog'
import type { ConnectorId, TenantId } from '@auricle/contract'
import { type CallOptions, openBytes, sealBytes } from '@auricle/sealed'
import { z } from 'zod'
import { VaultError } from './error.ts'
import { connectorIdentity, sealContext } from './object-context.ts'
import type { VaultKeys } from './vault-keys.ts'

const indexKeyBytes = 32
/**
 * How long a change of a connector (secrets, limits, disabled) may take to reach every ingest process. The end of an
 * overlap that was known when it began is not such a change: it counts to the moment.
 */
const keptMs = 30_000
const connectorsMost = 4096

/** Only those that a connector was made with hold the index key: whoever changes secrets seals new ones and opens none. */
const StoredSecrets = z.strictObject({ pbx: z.unknown(), indexKey: z.base64().optional() })

export interface OpenConnector {
  readonly row: ConnectorRow
  /** For the connector kind's own parser. */
  readonly pbxSecrets: unknown
  /** While a change of secrets overlaps: what was valid before, and until when it still is; exclusive. */
  readonly previous: { readonly pbxSecrets: unknown; readonly until: Date } | null
  /** Fingerprint of a source id: the same id gives the same bytes within this connector only. */
  sourceKey(sourceId: string): Uint8Array
  /** Fingerprint of audio, from its SHA-256. */
  contentMac(sha256: Uint8Array): Uint8Array
}

interface ConnectorPlace {
  readonly tenantId: TenantId
  readonly id: ConnectorId
}

/** The secrets of a new connector, with the index key that it has for good. */
export function sealConnectorSecrets(
  keys: Pick<VaultKeys, 'key'>,
  connector: ConnectorPlace,
  pbx: unknown,
  now: Date,
  options?: CallOptions,
): Promise<Uint8Array> {
  const indexKey = randomBytes(indexKeyBytes).toString('base64')
  return sealStored(keys, connector, { pbx, indexKey }, now, options)
}

/** Secrets to take the place of others. */
export function sealNewSecrets(
  keys: Pick<VaultKeys, 'key'>,
  connector: ConnectorPlace,
  pbx: unknown,
  now: Date,
  options?: CallOptions,
): Promise<Uint8Array> {
  return sealStored(keys, connector, { pbx }, now, options)
}

async function sealStored(
  keys: Pick<VaultKeys, 'key'>,
  connector: ConnectorPlace,
  stored: z.infer<typeof StoredSecrets>,
  now: Date,
  options?: CallOptions,
): Promise<Uint8Array> {
  const sealed = await sealBytes(Buffer.from(JSON.stringify(stored)), {
    context: sealContext(connectorIdentity(connector.tenantId, connector.id), 'application/json', now),
    wrapper: keys.key({ purpose: 'connectors', tenantId: connector.tenantId }),
    signal: options?.signal,
  })
  return sealed.bytes
}

async function open(
  keys: Pick<VaultKeys, 'key'>,
  row: ConnectorRow,
  now: number,
  options?: CallOptions,
): Promise<OpenConnector> {
  const openStored = async (sealed: Uint8Array) => {
    const json = await openBytes(sealed, {
      expect: connectorIdentity(row.tenantId, row.id),
      unwrapper: keys.key({ purpose: 'connectors', tenantId: row.tenantId }),
      signal: options?.signal,
    })
    return StoredSecrets.parse(JSON.parse(Buffer.from(json).toString('utf8')))
  }
  const stored = await openStored(row.sealedSecrets)
  const first = row.firstSealedSecrets === null ? stored : await openStored(row.firstSealedSecrets)
  if (first.indexKey === undefined) throw new VaultError('damaged', 'A connector has lost its index key')
  const indexKey = createSecretKey(Buffer.from(first.indexKey, 'base64'))
  const overlap = row.previous !== null && row.previous.until.getTime() > now ? row.previous : null
  return {
    row,
    pbxSecrets: stored.pbx,
    previous:
      overlap === null
        ? null
        : { pbxSecrets: (await openStored(overlap.sealedSecrets)).pbx, until: overlap.until },
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
  keys: Pick<VaultKeys, 'key'>,
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
      const connector = await open(keys, row, now(), options)
      kept.set(id, { until: now() + keptMs, connector })
      for (const oldest of kept.keys()) {
        if (kept.size <= connectorsMost) break
        kept.delete(oldest)
      }
      return connector
    },
  }
}
