// What changing a rule does to what it keeps: one person may lengthen, to shorten takes two.
//
// `lengthens` and `same` are promises over every recording that there can be, with whatever other rules: kept at least
// as long, due no sooner, no less reviewed, no less locked, and never to go by itself where it would not have gone. In
// doubt it is `shortens`. A rule that disposes by review may come where no rule was, since each of its disposals takes
// people of its own; one that disposes by itself may not.
import { type Period, RecordingKind, type RuleDefinition, type RuleEffect } from '@auricle/contract'
import { Temporal } from 'temporal-polyfill'
import { addPeriod, type CalendarDate, isBefore } from './calendar.ts'

const monthsInYear = 12

type AppliesTo = RuleDefinition['appliesTo']
type Count = (date: CalendarDate) => CalendarDate

/** Null: there is no rule, before or after. */
export function compareDefinitions(from: RuleDefinition | null, to: RuleDefinition | null): RuleEffect {
  if (from === null || to === null) {
    if (from !== null) return 'shortens'
    return to === null ? 'same' : to.dispose === 'automatic' ? 'shortens' : 'lengthens'
  }
  if (!isAsCareful(from, to)) return 'shortens'
  return isAsCareful(to, from) ? 'same' : 'lengthens'
}

function isAsCareful(from: RuleDefinition, to: RuleDefinition): boolean {
  const isWider = !covers(from.appliesTo, to.appliesTo)
  return (
    covers(to.appliesTo, from.appliesTo) &&
    !(isWider && to.dispose === 'automatic') &&
    (from.from === to.from || from.from === 'start') &&
    reviews[to.dispose] >= reviews[from.dispose] &&
    (to.lock || !from.lock) &&
    isKeptAsLong(from, to, 0, 0) &&
    (to.dispose === 'never' || isKeptAsLong(from, to, from.disposeAfterDays, to.disposeAfterDays))
  )
}

const reviews = { automatic: 0, review: 1, never: 2 } as const satisfies Record<
  RuleDefinition['dispose'],
  number
>

/** Whether `wide` applies to everything that `narrow` does. */
function covers(wide: AppliesTo, narrow: AppliesTo): boolean {
  return (
    includes(RecordingKind.options, wide.kinds, narrow.kinds) &&
    includes(null, wide.mailboxes, narrow.mailboxes) &&
    includes(null, wide.labels, narrow.labels) &&
    (wide.recordSet === null || wide.recordSet === narrow.recordSet)
  )
}

/** `all`: every value that there is, where naming them all is as good as naming none; null: a value may be missing. */
function includes<Item>(
  all: readonly Item[] | null,
  wide: readonly Item[] | null,
  narrow: readonly Item[] | null,
): boolean {
  const wanted = narrow ?? all
  return wide === null || wanted?.every(item => wide.includes(item)) === true
}

/** With so many days more on either side. */
function isKeptAsLong(from: RuleDefinition, to: RuleDefinition, fromDays: number, toDays: number): boolean {
  const keepFrom = withDays(from.keep, fromDays)
  const keepTo = withDays(to.keep, toDays)
  if (!isNeverShorter(keepFrom, keepTo)) return false
  if (from.minors === null) return true
  if (to.minors === null || to.minors.majorityAge < from.minors.majorityAge) return false
  const [before, after] = [from.minors, to.minors]
  return (
    isNeverShorter(withDays(before.keep, fromDays), withDays(after.keep, toDays)) ||
    isNeverEarlier(
      date => addPeriod(comesOfAge(date, before.majorityAge), withDays(before.keep, fromDays)),
      date => addPeriod(comesOfAge(date, after.majorityAge), withDays(after.keep, toDays)),
    )
  )
}

function withDays(period: Period, days: number): Period {
  return { ...period, days: period.days + days }
}

function comesOfAge(bornOn: CalendarDate, years: number): CalendarDate {
  return addPeriod(bornOn, { years, months: 0, days: 0 })
}

/** Whether `to` ends no earlier than `from`, whatever day both are counted from. */
export function isNeverShorter(from: Period, to: Period): boolean {
  return (
    isPlainlyNoShorter(from, to) ||
    isNeverEarlier(
      date => addPeriod(date, from),
      date => addPeriod(date, to),
    )
  )
}

/** What needs no calendar: every part is as long, or the shortest years and months of one outlast the longest of the other. */
function isPlainlyNoShorter(from: Period, to: Period): boolean {
  const months = ({ years, months: more }: Period) => years * monthsInYear + more
  // In one step; the first of two may move a day to the next month, which is later.
  const isOneStep = from.years === 0 || from.months === 0
  const hasMonths = isOneStep
    ? months(to) >= months(from)
    : to.years >= from.years && to.months >= from.months
  const leastDays = to.years * 365 + to.months * 28 + to.days
  const mostDays = from.years * 366 + from.months * 31 + from.days
  return (hasMonths && to.days >= from.days) || leastDays > mostDays
}

/** Over every date that there is. */
function isNeverEarlier(before: Count, after: Count): boolean {
  for (const date of startDates()) if (isBefore(after(date), before(date))) return false
  return true
}

const cycle = { firstYear: 2000, years: 400 } as const

/** One of each kind: the calendar repeats after 400 years, and the first 28 days of a month are counted alike. */
function* startDates(): Generator<CalendarDate> {
  for (let count = 0; count < cycle.years * monthsInYear; count++) {
    const first = new Temporal.PlainDate(
      cycle.firstYear + Math.floor(count / monthsInYear),
      1 + (count % monthsInYear),
      1,
    )
    yield first
    for (let day = 29; day <= first.daysInMonth; day++) yield first.with({ day })
  }
}
