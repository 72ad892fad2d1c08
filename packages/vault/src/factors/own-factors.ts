// What a person signs in with: shown, and replaced once the new one is proved.
import type { Catalog, OwnFactors, PasskeyRow } from '@auricle/catalog'
import type { AttemptId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { z } from 'zod'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { type FailureParts, locked, lockedUntilOf, noteFailure } from '../sessions/failure.ts'
import type { SignInParts } from '../sign-in.ts'
import { attemptMs, openAttempt, readAttempt } from './attempt.ts'
import { attemptOver, authorizeChange, type ChangeParts, type ChangeScope, commitChange } from './change.ts'

export interface NewTotp {
  readonly secret: string
  readonly uri: string
}

export interface OwnFactorParts extends ChangeParts, FailureParts {
  readonly catalog: ChangeParts['catalog'] &
    FailureParts['catalog'] &
    Pick<Catalog, 'findOwnFactors' | 'listPasskeys' | 'addAttempt' | 'findAttempt' | 'findCredentialsById'>
  readonly verifyTotp: SignInParts['verifyTotp']
  readonly verifyPassword: SignInParts['verifyPassword']
  /** Throws `weak_password` (IdentityError). */
  readonly hashPassword: (password: string, login: string) => Promise<string>
  readonly newTotp: (names: { issuer: string; account: string }) => NewTotp
  readonly newRecoveryCodes: () => readonly string[]
  readonly recoveryCodeHash: (code: string) => Uint8Array
}

export interface ShownFactors extends OwnFactors {
  readonly passkeys: readonly PasskeyRow[]
}

export async function showFactors(
  { catalog }: Pick<OwnFactorParts, 'catalog'>,
  { actor: { tenantId, userId } }: RequestFacts,
  options: CallOptions,
): Promise<ShownFactors> {
  const factors = await catalog.findOwnFactors(tenantId, userId, options)
  if (factors === null) throw new VaultError('unauthenticated', 'The token no longer holds')
  return { ...factors, passkeys: await catalog.listPasskeys(tenantId, userId, options) }
}

/** Ten new codes in the place of those before; they are shown once. Throws `conflict` where there is no password. */
export async function replaceRecoveryCodes(
  parts: OwnFactorParts,
  facts: RequestFacts,
  { tokens }: ChangeScope,
  options: CallOptions,
): Promise<readonly string[]> {
  const logged = changed('recovery_codes', facts)
  const authorized = await authorizeChange(parts, facts, logged, options)
  const { tenantId, userId } = facts.actor
  const own = await parts.catalog.findOwnFactors(tenantId, userId, options)
  if (own?.hasPassword !== true)
    throw new VaultError('conflict', 'Recovery codes stand beside a password, and you have none')
  const codes = parts.newRecoveryCodes()
  const hashes = codes.map(code => parts.recoveryCodeHash(code))
  const change = { type: 'replace_recovery_codes', hashes } as const
  await commitChange(parts, facts, authorized, logged, { change, attempt: null, tokens }, options)
  return codes
}

const Enrolment = z.strictObject({ secret: z.string() })

/** A new secret for an authenticator app, which counts once a code has proved it. */
export async function beginTotp(
  parts: OwnFactorParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<NewTotp & { readonly attempt: AttemptId }> {
  const { tenantId, userId } = facts.actor
  const { now, secrets } = await authorizeChange(parts, facts, changed('totp', facts), options)
  const known = await parts.catalog.findCredentialsById(tenantId, userId, secrets.columns, options)
  if (known === null) throw new VaultError('unauthenticated', 'The token no longer holds')
  const totp = parts.newTotp({ issuer: `Auricle ${secrets.tenant.slug}`, account: known.user.login })
  const expiresAt = new Date(now.getTime() + attemptMs)
  const opened = { kind: 'totp_enrolment', userId, data: { secret: totp.secret }, now, expiresAt } as const
  return { ...totp, attempt: await openAttempt(parts.catalog, secrets, opened, options) }
}

/** Throws `bad_credentials` for a wrong code: the app that was there before goes on, and the attempt too. */
export async function replaceTotp(
  parts: OwnFactorParts,
  facts: RequestFacts,
  { attempt: id, code, tokens }: ChangeScope & { readonly attempt: AttemptId; readonly code: string },
  options: CallOptions,
): Promise<void> {
  const logged = changed('totp', facts)
  const authorized = await authorizeChange(parts, facts, logged, options)
  const { now, secrets } = authorized
  const attempt = { id, kind: 'totp_enrolment' } as const
  const asked = await readAttempt(parts.catalog, secrets, { ...attempt, now }, Enrolment, options)
  if (asked?.userId !== facts.actor.userId) throw attemptOver()
  const { secret } = asked.data
  const step = parts.verifyTotp({ secret, code, now, lastStep: null })
  if (step === null) throw new VaultError('bad_credentials', 'The code is not one of the new secret')
  const change = { type: 'replace_totp', secret, step } as const
  await commitChange(parts, facts, authorized, logged, { change, attempt, tokens }, options)
}

/**
 * A wrong `current` counts towards the lockout, as at sign-in. Throws `bad_credentials`, `locked`, `conflict` where there
 * is no password, and `weak_password` (IdentityError) for the new one.
 */
export async function changePassword(
  parts: OwnFactorParts,
  facts: RequestFacts,
  { current, next, tokens }: ChangeScope & { readonly current: string; readonly next: string },
  options: CallOptions,
): Promise<void> {
  const logged = changed('password', facts)
  const authorized = await authorizeChange(parts, facts, logged, options)
  const { now, secrets } = authorized
  const { tenantId, userId, tokenId } = facts.actor
  const known = await parts.catalog.findCredentialsById(tenantId, userId, secrets.columns, options)
  const from = known?.passwordHash ?? null
  if (known === null || from === null) throw new VaultError('conflict', 'You have no password to change')
  const isRight = await parts.verifyPassword(from, current)
  const lockedUntil = lockedUntilOf(known, now)
  if (lockedUntil !== null || !isRight) {
    const failure = { userId, tokenId, action: 'factor.changed', now, lockedUntil } as const
    await noteFailure({ ...parts, secrets }, failure, facts, options)
    throw lockedUntil === null ? wrongPassword() : locked(lockedUntil)
  }
  const hash = await parts.hashPassword(next, known.user.login)
  const change = { type: 'replace_password', from, hash } as const
  await commitChange(parts, facts, authorized, logged, { change, attempt: null, tokens }, options)
}

const wrongPassword = () => new VaultError('bad_credentials', 'The current password is wrong')

/** What a person has one of is named by whose it is. */
function changed(type: string, { actor }: RequestFacts) {
  return { log: 'factor.changed', object: { type, id: actor.userId, version: null } } as const
}
