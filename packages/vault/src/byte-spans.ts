// Which bytes of an object were sent, whatever the order and however often: each once, in spans that do not touch.
import type { ByteRange } from '@auricle/contract'

/** First and last, both inclusive. */
export type Span = readonly [first: number, last: number]

export interface ByteSpans {
  /** How many different bytes. */
  readonly bytes: number
  add(range: ByteRange): void
  /**
   * In order, at most `most` of them. Where there are more, those with the smallest gaps between them are told as one: too
   * much rather than too little, while `bytes` stays what it is.
   */
  spans(most: number): readonly Span[]
}

export function createByteSpans(): ByteSpans {
  /** Ordered, apart from each other by a byte at least. */
  const ranges: ByteRange[] = []
  return {
    get bytes() {
      return ranges.reduce((sum, { start, end }) => sum + end - start, 0)
    },
    add({ start, end }) {
      if (start >= end) return
      const from = firstIndex(ranges, range => range.end >= start)
      const to = firstIndex(ranges, range => range.start > end)
      const touched = ranges.slice(from, to)
      ranges.splice(from, to - from, {
        start: Math.min(start, touched[0]?.start ?? start),
        end: Math.max(end, touched.at(-1)?.end ?? end),
      })
    },
    spans: most => coarser(ranges, most).map(({ start, end }): Span => [start, end - 1]),
  }
}

/** Of the first that is so, where all after it are so too; the length where none is. */
function firstIndex(ranges: readonly ByteRange[], isSo: (range: ByteRange) => boolean): number {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const range = ranges[middle]
    if (range !== undefined && isSo(range)) high = middle
    else low = middle + 1
  }
  return low
}

function coarser(ranges: readonly ByteRange[], most: number): readonly ByteRange[] {
  if (ranges.length <= most) return ranges
  const gaps = ranges
    .slice(1)
    .map((range, index) => ({ index, bytes: range.start - (ranges[index]?.end ?? 0) }))
  const closed = new Set(
    gaps
      .sort((a, b) => a.bytes - b.bytes)
      .slice(0, ranges.length - most)
      .map(({ index }) => index),
  )
  const joined: ByteRange[] = []
  ranges.forEach((range, index) => {
    const before = joined.at(-1)
    if (before === undefined || !closed.has(index - 1)) joined.push(range)
    else joined[joined.length - 1] = { start: before.start, end: range.end }
  })
  return joined
}
