// Sign-in with an emergency code and an authenticator app, which asks nobody outside: it works while an identity provider
// is away, opens emergency access with it, and tells the compliance officer.
//
// Both factors are checked whatever the first gives, and somebody who does not exist costs the same work.
import type { AuditEvent } from '@auricle/audit'
import type { Catalog, TokenRow, UserCredentials } from '@auricle/catalog'
import { type EmergencySession, type EmergencySignIn, newTokenId } from '@auricle/contract'
import type { Decide, UserActor } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { refusalOf, VaultError } from '../error.ts'
import { parseRoles } from '../roles.ts'
import { lockAfter, lockMs, type SignInFacts, type SignInParts } from '../sign-in.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { newAlert, type OnAlert, originPart } from './alert.ts'
import { newRow } from './emergency-access.ts'

export interface EmergencySignInParts
  extends Pick<SignInParts, 'secrets' | 'verifyPassword' | 'verifyTotp' | 'issueToken' | 'now'> {
  readonly catalog: Pick<
    Catalog,
    | 'findTenantBySlug'
    | 'findCredentials'
    | 'findEmergencyCode'
    | 'commitEmergencySignIn'
    | 'commitSignInFailure'
    | 'appendEvents'
  >
  readonly decide: Decide
  /** Throws for what cannot be a code, by its check symbols: a slip is no attempt. */
  readonly hashCode: (typed: string) => Uint8Array
  readonly onAlert: OnAlert
}

/** Of nobody: what a code is checked against where there is no secret. 20 zero bytes in base32. */
const nobodysSecret = 'A'.repeat(32)

/** A known person of a tenant, and what the events of their attempt have in common. */
interface Attempt {
  readonly secrets: TenantSecrets
  readonly user: UserCredentials['user']
  readonly facts: SignInFacts
  readonly now: Date
}

/**
 * Throws `bad_credentials` whatever was wrong, `locked` while the account waits, as with any sign-in, and `denied` for
 * somebody whose roles give no emergency access. Code, token, emergency access, events and alerts are one transaction.
 */
export async function emergencySignIn(
  parts: EmergencySignInParts,
  credentials: EmergencySignIn,
  facts: SignInFacts,
  options: CallOptions,
): Promise<EmergencySession> {
  const { catalog } = parts
  const now = parts.now?.() ?? new Date()
  const hash = parts.hashCode(credentials.code)
  const tenant = await catalog.findTenantBySlug(credentials.tenant, options)
  const secrets = tenant === null ? null : await parts.secrets.get(tenant.id, options)
  const known =
    secrets === null
      ? null
      : await catalog.findCredentials(secrets.tenant.id, credentials.login, secrets.columns, options)
  const totpStep = parts.verifyTotp({
    secret: known?.totpSecret ?? nobodysSecret,
    code: credentials.totp,
    now,
    lastStep: known?.totpLastStep ?? null,
  })
  // There is no password to check. The work of checking one hides whether there was anybody to look up.
  await parts.verifyPassword(null, credentials.code)
  if (secrets === null || known === null || known.user.disabledAt !== null) throw refused()
  const attempt = { secrets, user: known.user, facts, now }
  const query = { tenantId: known.user.tenantId, userId: known.user.id, hash, now }
  const codeId = await catalog.findEmergencyCode(query, options)
  const isLocked = known.lockedUntil !== null && known.lockedUntil > now
  if (isLocked || codeId === null || totpStep === null || known.totpSecret === null) {
    await logFailure(parts, attempt, isLocked ? 'locked' : 'bad_credentials', options)
    if (isLocked) throw new VaultError('locked', 'Too many failed attempts: wait a quarter of an hour')
    throw refused()
  }
  const token = newToken(attempt)
  await refuseWithoutRole(parts, attempt, token, options)
  return open(parts, attempt, { token, totpStep, codeId, reason: credentials.reason }, options)
}

function newToken({ secrets, user, now }: Attempt): TokenRow {
  const { access } = secrets.tenant
  return {
    id: newTokenId(),
    tenantId: user.tenantId,
    userId: user.id,
    purpose: 'session',
    createdAt: now,
    expiresAt: new Date(now.getTime() + Math.min(access.breakGlassMs, access.sessionMs)),
    idleMs: access.idleMs,
    scopes: null,
    name: null,
    secretHash: null,
    factors: ['emergency_code', 'otp'],
    verifiedAt: now,
  }
}

