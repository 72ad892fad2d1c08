// Times in formats: RFC 3339, UTC, milliseconds, one spelling for each.

/** Whether it is the time as `Date.toISOString` writes those of the years 0 to 9999. */
export function isTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return false
  const date = new Date(text)
  // The 30th of February would become the 2nd of March.
  return !Number.isNaN(date.getTime()) && date.toISOString() === text
}
