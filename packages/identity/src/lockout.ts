// How long a login waits after wrong passwords: longer with each, but never for good.
//
// Whoever knows a login can keep its owner from signing in by password for fifteen minutes at a time and no longer,
// and only by failing again each time. Passkeys and sign-in through an identity provider are not held up by it.

const failuresFree = 4
const shortestMs = 30_000
const longestMs = 900_000

export interface Failures {
  /** Failures in a row, the one just now among them. Attempts made while locked are refused unread and not counted. */
  readonly failures: number
  readonly now: Date
}

/** Until when nothing more is tried: 30 s after the fifth failure, twice as long with each further, 15 min at most. */
export function nextLockout({ failures, now }: Failures): Date | null {
  if (failures <= failuresFree) return null
  const doublings = failures - failuresFree - 1
  return new Date(now.getTime() + Math.min(longestMs, shortestMs * 2 ** doublings))
}
