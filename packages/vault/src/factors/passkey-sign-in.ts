// Sign-in by passkey, which is two factors in one: whose it is, the passkey itself says.
//
// What is asked is the same for everybody, also for a login that nobody has: no passkey is named, so none is told of.
import type { Catalog } from '@auricle/catalog'
import { type AttemptId, newAttemptId, type Session } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { z } from 'zod'
import { VaultError } from '../error.ts'
import type { EventAppender } from '../log/durable-event.ts'
import { newSession } from '../sessions/new-session.ts'
import { personEvent } from '../sessions/person-event.ts'
import { sessionAnswer } from '../sessions/session-answer.ts'
import type { SignInFacts } from '../sign-in.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import type { IssueToken } from '../token.ts'
import { openAttempt, readAttempt } from './attempt.ts'
import { type AssertionOptions, checkAssertion, type PasskeyAnswerParts } from './passkey-answer.ts'

const kind = 'passkey_sign_in'
const Asked = z.strictObject({ challenge: z.string(), login: z.string().nullable() })

export interface PasskeySignInParts extends PasskeyAnswerParts {
  readonly catalog: PasskeyAnswerParts['catalog'] &
    Pick<
      Catalog,
      | 'findTenantBySlug'
      | 'addAttempt'
      | 'findAttempt'
      | 'tenantOfAttempt'
      | 'commitPasskeySignIn'
      | 'sealOrigin'
    >
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly issueToken: IssueToken
  readonly now?: () => Date
}

/** `login`: only a passkey of this person will do. For a tenant that is not there, an attempt that nobody can finish. */
export async function beginPasskeySignIn(
  parts: PasskeySignInParts,
  asked: { readonly tenant: string; readonly login: string | null },
  options: CallOptions,
): Promise<{ readonly attempt: AttemptId; readonly options: AssertionOptions }> {
  const now = parts.now?.() ?? new Date()
  const { options: shown, challenge, expiresAt } = await parts.passkeys.assertionOptions()
  const tenant = await parts.catalog.findTenantBySlug(asked.tenant, options)
  if (tenant === null) return { attempt: newAttemptId(), options: shown }
  const secrets = await parts.secrets.get(tenant.id, options)
  const data = { challenge, login: asked.login }
  const opened = { kind, userId: null, data, now, expiresAt } as const
  return { attempt: await openAttempt(parts.catalog, secrets, opened, options), options: shown }
}

/** Throws `bad_credentials` whatever was wrong, and `malformed` (IdentityError) for what no browser sends. */
export async function signInByPasskey(
  parts: PasskeySignInParts,
  { attempt: id, response }: { readonly attempt: AttemptId; readonly response: unknown },
  facts: SignInFacts,
  options: CallOptions,
): Promise<Session> {
  const now = parts.now?.() ?? new Date()
  // Before anything is looked up: what is malformed is so for everybody.
  parts.credentialIdOf(response)
  const tenantId = await parts.catalog.tenantOfAttempt(id, options)
  if (tenantId === null) throw refused()
  const secrets = await parts.secrets.get(tenantId, options)
  const asked = await readAttempt(parts.catalog, secrets, { id, kind, now }, Asked, options)
  if (asked === null) throw refused()
  const { challenge, login } = asked.data
  const found = await checkAssertion(parts, { tenantId, challenge, userId: null }, response, options)
  if (found === null || found.user.disabledAt !== null) throw refused()
  const { user, use } = found
  const refuse = async (reason: string): Promise<never> => {
    const refusal = {
      userId: user.id,
      tokenId: null,
      action: 'session.refused',
      outcome: 'denied',
      now,
    } as const
    const record = await personEvent(secrets, { ...refusal, reasons: [reason] }, facts)
    await parts.log.append(record, options)
    throw refused()
  }
  if (use === null) return refuse('bad_passkey')
  if (login !== null && login !== user.login) return refuse('other_person')
  const begins = { factors: ['passkey'], verifiedAt: now, now } as const
  const token = newSession({ catalog: parts.catalog, secrets }, user, begins, facts)
  const opens = { action: 'session.opened', outcome: 'allowed', reasons: ['passkey'], now } as const
  const opened = await personEvent(secrets, { userId: user.id, tokenId: token.id, ...opens }, facts)
  const attempt = { tenantId, id, kind, now }
  const isFirst = await parts.catalog.commitPasskeySignIn(
    { token, attempt, use },
    opened,
    secrets.columns,
    options,
  )
  // The answer was used by another request in between, or a copy of the passkey has signed.
  if (!isFirst) return refuse('overtaken')
  return sessionAnswer(parts, token, user)
}

const refused = () => new VaultError('bad_credentials', 'The passkey was not accepted')
