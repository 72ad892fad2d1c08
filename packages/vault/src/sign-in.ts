// Local sign-in: password and one-time or recovery code, both always checked, every outcome of a known person logged.
import type { Catalog, UserCredentials } from '@auricle/catalog'
import type { Session, SignIn } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from './error.ts'
import type { EventAppender } from './log/durable-event.ts'
import { locked, lockedUntilOf, type NextLockout, noteFailure } from './sessions/failure.ts'
import { newSession } from './sessions/new-session.ts'
import { personEvent } from './sessions/person-event.ts'
import { sessionAnswer } from './sessions/session-answer.ts'
import type { TenantSecretsCache } from './tenant-secrets.ts'
import type { IssueToken } from './token.ts'

export interface SignInParts {
  readonly catalog: Pick<
    Catalog,
    | 'findTenantBySlug'
    | 'findCredentials'
    | 'commitSignIn'
    | 'commitRecoverySignIn'
    | 'commitSignInFailure'
    | 'sealOrigin'
  >
  readonly log: EventAppender
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
  /** Null for what cannot be a recovery code. */
  readonly hashRecoveryCode: (typed: string) => Uint8Array | null
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
  const lockedUntil = lockedUntilOf(known, now)
  const refuse = async (): Promise<never> => {
    const failure = { userId: user.id, tokenId: null, action: 'session.refused', now, lockedUntil } as const
    await noteFailure({ ...parts, secrets }, failure, facts, options)
    throw lockedUntil === null ? refused() : locked(lockedUntil)
  }
  const proof = proofOf(parts, credentials, known, now)
  const { passwordHash } = known
  if (lockedUntil !== null || !passwordRight || passwordHash === null || proof === null) return refuse()
  const factor = proof.type === 'totp' ? 'otp' : 'recovery_code'
  const begins = { factors: ['pwd', factor], verifiedAt: now, now } as const
  const token = newSession({ ...parts, secrets }, user, begins, facts)
  const by = { userId: user.id, tokenId: token.id, outcome: 'allowed', now } as const
  const opens = { ...by, action: 'session.opened', reasons: [`password_and_${proof.type}`] } as const
  const opened = await personEvent(secrets, opens, facts)
  if (proof.type === 'totp') {
    const first = await parts.catalog.commitSignIn(
      { token, totpStep: proof.step, passwordHash },
      opened,
      options,
    )
    // The code was used by another sign-in in between, or the factors changed.
    if (!first) throw refused()
    return sessionAnswer(parts, token, user)
  }
  const object = { type: 'recovery_codes', id: user.id, version: null }
  const uses = { ...by, action: 'factor.used', reasons: ['recovery_code'], object } as const
  const events = [await personEvent(secrets, uses, facts), opened]
  const left = await parts.catalog.commitRecoverySignIn(
    { token, codeHash: proof.hash, passwordHash },
    events,
    options,
  )
  if (left === null) return refuse()
  return { ...(await sessionAnswer(parts, token, user)), recoveryCodesLeft: left }
}

/** What was shown beside the password. Whether a recovery code is one of the person's is seen when it is spent. */
type Proof =
  | { readonly type: 'totp'; readonly step: number }
  | { readonly type: 'recovery_code'; readonly hash: Uint8Array }

function proofOf(
  { verifyTotp, hashRecoveryCode }: Pick<SignInParts, 'verifyTotp' | 'hashRecoveryCode'>,
  { code, recoveryCode }: Pick<SignIn, 'code' | 'recoveryCode'>,
  { totpSecret: secret, totpLastStep: lastStep }: Pick<UserCredentials, 'totpSecret' | 'totpLastStep'>,
  now: Date,
): Proof | null {
  if (recoveryCode !== undefined) {
    const hash = hashRecoveryCode(recoveryCode)
    return hash === null ? null : { type: 'recovery_code', hash }
  }
  if (secret === null || code === undefined) return null
  const step = verifyTotp({ secret, code, now, lastStep })
  return step === null ? null : { type: 'totp', step }
}

function refused(): VaultError {
  return new VaultError('bad_credentials', 'Tenant, login, password or code is wrong')
}
