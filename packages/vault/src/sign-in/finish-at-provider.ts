// Somebody comes back from their OpenID provider: in, or verified anew, or refused; each is logged, and each happens once.
//
// Order: the attempt is taken -> the code is spent at the provider -> person, roles, teams, token and events commit
// together. Cut off after any step, whoever came begins again, and nobody else can go on with what they left.
import { newPrivatePart } from '@auricle/audit'
import type { Arrived, Catalog, TokenRow } from '@auricle/catalog'
import { newTokenId, type ProviderId, type Session } from '@auricle/contract'
import type { mapGroups, OidcIdentity } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord, type EventFacts } from '../audit-record.ts'
import { isError } from '../error.ts'
import type { EventAppender } from '../log/durable-event.ts'
import type { SignInFacts } from '../sign-in.ts'
import type { IssueToken } from '../token.ts'
import { openProvider } from './begin-at-provider.ts'
import {
  attemptIdOf,
  attemptKind,
  isSameBrowser,
  type ProviderAttempt,
  readAttempt,
} from './provider-attempt.ts'
import type { OpenedProvider, ProviderClients } from './provider-clients.ts'

export interface FinishParts {
  readonly catalog: Pick<Catalog, 'spendAttempt' | 'commitArrival' | 'commitProviderStepUp' | 'sealOrigin'>
  readonly log: EventAppender
  readonly providers: ProviderClients
  readonly mapGroups: typeof mapGroups
  readonly issueToken: IssueToken
  readonly now?: () => Date
}

export interface ProviderAnswer {
  /** Whose address the browser came to. */
  readonly providerId: ProviderId
  /** Null where the answer is none: it names no attempt. */
  readonly state: string | null
  readonly callbackUrl: URL
  /** What the browser's cookie holds; null without one. */
  readonly browser: string | null
}

/**
 * What somebody is told of a sign-in that was refused. `sign_in_over`: it was not begun in this browser, lasted too long,
 * or was finished before. The log says which.
 */
export type SignInRefusal =
  | 'bad_provider_answer'
  | 'not_admitted'
  | 'provider_unavailable'
  | 'second_factor_missing'
  | 'sign_in_over'

export type ProviderFinish =
  | { readonly type: 'signed_in'; readonly session: Session; readonly returnTo: string }
  | { readonly type: 'verified'; readonly returnTo: string }
  /** `returnTo` is null where it is not known where they came from. */
  | { readonly type: 'refused'; readonly word: SignInRefusal; readonly returnTo: string | null }

interface Visit {
  readonly parts: FinishParts
  readonly opened: OpenedProvider
  readonly facts: SignInFacts
  readonly now: Date
  readonly options: CallOptions
}

/** Throws `not_found` for a provider that is not there; whatever is wrong with the answer is a refusal and no error. */
export async function finishAtProvider(
  parts: FinishParts,
  { providerId, state, callbackUrl, browser }: ProviderAnswer,
  facts: SignInFacts,
  options: CallOptions,
): Promise<ProviderFinish> {
  const now = parts.now?.() ?? new Date()
  const opened = await openProvider(parts.providers, providerId, options)
  const visit: Visit = { parts, opened, facts, now, options }
  const { tenantId } = opened.provider
  if (state === null) return refuse(visit, 'sign_in_over', 'malformed_answer', null)
  const taken = { tenantId, id: attemptIdOf(state), kind: attemptKind, now }
  const data = await parts.catalog.spendAttempt(taken, opened.secrets.columns, options)
  if (data === null) return refuse(visit, 'sign_in_over', 'unknown_state', null)
  const attempt = readAttempt(data)
  // The other's `returnTo` is not for whoever this is.
  if (!isSameBrowser(attempt, browser)) return refuse(visit, 'sign_in_over', 'other_browser', null)
  if (attempt.providerId !== providerId)
    return refuse(visit, 'sign_in_over', 'other_provider', attempt.returnTo)
  const identity = await identify(visit, attempt, callbackUrl)
  if (typeof identity === 'string') return refuse(visit, identity, identity, attempt.returnTo)
  return attempt.stepUp === null
    ? signIn(visit, attempt, identity)
    : stepUp(visit, attempt, attempt.stepUp, identity)
}

const identityWords = [
  'bad_provider_answer',
  'not_admitted',
  'provider_unavailable',
  'second_factor_missing',
] as const

async function identify(
  { opened, now, options }: Visit,
  { oidc }: ProviderAttempt,
  callbackUrl: URL,
): Promise<OidcIdentity | (typeof identityWords)[number]> {
  try {
    return await opened.client.finish({ callbackUrl, attempt: oidc, now }, options)
  } catch (error) {
    const word = identityWords.find(code => isError(error, 'IdentityError', code))
    if (word === undefined) throw error
    return word
  }
}

