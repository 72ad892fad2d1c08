// Back-channel logout: the provider says that a session there has ended, and ours that came from it ends, too.
import { newPrivatePart } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import type { ProviderId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord, type EventFacts } from '../audit-record.ts'
import { isError, VaultError } from '../error.ts'
import type { EventAppender } from '../log/durable-event.ts'
import type { SignInFacts } from '../sign-in.ts'
import { openProvider } from './begin-at-provider.ts'
import type { ProviderClients } from './provider-clients.ts'

export interface ProviderLogoutParts {
  readonly catalog: Pick<Catalog, 'commitProviderLogout'>
  readonly log: EventAppender
  readonly providers: ProviderClients
  readonly now?: () => Date
}

/**
 * How many sessions ended; none is no failure. Throws `malformed` for a token that does not hold or was shown before,
 * each in the log, and `provider_unavailable` where its keys cannot be had.
 */
export async function endSessionsAtProvider(
  parts: ProviderLogoutParts,
  { providerId, logoutToken }: { readonly providerId: ProviderId; readonly logoutToken: string },
  { request, ip, userAgent }: SignInFacts,
  options: CallOptions,
): Promise<number> {
  const now = parts.now?.() ?? new Date()
  const { provider, client, secrets } = await openProvider(parts.providers, providerId, options)
  const { tenantId } = provider
  const record = (told: Pick<EventFacts, 'action' | 'outcome' | 'actor' | 'object' | 'reasons'>) =>
    auditRecord(
      { ...told, tenantId, request },
      { part: newPrivatePart({ ip, userAgent }), key: secrets.privateParts },
      now,
    )
  const refuse = async (reason: string, cause?: unknown) => {
    const event = await record({
      action: 'token.refused',
      outcome: 'denied',
      actor: { type: 'vouching', id: providerId },
      object: { type: 'provider', id: providerId, version: null },
      reasons: [reason],
    })
    await parts.log.append(event, options)
    return new VaultError('malformed', 'The logout token does not hold', { cause })
  }
  const notice = await client.verifyLogoutToken(logoutToken, { ...options, now }).catch(async error => {
    throw isError(error, 'IdentityError', 'bad_token') ? await refuse('bad_logout_token', error) : error
  })
  const ended = await parts.catalog.commitProviderLogout(
    { ...notice, tenantId, providerId, at: now },
    ({ userId, tokenId }) =>
      record({
        action: 'session.ended',
        outcome: 'allowed',
        actor: { type: 'person', userId, tokenId },
        object: { type: 'token', id: tokenId, version: null },
        reasons: ['provider_logout'],
      }),
    options,
  )
  if (ended === null) throw await refuse('replayed_logout_token')
  return ended.length
}
