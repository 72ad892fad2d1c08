// Rows of overhead: how much longer our adapter takes than the fastest way of the bare client, clock by clock.
import type { Row, Target } from '../report.ts'
import { median, type Samples, samplesOf, speedRatio } from '../rounds.ts'
import type { Clock } from './clocks.ts'

const clockTitles: Readonly<Record<Clock, string>> = {
  wall: 'time',
  processor: 'processor time of the caller',
  firstByte: 'time to the first byte',
}

/** `clocks`: those that mean something for this work, with the target of each. */
export function overheadRows(
  name: string,
  samples: Readonly<Record<Clock, Samples>>,
  clocks: Readonly<Partial<Record<Clock, Target | null>>>,
): Row[] {
  return Object.entries(clocks).map(([key, target]) => {
    const clock = key as Clock
    const typical = (who: string) => median(samplesOf(samples[clock], who))
    const [best] = [...samples[clock].keys()]
      .filter(who => who !== 'we')
      .sort((a, b) => typical(a) - typical(b))
    if (best === undefined) throw new RangeError(`nobody to compare with at ${name}`)
    return {
      name: `${name}, ${clockTitles[clock]}`,
      measured: speedRatio(samples[clock], best, 'we'),
      unit: 'x',
      target,
      detail: `${show(typical('we'))} against ${show(typical(best))} (${best})`,
    }
  })
}

const show = (ms: number) => `${ms.toFixed(2)} ms`
