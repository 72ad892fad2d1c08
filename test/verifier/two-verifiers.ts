// Both verifiers over a corpus of bundles: the one of Node in this process, the one of Python in one process for all.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitCodeOf, PolicyError, reportJson, verifyBundle } from '@auricle/audit/verifier'

export interface Case {
  readonly bytes: Uint8Array
  readonly policy: string | null
  readonly at: Date
  readonly trustBundledPolicy?: boolean
}

export interface Outcome {
  readonly exit: number
  /** Null where it could not be tried. */
  readonly report: ReturnType<typeof reportJson> | null
}

const script = join(dirname(fileURLToPath(import.meta.url)), 'auricle_verify.py')
const maxAgeHours = 24

export async function byNode(
  { bytes, policy, at, trustBundledPolicy = false }: Case,
  pieceBytes = 4096,
): Promise<Outcome> {
  try {
    const report = await verifyBundle(pieces(bytes, pieceBytes), {
      policy,
      at,
      trustBundledPolicy,
      maxAgeHours,
    })
    return { exit: exitCodeOf(report.verdict), report: reportJson(report) }
  } catch (error) {
    if (error instanceof PolicyError) return { exit: 3, report: null }
    throw error
  }
}

export function byPython(cases: readonly Case[]): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'auricle-verifier-'))
  try {
    const jobs = cases.map(({ bytes, policy, at, trustBundledPolicy = false }, index) => {
      const bundle = join(folder, `${index}.bundle`)
      writeFileSync(bundle, bytes)
      const policyFile = policy === null ? null : join(folder, `${index}.policy`)
      if (policyFile !== null) writeFileSync(policyFile, policy ?? '')
      return { bundle, policy: policyFile, at: at.toISOString(), maxAgeHours, trust: trustBundledPolicy }
    })
    const list = join(folder, 'list')
    writeFileSync(list, jobs.map(job => `${JSON.stringify(job)}\n`).join(''))
    const { status, stdout, stderr } = spawnSync('python3', [script, '--batch', list], {
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    })
    if (status !== 0) throw new Error(`the Python verifier failed: ${stderr}`)
    return stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function* pieces(bytes: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes)
    yield bytes.subarray(start, start + pieceBytes)
}
