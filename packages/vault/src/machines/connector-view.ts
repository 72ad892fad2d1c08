// A connector as people see it: everything but its secrets.
import type { AllowedHost, ConnectorRow } from '@auricle/catalog'
import type { ConnectorId, MailboxId } from '@auricle/contract'

export interface ConnectorView {
  readonly id: ConnectorId
  readonly kind: string
  readonly name: string
  readonly defaultMailbox: MailboxId | null
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly allowedHosts: readonly AllowedHost[]
  readonly createdAt: string
  readonly disabledAt: string | null
  /** Until when secrets from before the last change still hold; null where they do not. */
  readonly previousUntil: string | null
  /** When they were last used, to a minute; null where they were not, since the last change. */
  readonly previousLastUsedAt: string | null
}

export function connectorViewOf(row: ConnectorRow, now: Date): ConnectorView {
  const overlap = row.previous !== null && row.previous.until > now ? row.previous : null
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    defaultMailbox: row.defaultMailboxId,
    maxBytes: row.maxBytes,
    idleTimeoutMs: row.idleTimeoutMs,
    allowedHosts: row.allowedHosts,
    createdAt: row.createdAt.toISOString(),
    disabledAt: row.disabledAt?.toISOString() ?? null,
    previousUntil: overlap?.until.toISOString() ?? null,
    previousLastUsedAt: row.previousUsedAt?.toISOString() ?? null,
  }
}

/** Where a PBX delivers to. `ingestUrl` is how it reaches the service, without a trailing slash. */
export const deliveryAddress = (ingestUrl: string, id: ConnectorId) => `${ingestUrl}/v1/ingest/${id}`
