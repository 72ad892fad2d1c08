// What proves what was done is kept so long at least, whatever a tenant's rules say.
import type { Period } from '@auricle/contract'
import { isNeverShorter } from './compare-definitions.ts'

/** Six years each, the first two from when something was last in effect. */
export const shippedFloors = [
  { recordClass: 'audit_log', keep: { years: 6, months: 0, days: 0 }, source: '45 CFR 164.316(b)(2)(i)' },
  { recordClass: 'policies', keep: { years: 6, months: 0, days: 0 }, source: '45 CFR 164.530(j)' },
  { recordClass: 'disclosures', keep: { years: 6, months: 0, days: 0 }, source: '45 CFR 164.528(a)' },
] as const

export type RecordClass = (typeof shippedFloors)[number]['recordClass']

/** Whether a period may be shorter, from some day on, than what is kept at least. */
export function isBelowFloor(recordClass: RecordClass, period: Period): boolean {
  return shippedFloors.some(floor => floor.recordClass === recordClass && !isNeverShorter(floor.keep, period))
}
