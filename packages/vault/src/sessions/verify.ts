// Step-up: the person of a session shows a second factor again, and what is dangerous is open to them for a few minutes.
import type { Catalog } from '@auricle/catalog'
import type { Factor } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { SignInParts } from '../sign-in.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import { type FailureParts, locked, lockedUntilOf, noteFailure } from './failure.ts'
import { personEvent } from './person-event.ts'

interface MarkParts {
  readonly catalog: Pick<Catalog, 'commitVerification'>
  readonly secrets: TenantSecretsCache
}

export interface VerifySessionParts extends MarkParts, FailureParts {
  readonly catalog: MarkParts['catalog'] & FailureParts['catalog'] & Pick<Catalog, 'findCredentialsById'>
  readonly verifyTotp: SignInParts['verifyTotp']
  readonly now?: () => Date
}

/**
 * By a code of the authenticator app, which is spent as at sign-in; wrong ones count towards the lockout. Throws
 * `bad_credentials`, `locked`, and `conflict` where the person has no authenticator app.
 */
export async function verifySession(
  parts: VerifySessionParts,
  facts: RequestFacts,
  code: string,
  options: CallOptions,
): Promise<{ readonly verifiedAt: Date }> {
  const now = parts.now?.() ?? new Date()
  const { tenantId, userId, tokenId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const known = await parts.catalog.findCredentialsById(tenantId, userId, secrets.columns, options)
  if (known === null || known.totpSecret === null)
    throw new VaultError('conflict', 'There is no authenticator app: show another factor')
  const lockedUntil = lockedUntilOf(known, now)
  const totpStep = parts.verifyTotp({ secret: known.totpSecret, code, now, lastStep: known.totpLastStep })
  if (lockedUntil !== null || totpStep === null) {
    const failure = { userId, tokenId, action: 'session.verified', now, lockedUntil } as const
    await noteFailure({ ...parts, secrets }, failure, facts, options)
    throw lockedUntil === null ? refused() : locked(lockedUntil)
  }
  // The code was used by another request in between.
  if (!(await mark(parts, facts, ['otp'], now, totpStep, options))) throw refused()
  return { verifiedAt: now }
}

/**
 * Notes that a factor was shown again which somebody else has checked: a passkey, a sign-in at the provider. Throws
 * `unauthenticated` where the session holds no longer.
 */
export async function markVerified(
  parts: MarkParts,
  facts: RequestFacts,
  factors: readonly Factor[],
  at: Date,
  options: CallOptions,
): Promise<void> {
  if (await mark(parts, facts, factors, at, null, options)) return
  throw new VaultError('unauthenticated', 'The token no longer holds')
}

async function mark(
  parts: MarkParts,
  facts: RequestFacts,
  factors: readonly Factor[],
  at: Date,
  totpStep: number | null,
  options: CallOptions,
): Promise<boolean> {
  const { tenantId, userId, tokenId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const verified = { action: 'session.verified', outcome: 'allowed', reasons: [...factors], now: at } as const
  const event = await personEvent(secrets, { userId, tokenId, ...verified }, facts)
  const verification = { tenantId, userId, tokenId, factors, at, totpStep }
  return parts.catalog.commitVerification(verification, event, options)
}

const refused = () => new VaultError('bad_credentials', 'The code is wrong, or was used before')
