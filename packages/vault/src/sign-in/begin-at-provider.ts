// Sends somebody to their OpenID provider: to sign in, or to show their second factor again.
import type { Catalog } from '@auricle/catalog'
import type { ProviderId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import {
  attemptIdOf,
  attemptKind,
  attemptMs,
  hashBrowser,
  type ProviderAttempt,
  writeAttempt,
} from './provider-attempt.ts'
import type { OpenedProvider, ProviderClients } from './provider-clients.ts'

export interface BeginParts {
  readonly catalog: Pick<Catalog, 'addAttempt' | 'findSubject'>
  readonly providers: ProviderClients
  readonly now?: () => Date
}

export interface ProviderStart {
  readonly providerId: ProviderId
  /** A local path, checked by whoever took it. */
  readonly returnTo: string
  /** The secret of this browser's cookie: who brings the answer must hold it, too. */
  readonly browser: string
}

/**
 * Where to send the browser. Throws `not_found` for a provider that is not there or disabled, and what the client throws:
 * `provider_unavailable`, `bad_provider_answer`.
 */
export async function beginProviderSignIn(
  parts: BeginParts,
  start: ProviderStart,
  options: CallOptions,
): Promise<URL> {
  return begin(parts, await openProvider(parts.providers, start.providerId, options), start, null, options)
}

/** The same for a session that holds. Throws `not_found`, too, where its person is nobody at that provider. */
export async function beginProviderStepUp(
  parts: BeginParts,
  { actor }: RequestFacts,
  start: ProviderStart,
  options: CallOptions,
): Promise<URL> {
  const { tenantId, userId, tokenId } = actor
  const opened = await openProvider(parts.providers, start.providerId, options)
  // Another tenant's provider knows nobody of this one.
  const subject =
    opened.provider.tenantId === tenantId
      ? await parts.catalog.findSubject({ tenantId, providerId: start.providerId, userId }, options)
      : null
  if (subject === null) throw new VaultError('not_found', 'There is no such provider of yours')
  return begin(parts, opened, start, { userId, tokenId }, options)
}

async function begin(
  { catalog, now = () => new Date() }: BeginParts,
  { provider, client, secrets }: OpenedProvider,
  { returnTo, browser }: ProviderStart,
  stepUp: ProviderAttempt['stepUp'],
  options: CallOptions,
): Promise<URL> {
  const { url, attempt: oidc } = await client.begin(
    { purpose: stepUp === null ? 'sign_in' : 'step_up' },
    options,
  )
  const createdAt = now()
  const data = writeAttempt({
    providerId: provider.id,
    browser: hashBrowser(browser),
    returnTo,
    oidc,
    stepUp,
  })
  const attempt = {
    tenantId: provider.tenantId,
    id: attemptIdOf(oidc.state),
    kind: attemptKind,
    data,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + attemptMs),
  }
  await catalog.addAttempt(attempt, secrets.columns, options)
  return url
}

export async function openProvider(
  providers: ProviderClients,
  id: ProviderId,
  options: CallOptions,
): Promise<OpenedProvider> {
  const opened = await providers.open(id, options)
  if (opened === null) throw new VaultError('not_found', 'There is no such provider')
  return opened
}
