// Step-up by passkey: the person of a session shows one of theirs again.
import type { Catalog } from '@auricle/catalog'
import type { AttemptId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { z } from 'zod'
import { VaultError } from '../error.ts'
import type { EventAppender } from '../log/durable-event.ts'
import type { RequestFacts } from '../request-facts.ts'
import { personEvent } from '../sessions/person-event.ts'
import type { TenantSecretsCache } from '../tenant-secrets.ts'
import { openAttempt, readAttempt } from './attempt.ts'
import { type AssertionOptions, checkAssertion, type PasskeyAnswerParts } from './passkey-answer.ts'

const kind = 'passkey_step_up'
/** The session that asked: what one begins, no other can finish. */
const Asked = z.strictObject({ challenge: z.string(), tokenId: z.string() })

export interface PasskeyStepUpParts extends PasskeyAnswerParts {
  readonly catalog: PasskeyAnswerParts['catalog'] &
    Pick<Catalog, 'addAttempt' | 'findAttempt' | 'listPasskeys' | 'commitPasskeyStepUp'>
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly now?: () => Date
}

/** Throws `conflict` where the person has no passkey. */
export async function beginPasskeyStepUp(
  parts: PasskeyStepUpParts,
  { actor }: RequestFacts,
  options: CallOptions,
): Promise<{ readonly attempt: AttemptId; readonly options: AssertionOptions }> {
  const { tenantId, userId, tokenId } = actor
  const now = parts.now?.() ?? new Date()
  const own = await parts.catalog.listPasskeys(tenantId, userId, options)
  if (own.length === 0) throw new VaultError('conflict', 'There is no passkey: show another factor')
  const secrets = await parts.secrets.get(tenantId, options)
  const allow = own.map(({ credentialId }) => credentialId)
  const asked = await parts.passkeys.assertionOptions({ allow })
  const { challenge, expiresAt } = asked
  const opened = { kind, userId, data: { challenge, tokenId }, now, expiresAt } as const
  return { attempt: await openAttempt(parts.catalog, secrets, opened, options), options: asked.options }
}

/** Throws `bad_credentials` whatever was wrong, and `malformed` (IdentityError) for what no browser sends. */
export async function verifyByPasskey(
  parts: PasskeyStepUpParts,
  facts: RequestFacts,
  { attempt: id, response }: { readonly attempt: AttemptId; readonly response: unknown },
  options: CallOptions,
): Promise<{ readonly verifiedAt: Date }> {
  const { tenantId, userId, tokenId } = facts.actor
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(tenantId, options)
  const event = (outcome: 'allowed' | 'denied', reason: string) => {
    const said = { userId, tokenId, action: 'session.verified', outcome, reasons: [reason], now } as const
    return personEvent(secrets, said, facts)
  }
  const refuse = async (reason: string): Promise<never> => {
    await parts.log.append(await event('denied', reason), options)
    throw new VaultError('bad_credentials', 'The passkey was not accepted')
  }
  const asked = await readAttempt(parts.catalog, secrets, { id, kind, now }, Asked, options)
  if (asked === null || asked.userId !== userId || asked.data.tokenId !== tokenId)
    return refuse('attempt_over')
  const { challenge } = asked.data
  const found = await checkAssertion(parts, { tenantId, challenge, userId }, response, options)
  if (found === null || found.use === null) return refuse('bad_passkey')
  const attempt = { tenantId, id, kind, now }
  const stepUp = { userId, tokenId, attempt, use: found.use, at: now }
  const shown = await event('allowed', 'passkey')
  if (!(await parts.catalog.commitPasskeyStepUp(stepUp, shown, secrets.columns, options)))
    return refuse('overtaken')
  return { verifiedAt: now }
}
