// A tenant's symmetric secrets in memory: column keys, and the key of the private parts of audit events.
// Unwrapped once and kept for a short while, since every list and every play needs them.
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import type { Catalog, ColumnKeys, TenantRow } from '@auricle/catalog'
import type { TenantId, Wrap } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'
import { VaultError } from './error.ts'
import type { DurableEvent, EventAppender } from './log/durable-event.ts'
import type { VaultKeys } from './vault-keys.ts'

const secretBytes = 32
/** After this long a disabled KMS key is noticed: the secret is unwrapped anew. */
const keptMs = 5 * 60_000
const tenantsMost = 256

export interface TenantSecrets {
  readonly tenant: TenantRow
  readonly columns: ColumnKeys
  readonly privateParts: KeyObject
}

export interface TenantSecretsCache {
  /** Throws `not_found` for an unknown tenant; KMS and database failures pass through. */
  get(tenantId: TenantId, options?: CallOptions): Promise<TenantSecrets>
  /** Looks the tenant up anew the next time: its row has changed. */
  forget(tenantId: TenantId): void
}

export interface TenantSecretsParts {
  readonly catalog: Pick<Catalog, 'findTenant' | 'columnKeys'>
  readonly keys: Pick<VaultKeys, 'opener'>
  readonly log: EventAppender
}

const columnSecretAad = (tenantId: TenantId) =>
  new TextEncoder().encode(`auricle/1 column secret ${tenantId}`)

/** A fresh column secret for a new tenant, wrapped; its plaintext is wiped. */
export async function newColumnSecret(
  keys: Pick<VaultKeys, 'key'>,
  tenantId: TenantId,
  options?: CallOptions,
): Promise<Wrap> {
  const secret = randomBytes(secretBytes)
  try {
    return await keys
      .key({ purpose: 'recordings', tenantId })
      .wrap(secret, columnSecretAad(tenantId), options)
  } finally {
    secret.fill(0)
  }
}

export function createTenantSecrets(
  { catalog, keys, log }: TenantSecretsParts,
  now: () => number = Date.now,
): TenantSecretsCache {
  const kept = new Map<TenantId, { readonly until: number; readonly secrets: Promise<TenantSecrets> }>()

  async function load(tenantId: TenantId, options?: CallOptions): Promise<TenantSecrets> {
    const tenant = await catalog.findTenant(tenantId, options)
    if (tenant === null) throw new VaultError('not_found', 'No such tenant')
    const event = await appendKeyUse(log, tenantId, options)
    const handle = keys.opener({ purpose: 'recordings', tenantId }, event)
    const secret = await handle.unwrap(tenant.columnSecret, columnSecretAad(tenantId), options)
    try {
      const derived = hkdfSync(
        'sha256',
        secret,
        new Uint8Array(),
        'auricle/1 audit private part',
        secretBytes,
      )
      const privateParts = createSecretKey(new Uint8Array(derived))
      new Uint8Array(derived).fill(0)
      return { tenant, columns: catalog.columnKeys(secret), privateParts }
    } finally {
      secret.fill(0)
    }
  }

  return {
    get(tenantId, options) {
      const found = kept.get(tenantId)
      if (found !== undefined && found.until > now()) return found.secrets
      // One flight for all who wait, so it does not end with the signal of whoever came first.
      const secrets = load(tenantId)
      kept.delete(tenantId)
      kept.set(tenantId, { until: now() + keptMs, secrets })
      for (const oldest of kept.keys()) {
        if (kept.size <= tenantsMost) break
        kept.delete(oldest)
      }
      secrets.catch(() => {
        if (kept.get(tenantId)?.secrets === secrets) kept.delete(tenantId)
      })
      return waitFor(secrets, options?.signal)
    },
    forget(tenantId) {
      kept.delete(tenantId)
    },
  }
}

/** It goes before every other event of the tenant: their private parts are sealed under what it opens. */
async function appendKeyUse(
  log: EventAppender,
  tenantId: TenantId,
  options: CallOptions = {},
): Promise<DurableEvent> {
  const record = await auditRecord(
    {
      tenantId,
      action: 'key.used',
      outcome: 'allowed',
      actor: { type: 'part', name: 'vault' },
      object: { type: 'tenant', id: tenantId, version: null },
      reasons: ['column_secret'],
      request: null,
    },
    null,
  )
  return log.append(record, options)
}

/** Stops waiting on abort; the work itself goes on for whoever else waits. */
async function waitFor<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
