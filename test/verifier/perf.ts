import { makeBundle, bytesOf } from './bundle-fixture.ts'
import { writeFileSync } from 'node:fs'
const b = makeBundle({ seed: 5, years: [2026], eventsEach: 200000, checkpointEvery: 50000 })
writeFileSync('/tmp/perf.ndjson', bytesOf(b.lines)); writeFileSync('/tmp/perf.policy', b.policy); console.log(b.at.toISOString())