/** The same decision as for somebody who is signed in. */
async function refuseWithoutRole(
  { decide, catalog }: EmergencySignInParts,
  attempt: Attempt,
  token: TokenRow,
  options: CallOptions,
): Promise<void> {
  const { user, now } = attempt
  const { tenantId } = user
  const actor: UserActor = {
    type: 'user',
    tenantId,
    userId: user.id,
    tokenId: token.id,
    roles: parseRoles(user.roles),
    mailboxes: [],
    breakGlass: null,
    token: { kind: 'session', scopes: null, verifiedAt: now },
  }
  const resource = { type: 'tenant', tenantId } as const
  const decision = decide(actor, 'break_glass.start', resource, { now, purpose: null })
  if (decision.allowed) return
  const denied = { action: 'session.refused', outcome: 'denied', reasons: decision.reasons } as const
  await catalog.appendEvents([await eventOf(attempt, null, denied)], options)
  throw refusalOf(decision)
}

async function open(
  parts: EmergencySignInParts,
  attempt: Attempt,
  proven: Pick<Parameters<Catalog['commitEmergencySignIn']>[0], 'token' | 'totpStep' | 'codeId'> & {
    readonly reason: string
  },
  options: CallOptions,
): Promise<EmergencySession> {
  const { secrets, user, facts, now } = attempt
  const { token, totpStep, codeId, reason } = proven
  const event = (action: AuditEvent['action'], object: { readonly type: string; readonly id: string }) =>
    eventOf(attempt, token, { action, object, outcome: 'allowed', reasons: ['emergency_code'], reason })
  const code = { type: 'emergency_code', id: codeId }
  const cause = { actor: personOf(attempt, token), request: facts.request }
  const secret = { part: originPart(facts), key: secrets.privateParts }
  const used = await newAlert(user.tenantId, 'emergency_code_used', code, cause, secret, now)
  const row = newRow(secrets, { userId: user.id, tokenId: token.id, reason, now })
  const access = { type: 'break_glass', id: row.id }
  const started = await newAlert(user.tenantId, 'break_glass_started', access, cause, secret, now)
  const opened = await parts.catalog.commitEmergencySignIn(
    {
      ...{ token, totpStep, codeId, raised: used },
      events: [
        await event('emergency_code.used', code),
        await event('session.opened', { type: 'token', id: token.id }),
      ],
      opening: { row, event: await event('break_glass.started', access), raised: started },
    },
    secrets.columns,
    options,
  )
  // Code or step were spent by another sign-in in between.
  if (opened === null) throw refused()
  parts.onAlert(used.alert)
  if (opened.status === 'opened') parts.onAlert(started.alert)
  const { id, until } = opened.status === 'open' ? opened : row
  return {
    token: await parts.issueToken(token),
    tokenType: 'Bearer',
    expiresAt: token.expiresAt.toISOString(),
    user: { id: user.id, login: user.login, name: user.name },
    breakGlass: { id, until: until.toISOString() },
  }
}

async function logFailure(
  { catalog }: EmergencySignInParts,
  attempt: Attempt,
  reason: 'locked' | 'bad_credentials',
  options: CallOptions,
): Promise<void> {
  const { user, now } = attempt
  const facts = {
    action: 'session.refused',
    outcome: 'denied',
    reasons: [reason, 'emergency_code'],
  } as const
  const record = await eventOf(attempt, null, facts)
  // Attempts while locked are logged but not counted, or an attacker could lock an account for ever.
  if (reason === 'locked') return catalog.appendEvents([record], options)
  const lockedUntil = new Date(now.getTime() + lockMs)
  const failure = { tenantId: user.tenantId, userId: user.id, lockAfter, lockedUntil }
  return catalog.commitSignInFailure(failure, record, options)
}

function eventOf(
  attempt: Attempt,
  token: TokenRow | null,
  facts: Pick<AuditEvent, 'action' | 'outcome'> & {
    readonly reasons: readonly string[]
    readonly object?: { readonly type: string; readonly id: string }
    readonly reason?: string
  },
) {
  const { secrets, now } = attempt
  const { object, reason, ...said } = facts
  return auditRecord(
    {
      ...said,
      tenantId: secrets.tenant.id,
      actor: personOf(attempt, token),
      object: object === undefined ? null : { ...object, version: null },
      request: attempt.facts.request,
    },
    { part: originPart(attempt.facts, reason), key: secrets.privateParts },
    now,
  )
}

const personOf = ({ user }: Attempt, token: TokenRow | null) =>
  ({ type: 'person', userId: user.id, tokenId: token?.id ?? null }) as const

function refused(): VaultError {
  return new VaultError('bad_credentials', 'Tenant, login, code or one-time code is wrong')
}
