// Measures what docs/performance.md promises. Usage: npm run bench [-- [--quick] SECTION...]; ends non-zero where a target is missed.
//
// `--quick` is for trying the benchmark: sections that know it do less, and their figures are worth less.
import '../harness/own-roots.ts'
import * as access from './access/section.ts'
import * as audit from './audit/section.ts'
import * as deliveries from './deliveries/section.ts'
import * as google from './google/section.ts'
import * as memory from './memory/section.ts'
import { installPeers } from './peers.ts'
import * as range from './range/section.ts'
import { isMet, type Row, renderSection, type Section, writeReport } from './report.ts'
import * as retention from './retention/section.ts'
import * as seal from './seal/section.ts'

interface Plan {
  readonly method: string
  readonly run: (options: { readonly isQuick: boolean }) => Promise<readonly Row[]>
}

const plans: Readonly<Record<string, Plan>> = {
  seal: { method: seal.method, run: seal.runSeal },
  deliveries: { method: deliveries.method, run: deliveries.runDeliveries },
  range: { method: range.method, run: range.runRange },
  memory: { method: memory.method, run: memory.runMemory },
  access: { method: access.method, run: access.runAccess },
  audit: { method: audit.method, run: audit.runAudit },
  retention: { method: retention.method, run: retention.runRetention },
  google: { method: google.method, run: google.runGoogle },
}

const msPerSecond = 1000
const isQuick = process.argv.includes('--quick')
const asked = process.argv.slice(2).filter(argument => argument !== '--quick')
const unknown = asked.filter(name => plans[name] === undefined)
if (unknown.length > 0 || globalThis.gc === undefined) {
  process.stderr.write(
    `Usage: npm run bench [-- [--quick] SECTION...]   sections: ${Object.keys(plans).join(', ')}\n`,
  )
  process.exit(2)
}

const startedAt = new Date()
await installPeers()
const sections: Section[] = []
for (const [name, { method, run }] of Object.entries(plans)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const startedMs = performance.now()
  const rows = await run({ isQuick })
  const section = { name, method, rows, seconds: (performance.now() - startedMs) / msPerSecond }
  sections.push(section)
  process.stdout.write(`${renderSection(section)}\n`)
}
const path = writeReport(startedAt, sections, isQuick)
const missed = sections.flatMap(({ rows }) => rows.filter(row => !isMet(row)))
process.stdout.write(`Written to ${path}\n`)
for (const { name } of missed) process.stdout.write(`Missed: ${name}\n`)
if (missed.length > 0) process.exitCode = 1
