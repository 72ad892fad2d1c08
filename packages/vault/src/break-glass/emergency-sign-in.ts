// Sign-in with an emergency code and an authenticator app, which asks nobody outside: it works while an identity provider
// is away, opens emergency access with it, and tells the compliance officer.
//
// Both factors are checked whatever the first gives, and somebody who does not exist costs the same work.
import type { AuditEvent } from '@auricle/audit'
import type { Catalog, TokenRow, UserCredentials } from '@auricle/catalog'
import type { EmergencySession, EmergencySignIn } from '@auricle/contract'
import type { Decide, UserActor } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { refusalOf, VaultError } from '../error.ts'
import { parseRoles } from '../roles.ts'
import { locked, lockedUntilOf, noteFailure } from '../sessions/failure.ts'
import { newSession } from '../sessions/new-session.ts'
import { personEvent } from '../sessions/person-event.ts'
import type { SignInFacts, SignInParts } from '../sign-in.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { newAlert, type OnAlert, originPart } from './alert.ts'
import { newRow } from './emergency-access.ts'

export interface EmergencySignInParts extends Omit<SignInParts, 'catalog' | 'hashRecoveryCode'> {
  readonly catalog: Pick<
    Catalog,
    | 'findTenantBySlug'
    | 'findCredentials'
    | 'findEmergencyCode'
    | 'commitEmergencySignIn'
    | 'commitSignInFailure'
    | 'sealOrigin'
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
  if (secrets === null || known === null) throw refused()
  const attempt = { secrets, user: known.user, facts, now }
  if (known.user.disabledAt !== null) {
    await logRefusal(parts, attempt, ['disabled'], options)
    throw refused()
  }
  const query = { tenantId: known.user.tenantId, userId: known.user.id, hash, now }
  const codeId = await catalog.findEmergencyCode(query, options)
  const lockedUntil = lockedUntilOf(known, now)
  if (lockedUntil !== null || codeId === null || totpStep === null || known.totpSecret === null) {
    await countFailure(parts, attempt, lockedUntil, options)
    throw lockedUntil === null ? refused() : locked(lockedUntil)
  }
  const token = newToken(parts, attempt)
  await refuseWithoutRole(parts, attempt, token, options)
  return open(parts, attempt, { token, totpStep, codeId, reason: credentials.reason }, options)
}

/** A session that ends with the emergency access that begins with it. */
function newToken(parts: EmergencySignInParts, { secrets, user, facts, now }: Attempt): TokenRow {
  const begins = { factors: ['emergency_code', 'otp'], verifiedAt: now, now } as const
  const session = newSession({ ...parts, secrets }, user, begins, facts)
  const { breakGlassMs, sessionMs } = secrets.tenant.access
  return { ...session, expiresAt: new Date(now.getTime() + Math.min(breakGlassMs, sessionMs)) }
}

/** The same decision as for somebody who is signed in. */
async function refuseWithoutRole(
  parts: EmergencySignInParts,
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
  const decision = parts.decide(actor, 'break_glass.start', resource, { now, purpose: null })
  if (decision.allowed) return
  await logRefusal(parts, attempt, decision.reasons, options)
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
  const actor = { type: 'person', userId: user.id, tokenId: token.id } as const
  const cause = { tenantId: user.tenantId, actor, request: facts.request }
  const secret = { part: originPart(facts), key: secrets.privateParts }
  const event = (action: AuditEvent['action'], object: { readonly type: string; readonly id: string }) =>
    auditRecord(
      {
        ...{ ...cause, action, outcome: 'allowed', reasons: ['emergency_code'] },
        object: { ...object, version: null },
      },
      // The reason stands here too: where emergency access is open already, it goes on with its own.
      { ...secret, part: originPart(facts, reason) },
      now,
    )
  const code = { type: 'emergency_code', id: codeId }
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
  if (opened === null) {
    // Code or step were spent by another sign-in in between.
    await countFailure(parts, attempt, null, options)
    throw refused()
  }
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

function countFailure(
  parts: EmergencySignInParts,
  { secrets, user, facts, now }: Attempt,
  lockedUntil: Date | null,
  options: CallOptions,
): Promise<void> {
  const failure = { userId: user.id, tokenId: null, action: 'session.refused', now, lockedUntil } as const
  return noteFailure({ ...parts, secrets }, failure, facts, options)
}

async function logRefusal(
  { log }: EmergencySignInParts,
  { secrets, user, facts, now }: Attempt,
  reasons: readonly string[],
  options: CallOptions,
): Promise<void> {
  const refuses = { action: 'session.refused', outcome: 'denied', reasons, now } as const
  const record = await personEvent(secrets, { userId: user.id, tokenId: null, ...refuses }, facts)
  await log.append(record, options)
}

function refused(): VaultError {
  return new VaultError('bad_credentials', 'Tenant, login, code or one-time code is wrong')
}
