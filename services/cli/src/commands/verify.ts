// `auricle verify`: opens every stored object and checks it byte for byte against the catalog, and the copies if asked.
import type { TenantRow } from '@auricle/catalog'
import { type CopyFinding, type Finding, verifyCopies, verifyTenant } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatBytes, formatCount } from '../format.ts'
import { findTenant, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { startProgress } from '../progress.ts'

export interface VerifyReport {
  readonly objects: number
  readonly bytes: number
  readonly bad: readonly Extract<Finding, { type: 'bad' }>[]
  readonly stray: readonly string[]
  /** Null where no recovery store is configured. */
  readonly recovery: CopiesReport | null
}

interface CopiesReport {
  readonly replicated: number
  /** Objects that have no copy yet. */
  readonly owed: number
  /** Whether the copies were looked at, or counted as the catalog knows them. */
  readonly checked: boolean
  readonly bad: readonly Extract<CopyFinding, { type: 'bad' }>[]
}

export interface VerifyOptions {
  readonly tenant?: string | undefined
  /** Look at every copy in the recovery store. */
  readonly recovery?: boolean | undefined
}

/**
 * True when all is well. Strays are reported and are no fault, since an archive may be under way, and so are objects
 * without a copy, since that is made afterwards.
 */
export async function verify(
  operator: Operator,
  output: Output,
  { tenant: slug, recovery = false }: VerifyOptions,
): Promise<boolean> {
  if (recovery && operator.recovery === null)
    throw new UsageError('There is no recovery store to verify: AURICLE_RECOVERY names none')
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
  const copies = operator.recovery === null ? null : await countCopies(operator, tenants, recovery)
  const report: VerifyReport = { objects, bytes, bad, stray, recovery: copies }
  output.value(report, sentence(report))
  return bad.length === 0 && (copies?.bad.length ?? 0) === 0
}

async function countCopies(
  operator: Operator,
  tenants: readonly TenantRow[],
  checked: boolean,
): Promise<CopiesReport> {
  const parts = { catalog: operator.catalog, recovery: checked ? operator.recovery : null }
  const bad: CopiesReport['bad'][number][] = []
  let replicated = 0
  let owed = 0
  let bytes = 0
  using progress = startProgress('Verifying', 'copies')
  for (const tenant of tenants) {
    for await (const finding of verifyCopies(parts, tenant.id, operator)) {
      if (finding.type === 'owed') owed++
      else replicated++
      if (finding.type === 'good') bytes += finding.bytes
      if (finding.type === 'bad') bad.push(finding)
      progress.update({ items: replicated, bytes, bad: bad.length })
    }
  }
  return { replicated, owed, checked, bad }
}

function sentence({ objects, bytes, bad, stray, recovery }: VerifyReport): string {
  const lines = bad.map(({ recording, role, reason }) => `BAD  ${recording}  ${role}  ${reason}`)
  if (stray.length > 0)
    lines.push(
      `Beside them ${formatCount(stray.length, 'object')} of no recording: an archive under way, or cut off`,
    )
  lines.push(`Verified ${formatCount(objects, 'object')}, ${formatBytes(bytes)}: ${verdict(bad)}`)
  if (recovery !== null) lines.push(...copiesSentences(recovery))
  return lines.join('\n')
}

function copiesSentences({ replicated, owed, checked, bad }: CopiesReport): readonly string[] {
  return [
    ...bad.map(({ recording, role, reason }) => `BAD COPY  ${recording}  ${role}  ${reason}`),
    `In the recovery store ${formatCount(replicated, 'object')}, ${owed === 0 ? 'none' : owed.toLocaleString('en')} still to come${
      checked ? `: ${verdict(bad)}` : ''
    }`,
  ]
}

function verdict(bad: readonly unknown[]): string {
  return bad.length === 0 ? 'all good' : `${bad.length} BAD`
}
