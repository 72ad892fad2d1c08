import { writeFileSync } from 'node:fs'
import { bytesOf, makeBundle } from './bundle-fixture.ts'

const b = makeBundle({ seed: 5, years: [2026], eventsEach: 200000, checkpointEvery: 50000 })
writeFileSync('/tmp/perf.ndjson', bytesOf(b.lines))
writeFileSync('/tmp/perf.policy', b.policy)
console.log(b.at.toISOString())
