// What keeps an object from being deleted or replaced, and which changes of that are allowed.
import { type Bucket, hasObjectRetention, mostRetentionSeconds } from './bucket.ts'
import { writeTime } from './json.ts'
import { policyKeepsUntil, type StoredObject } from './object.ts'
import type { Retention } from './properties.ts'
import { invalid, Refusal } from './refusal.ts'

/** Throws where a hold, its own retention or the bucket's policy keeps the object. */
export function refuseRemoval(bucket: Bucket, object: StoredObject, now: number): void {
  const where = `Object '${bucket.name}/${object.name}'`
  const { temporaryHold, eventBasedHold, retention } = object.properties
  if (temporaryHold || eventBasedHold) {
    const hold = temporaryHold ? 'Temporary' : 'Event-Based'
    throw new Refusal(
      403,
      'objectUnderActiveHold',
      `${where} is under active ${hold} hold and cannot be deleted, overwritten or archived until hold is removed.`,
    )
  }
  const ownUntil = retention?.retainUntil ?? 0
  const policyUntil = policyKeepsUntil(bucket, object) ?? 0
  if (Math.max(ownUntil, policyUntil) <= now) return
  const rule = ownUntil >= policyUntil ? "object's retention configuration" : "bucket's retention policy"
  const until = writeTime(Math.max(ownUntil, policyUntil))
  throw new Refusal(
    403,
    'retentionPolicyNotMet',
    `${where} is subject to the ${rule} and cannot be deleted, overwritten or archived until ${until}.`,
  )
}

/** Of a retention that is new to an object, or later than the one it has. */
export function checkNewRetention(bucket: Bucket, retention: Retention, now: number): void {
  if (!hasObjectRetention(bucket)) {
    throw invalid('Object retention is not enabled on the bucket.')
  }
  if (retention.retainUntil <= now) throw invalid('The time to retain until has to lie in the future.')
  if (retention.retainUntil > now + mostRetentionSeconds * 1_000) {
    throw invalid('An object can be retained for at most 100 years.')
  }
}

/** What a change of retention needs beside the right to set one. Throws where no right would do. */
export function retentionChange(
  bucket: Bucket,
  { current, next, now }: { current: Retention | null; next: Retention | null; now: number },
): 'none' | 'allowed' | 'override' {
  if (current?.mode === next?.mode && current?.retainUntil === next?.retainUntil) return 'none'
  // One whose time is over protects nothing, and may be changed as if it was not there.
  const isInForce = current !== null && current.retainUntil > now
  const isLess = next === null || (isInForce && next.retainUntil < current.retainUntil)
  if (isInForce && current.mode === 'Locked' && (isLess || next.mode !== 'Locked')) {
    throw new Refusal(
      403,
      'forbidden',
      'A locked retention configuration cannot be removed, shortened or unlocked.',
    )
  }
  if (next !== null) checkNewRetention(bucket, next, now)
  return isInForce && (isLess || next.mode !== current.mode) ? 'override' : 'allowed'
}
