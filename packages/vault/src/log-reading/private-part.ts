// The private part of an event: opened for whoever may read the log, and gone for good where it has to go.
import { type AuditEvent, commitPrivate, decodeLeaf, decodePrivate, type PrivatePart } from '@auricle/audit'
import type { Catalog, StoredEvent } from '@auricle/catalog'
import type { EventId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { openPrivate } from '../audit-record.ts'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { refuse } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { base64 } from './as-of.ts'
import type { PrivatePartDrop } from './query.ts'
import { wordedEvent } from './reading.ts'

/** `none`: there never was one. `dropped`: it is gone, and the leaf still commits to it. */
export interface ShownPrivatePart {
  readonly state: 'none' | 'open' | 'dropped' | 'altered'
  readonly part: PrivatePart | null
  /** Base64 of salt and canonical JSON: their SHA-256 is what the leaf commits to. */
  readonly committed: string | null
}

export async function openedPart(
  event: AuditEvent,
  { sealedPrivate }: Pick<StoredEvent, 'sealedPrivate'>,
  { privateParts }: TenantSecrets,
): Promise<ShownPrivatePart> {
  if (event.private === null) return { state: 'none', part: null, committed: null }
  if (sealedPrivate === null) return { state: 'dropped', part: null, committed: null }
  try {
    const bytes = openPrivate(privateParts, event.id, sealedPrivate)
    const { part, salt } = decodePrivate(bytes)
    if ((await commitPrivate(part, salt)) === event.private)
      return { state: 'open', part, committed: base64(bytes) }
  } catch {
    // It does not open, or not to a private part: to the reader that is one with another commitment.
  }
  return { state: 'altered', part: null, committed: null }
}

export interface DropParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'findAudit' | 'dropPrivatePart'>
}

/** With its event, in one transaction. Throws `conflict` where there is none (any more), or a legal hold keeps it. */
export async function dropPrivatePart(
  parts: DropParts,
  facts: RequestFacts,
  id: EventId,
  { reason }: PrivatePartDrop,
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  const object = { type: 'event', id, version: null } as const
  const wanted = { action: 'audit.drop_private', log: 'private_part.dropped', object } as const
  const { now, secrets, decision } = await authorize(parts, facts, wanted, options)
  const found = await parts.catalog.findAudit(tenantId, id, options)
  if (found === null) throw new VaultError('not_found', 'There is no such event')
  const stored = found.stored ?? found.seal?.stored ?? null
  const about = stored === null ? null : decodeLeaf(stored.leaf).object
  const said = { action: 'private_part.dropped', object, reasons: decision.reasons } as const
  const event = await wordedEvent(facts, secrets, said, reason, now)
  const outcome = await parts.catalog.dropPrivatePart(tenantId, { id, about }, event, options)
  if (outcome === 'held') {
    const conflict = 'A legal hold keeps what this event is about'
    return refuse(parts, facts, { log: 'private_part.dropped', object, reason: 'held', conflict }, options)
  }
  if (outcome === 'none')
    throw new VaultError('conflict', 'This event has no private part, or has it no longer')
}
