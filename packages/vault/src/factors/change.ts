// A change of somebody's own factors: decided, logged and committed as one, and their other sessions end with it.
//
// Whoever changes a factor may have lost the old one to somebody else, who must not stay signed in.
import type { Catalog, FactorChange, FactorOutcome } from '@auricle/catalog'
import type { AttemptId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { EventFacts } from '../audit-record.ts'
import { type Authorized, type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { personEvent } from '../sessions/person-event.ts'
import type { AttemptKind } from './attempt.ts'

export interface ChangeParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'commitFactorChange'>
}

/** What a change does besides. */
export interface ChangeScope {
  /** Whether the tokens that programs have of this person end too. */
  readonly tokens: boolean
}

/** How the log names what changes. */
export interface LoggedChange {
  readonly log: Extract<EventFacts['action'], `factor.${string}`>
  readonly object: NonNullable<EventFacts['object']>
  readonly reasons?: readonly string[]
}

/** Throws `denied`, `step_up_required`. */
export function authorizeChange(
  parts: AuthorizeParts,
  facts: RequestFacts,
  { log, object }: LoggedChange,
  options: CallOptions,
): Promise<Authorized> {
  return authorize(parts, facts, { action: 'self.secure', log, object }, options)
}

/** Throws `conflict`, `not_found`, and `bad_credentials` for an attempt that is over. */
export async function commitChange(
  { catalog }: ChangeParts,
  facts: RequestFacts,
  authorized: Authorized,
  logged: LoggedChange,
  wanted: ChangeScope & {
    readonly change: FactorChange
    readonly attempt: { readonly id: AttemptId; readonly kind: AttemptKind } | null
  },
  options: CallOptions,
): Promise<void> {
  const { tenantId, userId, tokenId } = facts.actor
  const { now, secrets } = authorized
  const object = { type: 'user', id: userId, version: null }
  const ends = {
    action: 'session.ended',
    outcome: 'allowed',
    reasons: ['factor_changed'],
    object,
    now,
  } as const
  const events = {
    changed: await authorized.record(logged.object, logged.reasons),
    ended: await personEvent(secrets, { userId, tokenId, ...ends }, facts),
  }
  const attempt = wanted.attempt === null ? null : { ...wanted.attempt, tenantId, now }
  const commit = {
    ...{ tenantId, userId, attempt, change: wanted.change, keptTokenId: tokenId },
    ...{ endsPrograms: wanted.tokens, at: now },
  }
  refuseUnlessDone(await catalog.commitFactorChange(commit, events, secrets.columns, options))
}

function refuseUnlessDone(outcome: FactorOutcome): void {
  switch (outcome) {
    case 'done':
      return
    case 'not_found':
      throw new VaultError('not_found', 'There is no such factor of yours')
    case 'last':
      throw new VaultError('conflict', 'It is your last second factor: add another before you remove it')
    case 'full':
      throw new VaultError('conflict', 'You have as many passkeys as there may be: remove one first')
    case 'spent':
      throw attemptOver()
    default:
      outcome satisfies never
  }
}

export const attemptOver = () =>
  new VaultError('bad_credentials', 'This was answered before, or too late: begin again')
