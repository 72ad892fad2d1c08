// Local sign-in: password and TOTP, both always checked, every outcome of a known person logged.
import { newPrivatePart } from '@auricle/audit'
import type { Catalog, TokenRow } from '@auricle/catalog'
import { newTokenId, type Session, type SignIn, type TokenId, type UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord, type EventFacts } from './audit-record.ts'
import { VaultError } from './error.ts'
import type { TenantSecrets, TenantSecretsCache } from './tenant-secrets.ts'
import type { IssueToken } from './token.ts'

export const lockAfter = 10
export const lockMs = 15 * 60_000

export interface SignInParts {
  readonly catalog: Pick<
    Catalog,
    'findTenantBySlug' | 'findCredentials' | 'commitSignIn' | 'commitSignInFailure' | 'appendEvents'
  >
  readonly secrets: TenantSecretsCache
  /** Also called for people who do not exist (with null), so that the time it takes tells nothing. */
  readonly verifyPassword: (hash: string | null, password: string) => Promise<boolean>
  /** The time step the code belongs to, later than `lastStep`; null when it is wrong or spent. */
  readonly verifyTotp: (check: {
    secret: string
    code: string
    now: Date
    lastStep: number | null
  }) => number | null
  readonly issueToken: IssueToken
  readonly now?: () => Date
}

export interface SignInFacts {
  readonly request: string
  readonly ip: string | null
  readonly userAgent: string | null
}

/** Throws `bad_credentials` whatever was wrong, and `locked` while an account waits after too many failures. */
export async function signIn(
  parts: SignInParts,
  credentials: SignIn,
  facts: SignInFacts,
  options: CallOptions,
): Promise<Session> {
  const now = parts.now?.() ?? new Date()
  const tenant = await parts.catalog.findTenantBySlug(credentials.tenant, options)
  const secrets = tenant === null ? null : await parts.secrets.get(tenant.id, options)
  const known =
    secrets === null
      ? null
      : await parts.catalog.findCredentials(secrets.tenant.id, credentials.login, secrets.columns, options)
  const passwordRight = await parts.verifyPassword(known?.passwordHash ?? null, credentials.password)
  if (secrets === null || known === null || known.user.disabledAt !== null) throw refused()

  const { user } = known
  const locked = known.lockedUntil !== null && known.lockedUntil > now
  const totpStep =
    known.totpSecret === null
      ? null
      : parts.verifyTotp({
          secret: known.totpSecret,
          code: credentials.code,
          now,
          lastStep: known.totpLastStep,
        })
  if (locked || !passwordRight || totpStep === null) {
    const reason = locked ? 'locked' : 'bad_credentials'
    await logFailure(parts, secrets, user.id, reason, now, facts, options)
    if (locked) throw new VaultError('locked', 'Too many failed attempts: wait a quarter of an hour')
    throw refused()
  }
  const token: TokenRow = {
    id: newTokenId(),
    tenantId: user.tenantId,
    userId: user.id,
    purpose: 'session',
    createdAt: now,
    expiresAt: new Date(now.getTime() + secrets.tenant.access.sessionMs),
    idleMs: secrets.tenant.access.idleMs,
    scopes: null,
    name: null,
    secretHash: null,
    factors: ['pwd', 'otp'],
    verifiedAt: now,
  }
  const opened = await event(
    secrets,
    user.id,
    token.id,
    'session.opened',
    'allowed',
    'password_and_totp',
    facts,
    now,
  )
  const first = await parts.catalog.commitSignIn({ token, totpStep }, opened, options)
  // The code was used by another sign-in in between.
  if (!first) throw refused()
  return {
    token: await parts.issueToken(token),
    tokenType: 'Bearer',
    expiresAt: token.expiresAt.toISOString(),
    user: { id: user.id, login: user.login, name: user.name },
  }
}

function refused(): VaultError {
  return new VaultError('bad_credentials', 'Tenant, login, password or code is wrong')
}

async function logFailure(
  parts: SignInParts,
  secrets: TenantSecrets,
  userId: UserId,
  reason: 'locked' | 'bad_credentials',
  now: Date,
  facts: SignInFacts,
  options: CallOptions,
): Promise<void> {
  const record = await event(secrets, userId, null, 'session.refused', 'denied', reason, facts, now)
  // Attempts while locked are logged but not counted, or an attacker could lock an account for ever.
  if (reason === 'locked') return parts.catalog.appendEvents([record], options)
  const lockedUntil = new Date(now.getTime() + lockMs)
  const failure = { tenantId: secrets.tenant.id, userId, lockAfter, lockedUntil }
  return parts.catalog.commitSignInFailure(failure, record, options)
}

function event(
  secrets: TenantSecrets,
  userId: UserId,
  tokenId: TokenId | null,
  action: EventFacts['action'],
  outcome: EventFacts['outcome'],
  reason: string,
  { request, ip, userAgent }: SignInFacts,
  now: Date,
) {
  const object = tokenId === null ? null : { type: 'token', id: tokenId, version: null }
  const actor = { type: 'person' as const, userId, tokenId }
  const part = newPrivatePart({ ip, userAgent })
  return auditRecord(
    { tenantId: secrets.tenant.id, action, outcome, actor, object, reasons: [reason], request },
    { part, key: secrets.privateParts },
    now,
  )
}
