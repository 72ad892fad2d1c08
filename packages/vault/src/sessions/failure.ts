// A wrong password or code of a known person: logged, counted, and after some of them the account waits.
import type { Catalog } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { type PersonEvent, personEvent } from './person-event.ts'

/** Until when nothing more is tried after that many failures in a row; null while there is more to try. */
export type NextLockout = (failures: { readonly failures: number; readonly now: Date }) => Date | null

export interface FailureParts {
  readonly catalog: Pick<Catalog, 'commitSignInFailure' | 'appendEvents'>
  readonly nextLockout: NextLockout
}

type Failure = Pick<PersonEvent, 'userId' | 'tokenId' | 'action' | 'now'> & {
  /** Null where the account does not wait. */
  readonly lockedUntil: Date | null
}

/** Attempts while locked are logged but not counted, or an attacker could lock an account for ever. */
export async function noteFailure(
  { catalog, nextLockout, secrets }: FailureParts & { readonly secrets: TenantSecrets },
  { lockedUntil, ...failure }: Failure,
  facts: Pick<RequestFacts, 'request' | 'ip' | 'userAgent'>,
  options: CallOptions,
): Promise<void> {
  const { now, userId } = failure
  const reasons = [lockedUntil === null ? 'bad_credentials' : 'locked']
  const record = await personEvent(secrets, { ...failure, outcome: 'denied', reasons }, facts)
  if (lockedUntil !== null) return catalog.appendEvents([record], options)
  const lockout = (failures: number) => nextLockout({ failures, now })
  return catalog.commitSignInFailure({ tenantId: secrets.tenant.id, userId, lockout }, record, options)
}

/** When the account may be tried again; null for now. */
export const lockedUntilOf = (known: { readonly lockedUntil: Date | null }, now: Date): Date | null =>
  known.lockedUntil !== null && known.lockedUntil > now ? known.lockedUntil : null

export const locked = (until: Date): VaultError =>
  new VaultError('locked', 'Too many failed attempts: wait a little', { retryAt: until })
