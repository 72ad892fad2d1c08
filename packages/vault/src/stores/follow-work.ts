// Takes what is due from the list of recordings that stores have to follow, a few at a time, until nothing is left.
import type { Catalog, StoreWork } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import { nextAttempt } from '../archive-attempt.ts'
import { errorCode } from '../error.ts'
import { type FollowOutcome, type FollowParts, follow } from './follow.ts'

export interface FollowWorkParts extends FollowParts {
  readonly catalog: Pick<Catalog, 'followStore' | 'takeStoreWork' | 'failStoreWork'>
  readonly random?: () => number
  /** Told of each one. */
  readonly onAttempt?: (work: StoreWork, attempt: FollowAttempt) => void
}

export type FollowAttempt =
  | FollowOutcome
  | { readonly status: 'retry'; readonly errorCode: string; readonly cause: unknown }

const batch = 100
const atOnce = 4
/** Longer than one of them takes, with others before it. */
const leaseMs = 10 * 60_000

/**
 * Returns how many were looked after. Throws only what says nothing about any of them: an abort, or a database that
 * cannot even record a failure. Then they stay due.
 */
export async function followWork(parts: FollowWorkParts, { signal }: CallOptions): Promise<number> {
  let count = 0
  for (;;) {
    const taken = await parts.catalog.takeStoreWork(batch, leaseMs, { signal })
    const left = taken.values()
    const lane = async (): Promise<void> => {
      for (const work of left) {
        const attempt = await attemptFollow(parts, work, { signal })
        parts.onAttempt?.(work, attempt)
      }
    }
    // All of them end before a failure is told, so that nothing goes on that nobody waits for.
    for (const ended of await Promise.allSettled(Array.from({ length: atOnce }, lane))) {
      if (ended.status === 'rejected') throw ended.reason
    }
    count += taken.length
    if (taken.length < batch) return count
  }
}

async function attemptFollow(
  parts: FollowWorkParts,
  work: StoreWork,
  { signal }: CallOptions,
): Promise<FollowAttempt> {
  try {
    return await follow(parts, work.tenantId, work.recordingId, { signal })
  } catch (cause) {
    signal?.throwIfAborted()
    const code = errorCode(cause)
    const nextAttemptAt = nextAttempt(parts, work.attempts)
    await parts.catalog.failStoreWork({ ...work, errorCode: code, nextAttemptAt }, { signal })
    return { status: 'retry', errorCode: code, cause }
  }
}
