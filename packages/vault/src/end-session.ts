// Signing out: the token of the request ends, for every process at once.
import { newPrivatePart } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'
import type { RequestFacts } from './request-facts.ts'
import type { TenantSecretsCache } from './tenant-secrets.ts'

export async function endSession(
  parts: { readonly catalog: Pick<Catalog, 'revokeToken'>; readonly secrets: TenantSecretsCache },
  { actor, request, ip, userAgent }: RequestFacts,
  options: CallOptions,
): Promise<void> {
  const { tenantId, tokenId } = actor
  const { privateParts } = await parts.secrets.get(tenantId, options)
  const event = await auditRecord(
    {
      tenantId,
      action: 'token.revoked',
      outcome: 'allowed',
      actor,
      object: { type: 'token', id: tokenId, version: null },
      reasons: ['signed_out'],
      request,
    },
    { part: newPrivatePart({ ip, userAgent }), key: privateParts },
  )
  await parts.catalog.revokeToken(tenantId, tokenId, event, options)
}
