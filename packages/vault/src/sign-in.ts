// Local sign-in: password and TOTP, both always checked, every outcome of a known person logged.
import type { Catalog } from '@auricle/catalog'
import type { Session, SignIn } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from './error.ts'
import { locked, lockedUntilOf, type NextLockout, noteFailure } from './sessions/failure.ts'
import { newSession } from './sessions/new-session.ts'
import { personEvent } from './sessions/person-event.ts'
import type { TenantSecretsCache } from './tenant-secrets.ts'
import type { IssueToken } from './token.ts'

export interface SignInParts {
  readonly catalog: Pick<
    Catalog,
    | 'findTenantBySlug'
    | 'findCredentials'
    | 'commitSignIn'
    | 'commitSignInFailure'
    | 'appendEvents'
    | 'sealOrigin'
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
  readonly nextLockout: NextLockout
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
  if (secrets === null || known === null) throw refused()

  const { user } = known
  const fail = (lockedUntil: Date | null) => {
    const failure = { userId: user.id, tokenId: null, action: 'session.refused', now, lockedUntil } as const
    return noteFailure({ ...parts, secrets }, failure, facts, options)
  }
  if (user.disabledAt !== null) {
    const refuses = { action: 'session.refused', outcome: 'denied', reasons: ['disabled'], now } as const
    const record = await personEvent(secrets, { userId: user.id, tokenId: null, ...refuses }, facts)
    await parts.catalog.appendEvents([record], options)
    throw refused()
  }
  const lockedUntil = lockedUntilOf(known, now)
  const totpStep =
    known.totpSecret === null
      ? null
      : parts.verifyTotp({
          secret: known.totpSecret,
          code: credentials.code,
          now,
          lastStep: known.totpLastStep,
        })
  if (lockedUntil !== null || !passwordRight || totpStep === null) {
    await fail(lockedUntil)
    throw lockedUntil === null ? refused() : locked(lockedUntil)
  }
  const begins = { factors: ['pwd', 'otp'], verifiedAt: now, now } as const
  const token = newSession({ ...parts, secrets }, user, begins, facts)
  const opens = { action: 'session.opened', outcome: 'allowed', reasons: ['password_and_totp'], now } as const
  const opened = await personEvent(secrets, { userId: user.id, tokenId: token.id, ...opens }, facts)
  const first = await parts.catalog.commitSignIn({ token, totpStep }, opened, options)
  // The code was used by another sign-in in between.
  if (!first) {
    await fail(null)
    throw refused()
  }
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
