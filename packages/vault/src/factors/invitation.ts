// Accepting an invitation: somebody chooses what they sign in with, proves it, and is in.
//
// Password and authenticator app with recovery codes, or a passkey alone. What was chosen waits in an attempt; the last step spends that and
// the invitation, makes the factors and opens the session, all in one transaction.
import type { Catalog, FirstFactors, OpenInvitation } from '@auricle/catalog'
import { type AttemptId, InvitationId, newPasskeyId, type Session } from '@auricle/contract'
import type { Passkeys } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { z } from 'zod'
import { VaultError } from '../error.ts'
import { newSession } from '../sessions/new-session.ts'
import { personEvent } from '../sessions/person-event.ts'
import { sessionAnswer } from '../sessions/session-answer.ts'
import type { SignInFacts } from '../sign-in.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import type { IssueToken } from '../token.ts'
import { attemptMs, openAttempt, readAttempt } from './attempt.ts'
import { attemptOver } from './change.ts'
import type { NewTotp, OwnFactorParts } from './own-factors.ts'
import { newPasskeyRow, type RegistrationOptions } from './own-passkeys.ts'

const kind = 'invitation'
const who = { invitationId: InvitationId, login: z.string(), name: z.string() }
const Chosen = z.discriminatedUnion('type', [
  z.strictObject({ ...who, type: z.literal('password'), passwordHash: z.string(), totpSecret: z.string() }),
  z.strictObject({ ...who, type: z.literal('passkey'), challenge: z.string() }),
])

export interface InvitationParts
  extends Pick<
    OwnFactorParts,
    'verifyTotp' | 'hashPassword' | 'newTotp' | 'newRecoveryCodes' | 'recoveryCodeHash'
  > {
  readonly catalog: Pick<
    Catalog,
    | 'findInvitation'
    | 'acceptInvitation'
    | 'addAttempt'
    | 'findAttempt'
    | 'tenantOfAttempt'
    | 'listPasskeys'
    | 'sealOrigin'
  >
  readonly secrets: TenantSecretsCache
  readonly passkeys: Pick<Passkeys, 'registrationOptions' | 'verifyRegistration'>
  /** Null where the text cannot be an invitation. */
  readonly parseInvitation: (text: string) => { readonly hash: Uint8Array } | null
  readonly issueToken: IssueToken
  readonly now?: () => Date
}

export interface ShownInvitation {
  readonly tenant: { readonly slug: string; readonly name: string }
  readonly login: string
  readonly name: string
  readonly expiresAt: Date
}

/** What it is for. Throws `not_found` for one that never was, was used or withdrawn, or is over: it is not said which. */
export async function lookAtInvitation(
  parts: Pick<InvitationParts, 'catalog' | 'secrets' | 'parseInvitation'>,
  text: string,
  options: CallOptions,
): Promise<ShownInvitation> {
  const { tenantId, login, name, expiresAt } = await find(parts, text, options)
  const { tenant } = await parts.secrets.get(tenantId, options)
  return { tenant: { slug: tenant.slug, name: tenant.name }, login, name, expiresAt }
}

async function find(
  { catalog, parseInvitation }: Pick<InvitationParts, 'catalog' | 'parseInvitation'>,
  text: string,
  options: CallOptions,
): Promise<OpenInvitation> {
  const parsed = parseInvitation(text)
  const found = parsed === null ? null : await catalog.findInvitation(parsed.hash, options)
  if (found === null) throw new VaultError('not_found', 'This invitation does not hold (any more)')
  return found
}

export type Begun =
  | ({ readonly type: 'password'; readonly attempt: AttemptId } & NewTotp)
  | { readonly type: 'passkey'; readonly attempt: AttemptId; readonly options: RegistrationOptions }

/** Throws `not_found` as `lookAtInvitation`, and `weak_password` (IdentityError). `password` is null for a passkey. */
export async function beginAcceptance(
  parts: InvitationParts,
  { invitation, password }: { readonly invitation: string; readonly password: string | null },
  options: CallOptions,
): Promise<Begun> {
  const now = parts.now?.() ?? new Date()
  const { id: invitationId, tenantId, userId, login, name } = await find(parts, invitation, options)
  const secrets = await parts.secrets.get(tenantId, options)
  const open = (data: z.input<typeof Chosen>, expiresAt: Date) =>
    openAttempt(parts.catalog, secrets, { kind, userId, data, now, expiresAt }, options)
  if (password === null) {
    const existing = await parts.catalog.listPasskeys(tenantId, userId, options)
    const asked = await parts.passkeys.registrationOptions({
      user: { id: userId, login, name },
      existing: existing.map(({ credentialId }) => credentialId),
    })
    const { challenge, expiresAt } = asked
    const attempt = await open({ type: 'passkey', invitationId, login, name, challenge }, expiresAt)
    return { type: 'passkey', attempt, options: asked.options }
  }
  const passwordHash = await parts.hashPassword(password, login)
  const totp = parts.newTotp({ issuer: `Auricle ${secrets.tenant.slug}`, account: login })
  const expiresAt = new Date(now.getTime() + attemptMs)
  const chosen = { type: 'password', invitationId, login, name, passwordHash } as const
  const attempt = await open({ ...chosen, totpSecret: totp.secret }, expiresAt)
  return { type: 'password', attempt, ...totp }
}

