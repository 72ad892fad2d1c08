// Leaves that no writer of the vault wrote, and receipts for those that one did.
import { encodeLeaf, formatReceipt, leafHash } from '@auricle/audit'
import { type EventId, newEventId } from '@auricle/contract'
import type pg from 'pg'
import { newNoteSigner, signedNote } from '../note-signer.ts'
import type { World } from './world.ts'

/** An event of the vault's form that nobody numbered, put among those that wait to be sealed. */
export async function insertUncounted(
  client: Pick<pg.ClientBase, 'query'>,
  { tenantId }: World,
): Promise<{ readonly id: EventId; readonly leaf: Uint8Array }> {
  const id = newEventId()
  const leaf = encodeLeaf({
    v: 1,
    id,
    tenant: tenantId,
    at: new Date().toISOString(),
    action: 'recording.played',
    outcome: 'allowed',
    actor: { type: 'system', id: 'operator', session: null },
    object: null,
    reasons: [],
    request: null,
    private: null,
  })
  await client.query('insert into auricle.audit_event (tenant_id, id, leaf) values ($1, $2, $3)', [
    tenantId,
    id,
    leaf,
  ])
  return { id, leaf }
}

/** A line of a log with the receipt that was given for an event. */
export async function aReceipt({ superuser, tenantId }: World, eventId: EventId): Promise<string> {
  const { rows } = await superuser.query<{ leaf: Buffer }>(
    'select leaf from auricle.audit_event where tenant_id = $1 and id = $2',
    [tenantId, eventId],
  )
  const hash = leafHash(rows[0]?.leaf ?? new Uint8Array(0))
  const text = formatReceipt({ tenantId, eventId, leafHash: hash, at: new Date().toISOString() })
  const note = signedNote(text, newNoteSigner('log.attacked.example/receipts/wri'))
  return `${JSON.stringify({ level: 'info', receipt: Buffer.from(note).toString('base64') })}\n`
}