async function signIn(
  visit: Visit,
  { returnTo }: ProviderAttempt,
  identity: OidcIdentity,
): Promise<ProviderFinish> {
  const { parts, opened, facts, now, options } = visit
  const { provider, secrets } = opened
  const { settings, tenantId } = provider
  const admission = parts.mapGroups(identity.groups, settings.groups)
  const id = newTokenId()
  const token: Omit<TokenRow, 'userId'> = {
    id,
    tenantId,
    purpose: 'session',
    createdAt: now,
    expiresAt: new Date(now.getTime() + secrets.tenant.access.sessionMs),
    idleMs: secrets.tenant.access.idleMs,
    scopes: null,
    name: null,
    secretHash: null,
    factors: ['provider'],
    verifiedAt: verifiedAt(identity, now),
    origin: parts.catalog.sealOrigin(secrets.columns, { tenantId, id }, facts),
  }
  const arrival = {
    tenantId,
    providerId: provider.id,
    subject: identity.subject,
    login: identity.login,
    name: identity.name,
    roles: admission?.roles ?? [],
    teams: admission?.teams ?? [],
    provision: settings.provision,
    at: now,
    token,
    providerSession: identity.sid,
  }
  const arrived = await parts.catalog.commitArrival(
    arrival,
    arrived => Promise.all(eventsOf(arrived, visit, token).map(event => record(visit, event))),
    options,
  )
  const { user, refusal } = arrived
  if (user === null || refusal !== null) return { type: 'refused', word: 'not_admitted', returnTo }
  return {
    type: 'signed_in',
    session: {
      token: await parts.issueToken({ ...token, userId: user.id }),
      tokenType: 'Bearer',
      expiresAt: token.expiresAt.toISOString(),
      user: { id: user.id, login: user.login, name: user.name },
    },
    returnTo,
  }
}

/** When the factors were shown, as the provider says; null where it does not, which leaves a step-up to be done. */
function verifiedAt({ authenticatedAt }: OidcIdentity, now: Date): Date | null {
  // Its clock may be a little ahead of ours, and a factor is not fresh for longer by that.
  return authenticatedAt === null || authenticatedAt < now ? authenticatedAt : now
}

async function stepUp(
  visit: Visit,
  { returnTo }: ProviderAttempt,
  { userId, tokenId }: NonNullable<ProviderAttempt['stepUp']>,
  identity: OidcIdentity,
): Promise<ProviderFinish> {
  const { parts, opened, now, options } = visit
  const { provider } = opened
  const at = verifiedAt(identity, now)
  if (at === null) return refuse(visit, 'bad_provider_answer', 'no_time_of_sign_in', returnTo)
  const event = await record(visit, {
    action: 'session.verified',
    outcome: 'allowed',
    actor: { type: 'person', userId, tokenId },
    object: { type: 'token', id: tokenId, version: null },
    reasons: ['provider'],
  })
  const isVerified = await parts.catalog.commitProviderStepUp(
    {
      tenantId: provider.tenantId,
      providerId: provider.id,
      subject: identity.subject,
      tokenId,
      verifiedAt: at,
      providerSession: identity.sid,
      at: now,
    },
    event,
    options,
  )
  if (isVerified) return { type: 'verified', returnTo }
  return refuse(visit, 'not_admitted', 'other_person', returnTo, { type: 'person', userId, tokenId })
}

type Told = Pick<EventFacts, 'action' | 'outcome' | 'actor' | 'object' | 'reasons'>

function eventsOf(
  { user, isNew, granted, revoked, refusal }: Arrived,
  { opened }: Visit,
  token: Pick<TokenRow, 'id'>,
): readonly Told[] {
  const { id } = opened.provider
  const vouching = { type: 'vouching', id } as const
  const provider = { type: 'provider', id, version: null }
  if (user === null) {
    const reasons = [refusal ?? 'unknown_person']
    return [{ action: 'session.refused', outcome: 'denied', actor: vouching, object: provider, reasons }]
  }
  const person = { type: 'user', id: user.id, version: null }
  const changed = { outcome: 'allowed', actor: vouching, object: person } as const
  const ended: Told =
    refusal === null
      ? {
          action: 'session.opened',
          outcome: 'allowed',
          actor: { type: 'person', userId: user.id, tokenId: token.id },
          object: { type: 'token', id: token.id, version: null },
          reasons: ['provider'],
        }
      : {
          action: 'session.refused',
          outcome: 'denied',
          actor: { type: 'person', userId: user.id, tokenId: null },
          object: provider,
          reasons: [refusal],
        }
  return [
    ...(isNew ? [{ ...changed, action: 'user.created' as const, reasons: ['provider'] }] : []),
    ...revoked.map(role => ({ ...changed, action: 'role.revoked' as const, reasons: ['provider', role] })),
    ...granted.map(role => ({ ...changed, action: 'role.granted' as const, reasons: ['provider', role] })),
    ended,
  ]
}

function record({ opened, facts, now }: Visit, told: Told) {
  const { ip, userAgent, request } = facts
  return auditRecord(
    { ...told, tenantId: opened.provider.tenantId, request },
    { part: newPrivatePart({ ip, userAgent }), key: opened.secrets.privateParts },
    now,
  )
}

async function refuse(
  visit: Visit,
  word: SignInRefusal,
  reason: string,
  returnTo: string | null,
  actor?: EventFacts['actor'],
): Promise<ProviderFinish> {
  const { id } = visit.opened.provider
  const event = await record(visit, {
    action: 'session.refused',
    outcome: 'denied',
    actor: actor ?? { type: 'vouching', id },
    object: { type: 'provider', id, version: null },
    reasons: [reason],
  })
  await visit.parts.log.append(event, visit.options)
  return { type: 'refused', word, returnTo }
}
