// `auricle verify`: opens every stored object and checks it byte for byte against the catalog.
import { type Finding, verifyTenant } from '@auricle/vault'
import { formatBytes, formatCount } from '../format.ts'
import { findTenant, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { startProgress } from '../progress.ts'

export interface VerifyReport {
  readonly objects: number
  readonly bytes: number
  readonly bad: readonly Extract<Finding, { type: 'bad' }>[]
  readonly stray: readonly string[]
}

/** True when all is well; strays are reported and are no fault, since an archive may be under way. */
export async function verify(operator: Operator, output: Output, slug: string | undefined): Promise<boolean> {
  const tenants =
    slug === undefined ? await operator.catalog.listTenants(operator) : [await findTenant(operator, slug)]
  const bad: Extract<Finding, { type: 'bad' }>[] = []
  const stray: string[] = []
  let objects = 0
  let bytes = 0
  using progress = startProgress('Verifying', 'objects')
  for (const tenant of tenants) {
    for await (const finding of verifyTenant(operator, tenant.id, operator)) {
      if (finding.type === 'stray') stray.push(finding.key)
      else objects++
      if (finding.type === 'good') bytes += finding.bytes
      if (finding.type === 'bad') bad.push(finding)
      progress.update({ items: objects, bytes, bad: bad.length })
    }
  }
  progress[Symbol.dispose]()
  const report: VerifyReport = { objects, bytes, bad, stray }
  output.value(report, sentence(report))
  return bad.length === 0
}

function sentence({ objects, bytes, bad, stray }: VerifyReport): string {
  const lines = bad.map(({ recording, role, reason }) => `BAD  ${recording}  ${role}  ${reason}`)
  if (stray.length > 0)
    lines.push(
      `Beside them ${formatCount(stray.length, 'object')} of no recording: an archive under way, or cut off`,
    )
  const verdict = bad.length === 0 ? 'all good' : `${bad.length} BAD`
  lines.push(`Verified ${formatCount(objects, 'object')}, ${formatBytes(bytes)}: ${verdict}`)
  return lines.join('\n')
}
