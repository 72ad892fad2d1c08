// What has to happen to emergency access without anybody asking: its end goes on record, a late review raises an alert.
//
// Every step is one transaction that only one of several can make, so it may be killed anywhere and run in every worker
// at once: each end and each alert is written once.
import type { BreakGlassReference, Catalog } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import { newAlert, type OnAlert } from './alert.ts'

const batch = 200
/** What is over proves nothing any more; an hour more, since clocks of machines differ. */
const spentAgeMs = 60 * 60_000

export interface BreakGlassSweepParts {
  readonly catalog: Pick<
    Catalog,
    'listExpiredBreakGlass' | 'expireBreakGlass' | 'listOverdueReviews' | 'raiseAlert' | 'removeSpent'
  >
  readonly onAlert: OnAlert
  readonly now?: () => Date
}

const cause = { actor: { type: 'system', name: 'worker' }, request: null } as const

export async function sweepBreakGlass(
  parts: BreakGlassSweepParts,
  options: CallOptions,
): Promise<{ readonly ended: number; readonly overdue: number; readonly removed: number }> {
  const { catalog } = parts
  const now = parts.now?.() ?? new Date()
  const ended = await each(
    () => catalog.listExpiredBreakGlass(now, batch, options),
    async one => {
      const event = await auditRecord(
        {
          ...{ ...cause, tenantId: one.tenantId, object: objectOf(one) },
          ...{ action: 'break_glass.ended', outcome: 'allowed', reasons: ['ran_out'] },
        },
        null,
        now,
      )
      return catalog.expireBreakGlass({ ...one, now }, event, options)
    },
  )
  const overdue = await each(
    () => catalog.listOverdueReviews(now, batch, options),
    async one => {
      const raised = await newAlert(one.tenantId, 'review_overdue', objectOf(one), cause, null, now)
      const isFirst = await catalog.raiseAlert(raised, options)
      if (isFirst) parts.onAlert(raised.alert)
      return isFirst
    },
  )
  const removed = await catalog.removeSpent(new Date(now.getTime() - spentAgeMs), options)
  return { ended, overdue, removed }
}

/** Until a list is not full: what was done is no longer in it, whoever did it. Returns how many were done here. */
async function each(
  list: () => Promise<readonly BreakGlassReference[]>,
  work: (one: BreakGlassReference) => Promise<boolean>,
): Promise<number> {
  let done = 0
  for (;;) {
    const found = await list()
    for (const one of found) if (await work(one)) done++
    if (found.length < batch) return done
  }
}

function objectOf({ id }: BreakGlassReference) {
  return { type: 'break_glass', id, version: null } as const
}
