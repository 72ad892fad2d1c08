// When a practice is open, by the clocks on its walls: what happens outside of it is looked at in the weekly review.
import type { WorkingHours } from '@auricle/contract'

const minutesOfDay = 24 * 60
/** Whether an instant lies within the hours. */
export function workingHours(hours: WorkingHours): (at: Date) => boolean {
  const opens = minuteOf(hours.opensAt)
  const closes = minuteOf(hours.closesAt)
  const isOpenOn = (day: number) => hours.days.includes(((day + 6) % 7) + 1)
  const localTime = localClock(hours.timeZone)
  return at => {
    const { day, minute } = localTime(at)
    if (opens < closes) return isOpenOn(day) && minute >= opens && minute < closes
    return (minute >= opens && isOpenOn(day)) || (minute < closes && isOpenOn(day - 1))
  }
}

/** Day of the week (1 is Monday) and minute of the day at a place. */
function localClock(timeZone: string): (at: Date) => { readonly day: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  })
  const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
  return at => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
    return {
      day: days.indexOf(parts.get('weekday') ?? '') + 1,
      minute: (Number(parts.get('hour')) * 60 + Number(parts.get('minute'))) % minutesOfDay,
    }
  }
}

function minuteOf(text: string): number {
  const [hours = '0', minutes = '0'] = text.split(':')
  return Number(hours) * 60 + Number(minutes)
}
