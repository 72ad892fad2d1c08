// The files of a scheduled report: what each is called and what is in it, each written once under its own key.
import { createHash } from 'node:crypto'
import type {
  ReportFormat,
  ReportScheduleId,
  ReportSection,
  RetentionReport,
  StoredReport,
  TenantId,
} from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import type { CallOptions } from '@auricle/sealed'
import { type MakeReportParts, makeReport, type ReportAsked } from './make-report.ts'
import { reportCsv } from './report-csv.ts'

export interface ReportFileParts extends MakeReportParts {
  readonly renderPdf: (report: RetentionReport) => Promise<Uint8Array>
}

export interface ReportFile {
  readonly key: string
  readonly pieces: AsyncIterable<Uint8Array>
}

/** Recordings that are named in a document, and in JSON; a CSV names all. */
const linesOf = { pdf: 200, json: 1000, csv: 1000 } as const

/** Under a folder of the schedule and the instant: `reports/{tenant}/{schedule}/{instant}/`. */
function folderOf(tenantId: TenantId, scheduleId: ReportScheduleId, asOf: Date): string {
  const instant = asOf.toISOString().slice(0, 19).replaceAll(':', '-').toLowerCase()
  return `reports/${tenantId}/${scheduleId}/${instant}z`
}

export function* reportFiles(
  parts: ReportFileParts,
  scheduleId: ReportScheduleId,
  formats: readonly ReportFormat[],
  asked: Omit<ReportAsked, 'linesMost' | 'cursor' | 'columns'>,
  options: CallOptions,
): Generator<ReportFile> {
  const folder = folderOf(asked.tenantId, scheduleId, asked.asOf)
  const made = (format: ReportFormat, change: Partial<ReportAsked> = {}) =>
    makeReport(
      parts,
      { ...asked, linesMost: linesOf[format], cursor: null, columns: null, ...change },
      options,
    )
  if (formats.includes('pdf'))
    yield { key: `${folder}/retention.pdf`, pieces: one(async () => parts.renderPdf(await made('pdf'))) }
  if (formats.includes('json')) {
    const json = async () => new TextEncoder().encode(`${JSON.stringify(await made('json'), null, 2)}\n`)
    yield { key: `${folder}/retention.json`, pieces: one(json) }
  }
  if (!formats.includes('csv')) return
  for (const section of asked.sections) {
    const page = (cursor: string | null) => made('csv', { sections: [section], cursor })
    yield { key: `${folder}/retention-${section}.csv`, pieces: csvPages(section, page) }
  }
}

async function* one(make: () => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await make()
}

/** Page after page: of what is overdue and destroyed there may be any number of lines. */
async function* csvPages(
  section: ReportSection,
  page: (cursor: string | null) => Promise<RetentionReport>,
): AsyncGenerator<Uint8Array> {
  let cursor: string | null = null
  do {
    const report: RetentionReport = await page(cursor)
    const csv = reportCsv(report, section)
    // The headings stand once.
    yield new TextEncoder().encode(cursor === null ? csv : csv.slice(csv.indexOf('\r\n') + 2))
    cursor = report.overdue?.nextCursor ?? report.destroyed?.nextCursor ?? null
  } while (cursor !== null)
}

/** What is there already, from a run that was cut short, stays; it is told as it is there. */
export async function storeFile(
  store: Pick<ObjectStore, 'put' | 'read'>,
  { key, pieces }: ReportFile,
  options: CallOptions,
): Promise<StoredReport> {
  const written = counting(pieces)
  const { status } = await store.put(key, written.pieces, { ...options, retainUntil: null })
  if (status === 'created') return { key, ...written.total() }
  const there = counting(store.read(key, null, options))
  for await (const _piece of there.pieces) options.signal?.throwIfAborted()
  return { key, ...there.total() }
}

function counting(source: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256')
  let bytes = 0
  async function* pieces() {
    for await (const piece of source) {
      hash.update(piece)
      bytes += piece.byteLength
      yield piece
    }
  }
  return { pieces: pieces(), total: () => ({ bytes, sha256: hash.digest('hex') }) }
}
