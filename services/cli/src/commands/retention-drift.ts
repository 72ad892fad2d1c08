// `auricle retention drift`: whether both stores keep what they should, for as long, and nothing else.
import { findDrift } from '@auricle/vault'
import { formatCount } from '../format.ts'
import { findTenant, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { startProgress } from '../progress.ts'

export interface DriftOptions {
  readonly tenant?: string | undefined
  readonly mend: boolean
}

/** True where nothing is left that differs. */
export async function lookForDrift(
  operator: Operator,
  output: Output,
  { tenant: slug, mend }: DriftOptions,
): Promise<boolean> {
  const { catalog, signal } = operator
  const tenants =
    slug === undefined ? await catalog.listTenants({ signal }) : [await findTenant(operator, slug)]
  const rows: { tenant: string; run: string; kind: string; count: number }[] = []
  let objects = 0
  let mended = 0
  using progress = startProgress('Looking at', 'objects')
  let seen = 0
  const onObject = (): void => progress.update({ items: ++seen })
  for (const { id, slug: name } of tenants) {
    const orders = { by: 'operator', mend, unless: null } as const
    const report = await findDrift({ ...operator, onObject }, id, orders, { signal })
    if (report === null) continue
    objects += report.objects
    mended += report.mended
    for (const [kind, count] of Object.entries(report.counts))
      rows.push({ tenant: name, run: report.id, kind, count })
  }
  progress[Symbol.dispose]()
  output.rows(
    rows,
    [
      { title: 'tenant', cell: row => row.tenant },
      { title: 'run', cell: row => row.run },
      { title: 'found', cell: row => row.kind },
      { title: 'objects', align: 'right', cell: row => row.count.toLocaleString('en') },
    ],
    'The stores keep what they should',
  )
  output.say(`\nLooked at ${formatCount(objects, 'object')}, mended ${mended.toLocaleString('en')}`)
  return rows.reduce((sum, { count }) => sum + count, 0) === mended
}
