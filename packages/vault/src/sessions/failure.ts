// A wrong password or code of a known person: logged, counted, and after some of them the account waits.

import { newPrivatePart } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import { newAlert, type OnAlert } from '../break-glass/alert.ts'
import { VaultError } from '../error.ts'
import type { EventAppender } from '../log/durable-event.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { type PersonEvent, personEvent } from './person-event.ts'

/** Until when nothing more is tried after that many failures in a row; null while there is more to try. */
export type NextLockout = (failures: { readonly failures: number; readonly now: Date }) => Date | null

export interface FailureParts {
  readonly catalog: Pick<Catalog, 'commitSignInFailure'>
  readonly log: EventAppender
  readonly nextLockout: NextLockout
  /** Told where the account begins to wait. */
  readonly onAlert?: OnAlert
}

type Failure = Pick<PersonEvent, 'userId' | 'tokenId' | 'action' | 'now'> & {
  /** Null where the account does not wait. */
  readonly lockedUntil: Date | null
}

/** Attempts while locked are logged but not counted, or an attacker could lock an account for ever. */
export async function noteFailure(
  { catalog, log, nextLockout, secrets, onAlert }: FailureParts & { readonly secrets: TenantSecrets },
  { lockedUntil, ...failure }: Failure,
  facts: Pick<RequestFacts, 'request' | 'ip' | 'userAgent'>,
  options: CallOptions,
): Promise<void> {
  const { now, userId } = failure
  const reasons = [lockedUntil === null ? 'bad_credentials' : 'locked']
  const record = await personEvent(secrets, { ...failure, outcome: 'denied', reasons }, facts)
  if (lockedUntil !== null) {
    await log.append(record, options)
    return
  }
  const lockout = (failures: number) => nextLockout({ failures, now })
  const tenantId = secrets.tenant.id
  const cause = {
    actor: { type: 'person', userId, tokenId: failure.tokenId },
    request: facts.request,
  } as const
  const part = newPrivatePart({ ip: facts.ip, userAgent: facts.userAgent })
  const subject = { type: 'event', id: record.id }
  const secret = { part, key: secrets.privateParts }
  const raised = await newAlert(tenantId, 'sign_in_locked', subject, cause, secret, now)
  const begins = await catalog.commitSignInFailure({ tenantId, userId, lockout, raised }, record, options)
  if (begins) onAlert?.(raised.alert)
}

/** When the account may be tried again; null for now. */
export const lockedUntilOf = (known: { readonly lockedUntil: Date | null }, now: Date): Date | null =>
  known.lockedUntil !== null && known.lockedUntil > now ? known.lockedUntil : null

export const locked = (until: Date): VaultError =>
  new VaultError('locked', 'Too many failed attempts: wait a little', { retryAt: until })
