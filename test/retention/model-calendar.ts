// A calendar and the clocks of zones made of integers and of what Intl shows, to hold the engine's against.

export interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
}

export const dayMs = 86_400_000
/** Of 1 January 1970, as astronomers count days. */
const julianEpoch = 2_440_588

/** Days since 1 January 1970 (H. F. Fliegel, T. C. Van Flandern: A machine algorithm for processing calendar dates, 1968). */
export function toNumber({ year, month, day }: Day): number {
  const a = Math.trunc((month - 14) / 12)
  return (
    day -
    32_075 +
    Math.trunc((1461 * (year + 4800 + a)) / 4) +
    Math.trunc((367 * (month - 2 - a * 12)) / 12) -
    Math.trunc((3 * Math.trunc((year + 4900 + a) / 100)) / 4) -
    julianEpoch
  )
}

/** The inverse, of the same paper. */
export function toDay(number: number): Day {
  let l = number + julianEpoch + 68_569
  const n = Math.trunc((4 * l) / 146_097)
  l -= Math.trunc((146_097 * n + 3) / 4)
  const i = Math.trunc((4000 * (l + 1)) / 1_461_001)
  l = l - Math.trunc((1461 * i) / 4) + 31
  const j = Math.trunc((80 * l) / 2447)
  const day = l - Math.trunc((2447 * j) / 80)
  l = Math.trunc(j / 11)
  return { year: 100 * (n - 49) + i + l, month: j + 2 - 12 * l, day }
}

const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function monthLength(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 && isLeap ? 29 : (lengths[month - 1] ?? 0)
}

/** A day that is not there is the first of the next month. */
function settle({ year, month, day }: Day): Day {
  if (day <= monthLength(year, month)) return { year, month, day }
  return month === 12 ? { year: year + 1, month: 1, day: 1 } : { year, month: month + 1, day: 1 }
}

/** Years, then months, then days; the result as a number of days. */
export function count(
  from: Day,
  { years, months, days }: { readonly years: number; readonly months: number; readonly days: number },
): number {
  let at = settle({ ...from, year: from.year + years })
  for (let left = months, { day } = at; left > 0; left--) {
    const month = (at.month % 12) + 1
    const year = at.month === 12 ? at.year + 1 : at.year
    at = left === 1 ? settle({ year, month, day }) : { year, month, day: 1 }
  }
  return toNumber(at) + days
}

export function writeDay(number: number): string {
  const { year, month, day } = toDay(number)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

export function readDay(text: string): Day {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number)
  return { year, month, day }
}

/** A stretch of time in which a zone's clocks run evenly; `toMs` is exclusive. */
interface Stretch {
  readonly fromMs: number
  readonly toMs: number
  readonly aheadMs: number
}

export interface ZoneModel {
  /** The number of the day that clocks show. */
  dayAt(atMs: number): number
  /** From when on they never show that day or an earlier one again. */
  endOf(day: number): number
}

/** Reads a zone's clocks once a day, and where two readings differ looks for the change between them. */
export function createZoneModel(zone: string): ZoneModel {
  const format = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn-hc-h23', {
    timeZone: zone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  })
  const aheadAt = (atMs: number): number => {
    const shown: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(atMs)) shown[type] = Number(value)
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown
    const wallMs = toNumber({ year, month, day }) * dayMs + ((hour * 60 + minute) * 60 + second) * 1000
    return wallMs - Math.floor(atMs / 1000) * 1000
  }
  const years = new Map<number, readonly Stretch[]>()
  const readYear = (year: number): readonly Stretch[] => {
    const first = toNumber({ year, month: 1, day: 1 }) * dayMs
    const last = toNumber({ year: year + 1, month: 1, day: 1 }) * dayMs
    const stretches: Stretch[] = []
    let [fromMs, aheadMs] = [first, aheadAt(first)]
    for (let atMs = first + dayMs; atMs <= last; atMs += dayMs) {
      const next = aheadAt(atMs)
      if (next === aheadMs) continue
      // To the second, which is as fine as clocks have ever been changed.
      let [before, after] = [(atMs - dayMs) / 1000, atMs / 1000]
      while (after - before > 1) {
        const middle = Math.floor((before + after) / 2)
        if (aheadAt(middle * 1000) === aheadMs) before = middle
        else after = middle
      }
      stretches.push({ fromMs, toMs: after * 1000, aheadMs })
      fromMs = after * 1000
      aheadMs = next
    }
    return [...stretches, { fromMs, toMs: last, aheadMs }]
  }
  const around = (atMs: number): readonly Stretch[] => {
    const days = [-3, 0, 3].map(days => toDay(Math.floor(atMs / dayMs) + days).year)
    return [...new Set(days)].flatMap(year => {
      const known = years.get(year) ?? readYear(year)
      years.set(year, known)
      return known
    })
  }
  return {
    dayAt: atMs => {
      const stretch = around(atMs).find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)
      if (stretch === undefined) throw new RangeError('no stretch of time')
      return Math.floor((atMs + stretch.aheadMs) / dayMs)
    },
    endOf: day => {
      const midnightMs = (day + 1) * dayMs
      const ends = around(midnightMs).flatMap(({ fromMs, toMs, aheadMs }) =>
        fromMs + aheadMs < midnightMs ? [Math.min(toMs, midnightMs - aheadMs)] : [],
      )
      return Math.max(...ends)
    },
  }
}