export type AcceptanceAnswer =
  | { readonly attempt: AttemptId; readonly code: string }
  | { readonly attempt: AttemptId; readonly response: unknown; readonly name: string }

/**
 * The recovery codes are shown once. Throws `bad_credentials` for a wrong code and for an attempt or invitation that is
 * over, and `malformed` (IdentityError) for a passkey that does not hold; whoever can still answer may do so.
 */
export async function completeAcceptance(
  parts: InvitationParts,
  answer: AcceptanceAnswer,
  facts: SignInFacts,
  options: CallOptions,
): Promise<{ readonly session: Session; readonly recoveryCodes: readonly string[] }> {
  const now = parts.now?.() ?? new Date()
  const id = answer.attempt
  const tenantId = await parts.catalog.tenantOfAttempt(id, options)
  if (tenantId === null) throw attemptOver()
  const secrets = await parts.secrets.get(tenantId, options)
  const asked = await readAttempt(parts.catalog, secrets, { id, kind, now }, Chosen, options)
  if (asked === null || asked.userId === null) throw attemptOver()
  const { invitationId, login, name } = asked.data
  const user = { id: asked.userId, tenantId, login, name }
  const factors = await proved(parts, asked.data, answer, { user, now })
  const begins = {
    factors: factors.type === 'passkey' ? (['passkey'] as const) : (['pwd', 'otp'] as const),
    ...{ verifiedAt: now, now },
  }
  const token = newSession({ catalog: parts.catalog, secrets }, user, begins, facts)
  const by = { userId: user.id, tokenId: token.id, outcome: 'allowed', now } as const
  const object = { type: 'user', id: user.id, version: null }
  const joined = { ...by, action: 'user.joined', reasons: [factors.type], object } as const
  const opened = { ...by, action: 'session.opened', reasons: ['invitation', factors.type] } as const
  // They stand beside a password, and are of no use without one.
  const recoveryCodes = factors.type === 'passkey' ? [] : parts.newRecoveryCodes()
  const acceptance = {
    ...{ invitationId, factors, token, attempt: { tenantId, id, kind, now } },
    recoveryCodeHashes: recoveryCodes.map(code => parts.recoveryCodeHash(code)),
  }
  const events = [await personEvent(secrets, joined, facts), await personEvent(secrets, opened, facts)]
  const isFirst = await parts.catalog.acceptInvitation(acceptance, events, secrets.columns, options)
  if (!isFirst) throw attemptOver()
  return { session: await sessionAnswer(parts, token, user), recoveryCodes }
}

interface Newcomer {
  readonly user: Pick<OpenInvitation, 'tenantId'> & { readonly id: OpenInvitation['userId'] }
  readonly now: Date
}

async function proved(
  parts: InvitationParts,
  chosen: z.output<typeof Chosen>,
  answer: AcceptanceAnswer,
  { user, now }: Newcomer,
): Promise<FirstFactors> {
  if (chosen.type === 'passkey') {
    if (!('response' in answer)) throw new VaultError('bad_credentials', 'Answer with the passkey')
    const { response, name } = answer
    const made = await parts.passkeys.verifyRegistration({ response, challenge: chosen.challenge })
    const { tenantId, id: userId } = user
    const passkey = newPasskeyRow(made, { id: newPasskeyId(), tenantId, userId, name, createdAt: now })
    return { type: 'passkey', passkey }
  }
  if (!('code' in answer)) throw new VaultError('bad_credentials', 'Answer with the code')
  const { passwordHash, totpSecret } = chosen
  const totpStep = parts.verifyTotp({ secret: totpSecret, code: answer.code, now, lastStep: null })
  if (totpStep === null) throw new VaultError('bad_credentials', 'The code is not one of the new secret')
  return { type: 'password_and_totp', passwordHash, totpSecret, totpStep }
}
