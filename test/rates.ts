// Rates and courses of events for the properties of token buckets.
import fc from 'fast-check'

export interface Rate {
  burst: number
  everyMs: number
}

export interface Step {
  afterMs: number
  takes: number
}

export const rates = fc.record({
  burst: fc.integer({ min: 1, max: 20 }),
  // Quarters are exact in binary, so that every store comes to the very same millisecond.
  everyMs: fc.integer({ min: 1, max: 20_000 }).map(quarters => quarters / 4),
})

export const steps = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 8000 }), takes: fc.integer({ min: 0, max: 6 }) }),
  { minLength: 1, maxLength: 12 },
)

/** For suites in packages, which have no `fast-check` of their own. */
export const properties = {
  check: (property: (rate: Rate, course: Step[]) => Promise<void>) =>
    fc.assert(fc.asyncProperty(rates, steps, property), { numRuns: 40 }),
}
