// A person's own passkeys: registered by a browser, named, removed.
import type { Catalog, PasskeyRow } from '@auricle/catalog'
import { type AttemptId, newPasskeyId, type PasskeyId, type TenantId, type UserId } from '@auricle/contract'
import type { Passkey, Passkeys } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { z } from 'zod'
import { authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { openAttempt, readAttempt } from './attempt.ts'
import { attemptOver, authorizeChange, type ChangeParts, type ChangeScope, commitChange } from './change.ts'

const passkeysMost = 20

export interface OwnPasskeyParts extends ChangeParts {
  readonly catalog: ChangeParts['catalog'] &
    Pick<Catalog, 'addAttempt' | 'findAttempt' | 'findCredentialsById' | 'listPasskeys' | 'renamePasskey'>
  readonly passkeys: Pick<Passkeys, 'registrationOptions' | 'verifyRegistration'>
}

export type RegistrationOptions = Awaited<ReturnType<Passkeys['registrationOptions']>>['options']

const Challenge = z.strictObject({ challenge: z.string() })

/** What the browser has to be asked for a new passkey. */
export async function beginPasskey(
  parts: OwnPasskeyParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<{ readonly attempt: AttemptId; readonly options: RegistrationOptions }> {
  const { tenantId, userId } = facts.actor
  const { now, secrets } = await authorizeChange(parts, facts, added(userId), options)
  const known = await parts.catalog.findCredentialsById(tenantId, userId, secrets.columns, options)
  if (known === null) throw new VaultError('unauthenticated', 'The token no longer holds')
  const existing = await parts.catalog.listPasskeys(tenantId, userId, options)
  const asked = await parts.passkeys.registrationOptions({
    user: { id: userId, login: known.user.login, name: known.user.name },
    existing: existing.map(({ credentialId }) => credentialId),
  })
  const { challenge, expiresAt } = asked
  const opened = { kind: 'passkey_registration', userId, data: { challenge }, now, expiresAt } as const
  return { attempt: await openAttempt(parts.catalog, secrets, opened, options), options: asked.options }
}

export interface PasskeyAnswer {
  readonly attempt: AttemptId
  /** As the browser gave it. */
  readonly response: unknown
  readonly name: string
}

/** Throws `malformed` (IdentityError) for a passkey that does not hold, `conflict` where there are too many. */
export async function addPasskey(
  parts: OwnPasskeyParts,
  facts: RequestFacts,
  { attempt: id, response, name, tokens }: PasskeyAnswer & ChangeScope,
  options: CallOptions,
): Promise<PasskeyRow> {
  const { tenantId, userId } = facts.actor
  const passkeyId = newPasskeyId()
  const logged = added(passkeyId)
  const authorized = await authorizeChange(parts, facts, logged, options)
  const { now, secrets } = authorized
  const attempt = { id, kind: 'passkey_registration' } as const
  const asked = await readAttempt(parts.catalog, secrets, { ...attempt, now }, Challenge, options)
  if (asked?.userId !== userId) throw attemptOver()
  const { challenge } = asked.data
  const made = await parts.passkeys.verifyRegistration({ response, challenge })
  const passkey = newPasskeyRow(made, { id: passkeyId, tenantId, userId, name, createdAt: now })
  const change = { type: 'add_passkey', passkey, most: passkeysMost } as const
  await commitChange(parts, facts, authorized, logged, { change, attempt, tokens }, options)
  return passkey
}

/** Throws `not_found`, and `conflict` where without it the person could not sign in. */
export async function removePasskey(
  parts: ChangeParts,
  facts: RequestFacts,
  { id, tokens }: ChangeScope & { readonly id: PasskeyId },
  options: CallOptions,
): Promise<void> {
  const logged = { log: 'factor.removed', object: passkeyObject(id) } as const
  const authorized = await authorizeChange(parts, facts, logged, options)
  const change = { type: 'remove_passkey', passkeyId: id } as const
  await commitChange(parts, facts, authorized, logged, { change, attempt: null, tokens }, options)
}

/** A name opens nothing, so no session ends. Throws `not_found`. */
export async function renamePasskey(
  parts: OwnPasskeyParts,
  facts: RequestFacts,
  { id, name }: { readonly id: PasskeyId; readonly name: string },
  options: CallOptions,
): Promise<void> {
  const { tenantId, userId } = facts.actor
  const asked = { action: 'self.secure', log: 'factor.changed', object: passkeyObject(id) } as const
  const { record } = await authorize(parts, facts, asked, options)
  const event = await record(asked.object, ['renamed'])
  if (await parts.catalog.renamePasskey({ tenantId, userId, id, name }, event, options)) return
  throw new VaultError('not_found', 'There is no such passkey of yours')
}

/** The row of a passkey that a browser has just made. */
export function newPasskeyRow(
  made: Passkey,
  owner: {
    readonly id: PasskeyId
    readonly tenantId: TenantId
    readonly userId: UserId
    readonly name: string
    readonly createdAt: Date
  },
): PasskeyRow {
  const { credentialId, publicKey, signCount, transports, deviceType, backedUp, aaguid } = made
  return {
    ...owner,
    ...{ credentialId, publicKey, signCount, transports, aaguid },
    isMultiDevice: deviceType === 'multiDevice',
    isBackedUp: backedUp,
    usedAt: null,
  }
}

const passkeyObject = (id: PasskeyId | UserId) => ({ type: 'passkey', id, version: null })
/** Before there is a passkey, it is named by whose it will be. */
const added = (id: PasskeyId | UserId) => ({ log: 'factor.added', object: passkeyObject(id) }) as const
