// Writes what the test runner itself counted, as one line of JSON, for `.ci/run` to add up. A run that dies writes
// nothing, which tells it from a run without failures.
import type { TestEvent } from 'node:test/reporters'

/** A test that was cancelled counts as failed; one that was skipped or is still to do counts as neither. */
export interface Totals {
  readonly passed: number
  readonly failed: number
}

async function* reportTotals(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    // Each test file has a summary of its own; the one without a file is that of the whole run.
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue
    const { tests, passed, skipped, todo } = event.data.counts
    const totals: Totals = { passed, failed: tests - passed - skipped - todo }
    yield `${JSON.stringify(totals)}\n`
  }
}

// biome-ignore lint/style/noDefaultExport: the test runner takes a reporter from the default export alone
export default reportTotals
