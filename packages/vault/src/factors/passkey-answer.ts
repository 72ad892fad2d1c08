// Whether a browser's answer with a passkey holds, and whose it is: for signing in, and for showing a factor again.
import type { Catalog, PasskeyRow, UserRow } from '@auricle/catalog'
import type { TenantId, UserId } from '@auricle/contract'
import type { Passkeys } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import { isError } from '../error.ts'

export interface PasskeyAnswerParts {
  readonly catalog: Pick<Catalog, 'findPasskey'>
  readonly passkeys: Pick<Passkeys, 'assertionOptions' | 'verifyAssertion'>
  /** Which passkey an answer claims to be of. Throws `malformed` (IdentityError). */
  readonly credentialIdOf: (response: unknown) => string
}

export type AssertionOptions = Awaited<ReturnType<Passkeys['assertionOptions']>>['options']

export interface Asserted {
  readonly user: UserRow
  /** What has to be kept of the passkey from now on; null where the answer does not hold. */
  readonly use: Pick<PasskeyRow, 'id' | 'signCount' | 'isBackedUp'> | null
}

/**
 * Null where the tenant has no such passkey, or it is not that of `userId`. Throws `malformed` (IdentityError) for what no
 * browser sends.
 */
export async function checkAssertion(
  { catalog, passkeys, credentialIdOf }: PasskeyAnswerParts,
  asked: { readonly tenantId: TenantId; readonly challenge: string; readonly userId: UserId | null },
  response: unknown,
  options: CallOptions,
): Promise<Asserted | null> {
  const found = await catalog.findPasskey(asked.tenantId, credentialIdOf(response), options)
  if (found === null || (asked.userId !== null && found.user.id !== asked.userId)) return null
  const { passkey, user } = found
  const { credentialId, publicKey, signCount, isMultiDevice } = passkey
  const deviceType = isMultiDevice ? 'multiDevice' : 'singleDevice'
  const held = { credentialId, publicKey, signCount, deviceType } as const
  try {
    const { challenge } = asked
    const said = await passkeys.verifyAssertion({ response, challenge, passkey: held, userId: user.id })
    return { user, use: { id: passkey.id, signCount: said.signCount, isBackedUp: said.backedUp } }
  } catch (error) {
    if (!isError(error, 'IdentityError', 'bad_credentials')) throw error
    return { user, use: null }
  }
}
