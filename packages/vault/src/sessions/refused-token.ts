// Why a token that is ours does not hold, and its event. Not a commit point of anything: the refusal stands either way.
import type { Catalog } from '@auricle/catalog'
import type { TenantId, TokenId } from '@auricle/contract'
import type { Limits } from '@auricle/limits'
import type { CallOptions } from '@auricle/sealed'
import type { EventAppender } from '../log/durable-event.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import { personEvent } from './person-event.ts'

/** Whoever keeps asking with an ended token fills no log: one event says it. */
const eventRate = { burst: 1, everyMs: 60_000 }

export interface RefusedTokenParts {
  readonly catalog: Pick<Catalog, 'findTokenState'>
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly limits: Pick<Limits, 'take'>
  readonly now?: () => Date
}

/** The reason as its row gives it: `disabled`, `revoked`, `expired`, `idle`; `unknown` where there is no row of it. */
export async function noteRefusedToken(
  parts: RefusedTokenParts,
  { tenantId, tokenId }: { readonly tenantId: TenantId; readonly tokenId: TokenId },
  facts: Pick<RequestFacts, 'request' | 'ip' | 'userAgent'>,
  options: CallOptions,
): Promise<string> {
  const now = parts.now?.() ?? new Date()
  const state = await parts.catalog.findTokenState(tenantId, tokenId, now, options)
  if (state === null || state.ended === null) return 'unknown'
  const { userId, ended } = state
  const { allowed } = await parts.limits.take(`api:refused-token:${tokenId}`, eventRate, options)
  if (!allowed) return ended
  const secrets = await parts.secrets.get(tenantId, options)
  const refusal = { action: 'token.refused', outcome: 'denied', reasons: [ended], now } as const
  const record = await personEvent(secrets, { userId, tokenId, ...refusal }, facts)
  await parts.log.append(record, options)
  return ended
}
