// One event of the log with all there is to it: its leaf, its private part opened, and the proof that it is in the log.
import { AuditError, type AuditEvent, decodeLeaf } from '@auricle/audit'
import type { StoredEvent } from '@auricle/catalog'
import type { EventId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { RequestFacts } from '../request-facts.ts'
import { base64 } from './as-of.ts'
import { openedPart, type ShownPrivatePart } from './private-part.ts'
import { type InclusionProof, inclusionOf, type ProofParts } from './proofs.ts'
import { beginReading } from './reading.ts'
import { type LogFinding, sealedEventsOf } from './sealed-event.ts'

export interface ShownEvent {
  readonly id: EventId
  /** Where it stands in which year's log; null while no log holds it. */
  readonly place: { readonly year: number; readonly seq: number } | null
  /** Null where it is not there, or not as it was sealed. */
  readonly event: AuditEvent | null
  readonly receivedAt: string | null
  readonly finding: LogFinding['finding'] | null
  /** Base64; null where it is not there. */
  readonly leaf: string | null
  readonly privatePart: ShownPrivatePart | null
  readonly proof: InclusionProof | null
}

export async function showEvent(
  parts: ProofParts,
  facts: RequestFacts,
  id: EventId,
  options: CallOptions,
): Promise<ShownEvent> {
  const object = { type: 'event', id, version: null }
  const wanted = { action: 'audit.read', log: 'log.shown', object, query: null } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { tenantId, secrets } = reading
  const found = await parts.catalog.findAudit(tenantId, id, options)
  if (found === null) return reading.miss('There is no such event')
  const { seal, stored } = found
  const [sealed] = seal === null ? [] : sealedEventsOf([seal], tenantId, parts)
  const event = sealed === undefined ? eventOf(stored) : sealed.event
  const proof = seal === null ? null : await inclusionOf(parts, tenantId, seal, options)
  const privatePart = event === null || stored === null ? null : await openedPart(event, stored, secrets)
  await reading.note({ patients: event?.patients ?? [] })
  return {
    ...{ id, place: seal === null ? null : { year: seal.year, seq: seal.seq }, event },
    receivedAt: stored?.receivedAt.toISOString() ?? null,
    finding: sealed === undefined ? (event === null ? 'altered' : null) : (sealed.finding ?? null),
    leaf: stored === null ? null : base64(stored.leaf),
    ...{ privatePart, proof },
  }
}

/** Of an event that nothing was sealed for yet; null for what is none. */
function eventOf(stored: StoredEvent | null): AuditEvent | null {
  if (stored === null) return null
  try {
    return decodeLeaf(stored.leaf)
  } catch (error) {
    if (error instanceof AuditError) return null
    throw error
  }
}
