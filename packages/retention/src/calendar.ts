// How dates are counted: periods by the calendar, and the day's end by the clocks of a time zone.
import type { Period } from '@auricle/contract'
import { Temporal } from 'temporal-polyfill'
import { RetentionError } from './error.ts'
import { beyondCalendar, dayMs, lastMs } from './time.ts'
import { dayAt, plainStartMs } from './zone-clock.ts'

export type CalendarDate = Temporal.PlainDate

const monthsInYear = 12
/** Every month has so many days. */
const daysInEveryMonth = 28

/** The date that clocks of `zone`, an IANA name, show at `atMs` (Unix milliseconds). */
export function dateAt(atMs: number, zone: string): CalendarDate {
  const midnight = new Date(dayAt(atMs, zone) * dayMs)
  return new Temporal.PlainDate(midnight.getUTCFullYear(), midnight.getUTCMonth() + 1, midnight.getUTCDate())
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
  const counted = addMonths(addMonths(date, years * monthsInYear), months)
  return days === 0 ? counted : counted.add({ days })
}

function addMonths(date: CalendarDate, count: number): CalendarDate {
  if (count === 0) return date
  const month = date.month - 1 + count
  const year = date.year + Math.floor(month / monthsInYear)
  if (date.day <= daysInEveryMonth) return new Temporal.PlainDate(year, 1 + (month % monthsInYear), date.day)
  const first = new Temporal.PlainDate(year, 1 + (month % monthsInYear), 1)
  return date.day <= first.daysInMonth ? first.with({ day: date.day }) : first.add({ months: 1 })
}

export function laterDate(a: CalendarDate, b: CalendarDate): CalendarDate {
  return isBefore(a, b) ? b : a
}

export function isBefore(a: CalendarDate, b: CalendarDate): boolean {
  return Temporal.PlainDate.compare(a, b) < 0
}

/**
 * From when on no clock of the zone shows that date, or the one `laterDays` later, or an earlier one, in Unix
 * milliseconds; mostly the next midnight. Where clocks jump over it, when they have jumped; where they show it twice,
 * the second time. Throws `bad_date`.
 */
export function endOfDayMs(date: CalendarDate, zone: string, laterDays = 0): number {
  const nextDay = new Date(0).setUTCFullYear(date.year, date.month - 1, date.day) / dayMs + laterDays + 1
  const endMs = plainStartMs(nextDay, zone) ?? startMs(date.add({ days: laterDays + 1 }), zone)
  if (endMs > lastMs) throw beyondCalendar()
  return endMs
}

function startMs(date: CalendarDate, zone: string): number {
  const midnight = date.toPlainDateTime().toZonedDateTime(zone, { disambiguation: 'later' })
  const isThere = midnight.hour === 0 && midnight.minute === 0 && midnight.day === date.day
  return (isThere ? midnight : midnight.startOfDay()).epochMilliseconds
}
