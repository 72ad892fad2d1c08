// The times that can be counted with: those that RFC 3339 can write.
import { RetentionError } from './error.ts'

export const dayMs = 86_400_000

/** The first and the last millisecond, in Unix milliseconds. */
const firstMs = -62_167_219_200_000
export const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** Unix milliseconds. Throws `bad_date`. */
export function milliseconds(date: Date): number {
  const ms = date.getTime()
  if (Number.isNaN(ms)) throw new RetentionError('bad_date', 'a time is not a valid date')
  if (ms < firstMs || ms > lastMs) throw beyondCalendar()
  return ms
}

export function beyondCalendar(): RetentionError {
  return new RetentionError('bad_date', 'a time lies outside the years 0 to 9999')
}
