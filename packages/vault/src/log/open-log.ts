// The first leaf of a log: what the tenant's log of the year before ended with, and which keys sign this one.
//
// An event belongs to the year in which it is sealed, so a year's log ends where the next one begins and nothing is added
// to it later, whatever clocks say.
import { encodeLeaf, formatVerifierKey, logOrigin, toBase64, type VerifierKey } from '@auricle/audit'
import type { LogRow, SealCommit, UnsealedEvent } from '@auricle/catalog'
import { newEventId, type TenantId } from '@auricle/contract'

export interface Opening {
  readonly commit: NonNullable<SealCommit['opening']>
  readonly event: Pick<UnsealedEvent, 'id' | 'leaf' | 'recordedAt'>
}

/** `previous`: the log that ends with this, and its root; null for a tenant's first. */
export function openingOf(
  log: { readonly name: string; readonly tenantId: TenantId; readonly year: number },
  previous: { readonly row: LogRow; readonly root: Uint8Array } | null,
  key: (origin: string) => VerifierKey,
  now: Date,
): Opening {
  const origin = logOrigin(log.name, log.tenantId, log.year)
  const id = newEventId()
  const leaf = encodeLeaf({
    v: 1,
    id,
    tenant: log.tenantId,
    at: now.toISOString(),
    action: 'log.opened',
    outcome: 'allowed',
    actor: { type: 'system', id: 'log', session: null },
    object: null,
    reasons: [],
    detail: {
      kind: 'opened',
      previous:
        previous === null
          ? null
          : { origin: previous.row.origin, size: previous.row.size, root: toBase64(previous.root) },
      keys: [formatVerifierKey(key(origin))],
    },
    request: null,
    private: null,
  })
  const before = previous === null ? null : { year: previous.row.year, size: previous.row.size }
  return { commit: { origin, at: now, leaf, previous: before }, event: { id, leaf, recordedAt: now } }
}

/** The year in which an event would be sealed now: a clock that goes back opens no log again. */
export const yearOfSealing = (newest: Pick<LogRow, 'year'> | null, now: Date): number =>
  Math.max(newest?.year ?? 0, now.getUTCFullYear())
