// Events as playbacks make them, ready to be appended: what a caller knows before it asks the log.
import type { KeyObject } from 'node:crypto'
import { type AuditRecord, newPrivatePart } from '@auricle/audit'
import { newPatientId, newRecordingId, newTokenId, newUserId, type TenantId } from '@auricle/contract'
import { auditRecord } from '@auricle/vault'

/** Each with a private part where there is a key to seal it with. */
export function makeRecords(
  tenantId: TenantId,
  count: number,
  privateParts: KeyObject | null,
): Promise<readonly AuditRecord[]> {
  const userId = newUserId()
  const tokenId = newTokenId()
  const one = () =>
    auditRecord(
      {
        tenantId,
        action: 'recording.played',
        outcome: 'allowed',
        actor: { type: 'person', userId, tokenId },
        object: { type: 'recording', id: newRecordingId(), version: 'playback' },
        reasons: ['owns_mailbox'],
        purpose: 'treatment',
        patients: [newPatientId()],
        request: crypto.randomUUID(),
      },
      privateParts === null
        ? null
        : {
            part: newPrivatePart({ ip: '203.0.113.7', userAgent: 'a browser of some kind' }),
            key: privateParts,
          },
    )
  return Promise.all(Array.from({ length: count }, one))
}
