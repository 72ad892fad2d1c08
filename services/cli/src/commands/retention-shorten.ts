// `auricle retention shorten`: what the stores keep for longer than is decided, kept for no longer than that.
import { shortenStores } from '@auricle/vault'
import { formatBytes, formatCount } from '../format.ts'
import { findTenant, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { startProgress } from '../progress.ts'

export interface ShortenOptions {
  readonly tenant?: string | undefined
  readonly dryRun?: boolean | undefined
}

/** True where nothing failed. */
export async function shortenRetention(
  operator: Operator,
  output: Output,
  { tenant: slug, dryRun: isDryRun = false }: ShortenOptions,
): Promise<boolean> {
  const { catalog, signal } = operator
  const tenants =
    slug === undefined ? await catalog.listTenants({ signal }) : [await findTenant(operator, slug)]
  using progress = startProgress('Looking at', 'recordings')
  let seen = 0
  const onRecording = (): void => progress.update({ items: ++seen })
  const rows: Shortened[] = []
  const failures = new Map<string, number>()
  for (const { id, slug: name } of tenants) {
    const orders = { apply: !isDryRun }
    const { longer, shortened, failed } = await shortenStores({ ...operator, onRecording }, id, orders, {
      signal,
    })
    const failedHere = [...failed.values()].reduce((sum, count) => sum + count, 0)
    if (longer.recordings + failedHere > 0)
      rows.push({ tenant: name, ...longer, shortened, failed: failedHere })
    for (const [code, count] of failed) failures.set(code, (failures.get(code) ?? 0) + count)
  }
  progress[Symbol.dispose]()
  output.rows(
    rows,
    [
      { title: 'tenant', cell: row => row.tenant },
      { title: 'recordings', align: 'right', cell: row => row.recordings.toLocaleString('en') },
      { title: 'objects', align: 'right', cell: row => row.objects.toLocaleString('en') },
      { title: 'sealed', align: 'right', cell: row => formatBytes(row.bytes) },
      { title: 'shortened', align: 'right', cell: row => row.shortened.toLocaleString('en') },
      { title: 'failed', align: 'right', cell: row => row.failed.toLocaleString('en') },
    ],
    'No store keeps anything for longer than is decided, that may be shortened',
  )
  output.say(`\nLooked at ${formatCount(seen, 'recording')}${isDryRun ? ', and changed nothing' : ''}`)
  for (const [code, count] of failures) output.say(`${formatCount(count, 'time')}: ${reasonOf(code)}`)
  return failures.size === 0
}

interface Shortened {
  readonly tenant: string
  readonly recordings: number
  readonly objects: number
  readonly bytes: number
  readonly shortened: number
  readonly failed: number
}

function reasonOf(code: string): string {
  switch (code) {
    case 'denied':
      return 'whoever runs this may not shorten a retention; in a bucket it takes the rights of a retention officer'
    case 'locked':
      return 'a store has locked the object meanwhile, and nobody shortens it'
    case 'busy':
      return 'the recording is being followed just now; run this again'
    default:
      return `the store failed (${code}); run this again`
  }
}
