// What an event's writer promises in writing: that a leaf with this hash is going to be in the tenant's log.
import { EventId, TenantId } from '@auricle/contract'
import { type Bytes, hashFromBase64, toBase64 } from './bytes.ts'
import { AuditError } from './error.ts'
import { isTime } from './time.ts'

const version = 'auricle-receipt/1'

export interface EventReceipt {
  readonly tenantId: TenantId
  readonly eventId: EventId
  readonly leafHash: Bytes
  /** When the event was durable: RFC 3339 UTC with milliseconds. */
  readonly at: string
}

/** The text of the note that the writer's key signs. Throws `AuditError('bad_receipt')` for what could not be read again. */
export function formatReceipt({ tenantId, eventId, leafHash, at }: EventReceipt): string {
  const text = `${version}\n${tenantId}\n${eventId}\n${toBase64(leafHash)}\n${at}\n`
  parseReceipt(text)
  return text
}

/** Of a note's text, which has to be verified first. Throws `AuditError('bad_receipt')`. */
export function parseReceipt(text: string): EventReceipt {
  const [first, tenant, event, hash = '', at = '', end, ...more] = text.split('\n')
  const tenantId = TenantId.safeParse(tenant)
  const eventId = EventId.safeParse(event)
  const leafHash = hashFromBase64(hash)
  if (first !== version || end !== '' || more.length > 0 || !isTime(at)) refuse()
  if (!tenantId.success || !eventId.success || leafHash === null) refuse()
  return { tenantId: tenantId.data, eventId: eventId.data, leafHash, at }
}

function refuse(): never {
  throw new AuditError('bad_receipt', 'this is no receipt of an event')
}
