// The event of what a test does in the place of the operator.
import type { TenantId } from '@auricle/contract'
import { auditRecord } from '@auricle/vault'

export function operatorDid(tenantId: TenantId) {
  const actor = { type: 'system', name: 'operator' } as const
  const facts = {
    tenantId,
    action: 'token.issued',
    outcome: 'allowed',
    actor,
    object: null,
    request: null,
  } as const
  return auditRecord(facts, null)
}
