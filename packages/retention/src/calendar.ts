// How dates are counted: periods by the calendar, and the day's end by the clocks of a time zone.
import type { Period } from '@auricle/contract'
import { Temporal } from 'temporal-polyfill'
import { RetentionError } from './error.ts'
import { lastMs } from './keep-at-least.ts'

export type CalendarDate = Temporal.PlainDate

/** The date that clocks of `zone`, an IANA name, show at `atMs` (Unix milliseconds). */
export function dateAt(atMs: number, zone: string): CalendarDate {
  return Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone).toPlainDate()
}

/** `YYYY-MM-DD`. Throws `bad_date`. */
export function parseDate(text: string): CalendarDate {
  try {
    return Temporal.PlainDate.from(text)
  } catch (cause) {
    throw new RetentionError('bad_date', 'a date is not one of the calendar', { cause })
  }
}

/**
 * The years, then the months, then the days. A day that the month reached does not have becomes the first of the next
 * month, after the years and after the months: the later side, so 29 February and a year is 1 March.
 */
export function addPeriod(date: CalendarDate, { years, months, days }: Period): CalendarDate {
  const counted = addMonths(addMonths(date, years, 'years'), months, 'months')
  return days === 0 ? counted : counted.add({ days })
}

function addMonths(date: CalendarDate, count: number, unit: 'years' | 'months'): CalendarDate {
  if (count === 0) return date
  const reached = date.add({ [unit]: count })
  return reached.day === date.day ? reached : reached.add({ days: 1 })
}

export function laterDate(a: CalendarDate, b: CalendarDate): CalendarDate {
  return Temporal.PlainDate.compare(a, b) < 0 ? b : a
}

export function isBefore(a: CalendarDate, b: CalendarDate): boolean {
  return Temporal.PlainDate.compare(a, b) < 0
}

/**
 * From when on no clock of the zone shows that date or an earlier one, in Unix milliseconds; mostly the next midnight.
 * Where clocks jump over it, when they have jumped; where they show it twice, the second time. Throws `bad_date`.
 */
export function endOfDayMs(date: CalendarDate, zone: string): number {
  const next = date.add({ days: 1 })
  const midnight = next.toPlainDateTime().toZonedDateTime(zone, { disambiguation: 'later' })
  const isThere = midnight.hour === 0 && midnight.minute === 0 && midnight.day === next.day
  const endMs = (isThere ? midnight : midnight.startOfDay()).epochMilliseconds
  if (endMs > lastMs) throw new RetentionError('bad_date', 'the time lies beyond the year 9999')
  return endMs
}
