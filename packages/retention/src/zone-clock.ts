// What the clocks of a time zone show, fast enough for a million recordings: between two changes of a zone's offset an
// instant and its date are apart by one number, so each change is looked up once.
import { Temporal } from 'temporal-polyfill'
import { dayMs } from './time.ts'

/** All in milliseconds; `toMs` is exclusive. */
interface Span {
  readonly fromMs: number
  readonly toMs: number
  readonly offsetMs: number
}

/** Further from a change than any change is long (24 hours, where the date line moved), and than any offset. */
const farMs = 2 * dayMs
const nanosecondsInMillisecond = 1_000_000

/** Of each zone, in order. What a zone once said stays true, so they are never dropped; there are some hundreds. */
const spansOfZone = new Map<string, Span[]>()

/** How many days after 1 January 1970 the zone's clocks show at `atMs`. */
export function dayAt(atMs: number, zone: string): number {
  return Math.floor((atMs + spanAt(atMs, zone).offsetMs) / dayMs)
}

/** When such a day begins, where no change of the clocks is near; null where one is. */
export function plainStartMs(day: number, zone: string): number | null {
  const span = spanAt(day * dayMs, zone)
  const startMs = day * dayMs - span.offsetMs
  return startMs - span.fromMs >= farMs && span.toMs - startMs >= farMs ? startMs : null
}

function spanAt(atMs: number, zone: string): Span {
  const spans = spansOfZone.get(zone) ?? []
  if (spans.length === 0) spansOfZone.set(zone, spans)
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((spans[middle]?.toMs ?? 0) > atMs) high = middle
    else low = middle + 1
  }
  const found = spans[low]
  if (found !== undefined && found.fromMs <= atMs) return found
  const span = readSpan(atMs, zone)
  spans.splice(low, 0, span)
  return span
}

function readSpan(atMs: number, zone: string): Span {
  const at = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone)
  // The change at that very instant is part of it, and `previous` looks strictly before.
  const previous = at.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
  return {
    fromMs: previous?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    toMs: at.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offsetMs: at.offsetNanoseconds / nanosecondsInMillisecond,
  }
}
