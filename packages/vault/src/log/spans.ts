// Numbers as spans of consecutive ones, as an event's detail holds them.

/** Most spans of one event (`EventDetail`). */
const spansMost = 128

/** Takes the lowest numbers out of the set, as many as an event's spans can hold: first and last of each. */
export function takeSpans(numbers: Set<number>): [number, number][] {
  const spans: [number, number][] = []
  for (const n of Array.from(numbers).sort((a, b) => a - b)) {
    const last = spans.at(-1)
    if (last !== undefined && last[1] === n - 1) last[1] = n
    else if (spans.length < spansMost) spans.push([n, n])
    else break
    numbers.delete(n)
  }
  return spans
}
