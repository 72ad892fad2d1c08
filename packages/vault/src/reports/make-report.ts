// Makes a retention report from the catalog: figures, and as many of the single recordings as are asked for.
import type { Catalog, ColumnKeys, DestroyedLine, OverdueLine } from '@auricle/catalog'
import { RecordingId, type ReportSection, type RetentionReport, type TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import { assembleReport, type Page } from './assemble-report.ts'

export interface MakeReportParts {
  readonly catalog: Pick<Catalog, 'readRetentionReport' | 'listOverdue' | 'listDestroyed'>
}

export interface ReportAsked {
  readonly tenantId: TenantId
  /** Names of matters are sealed where they are kept: null for what goes into a file that is not. */
  readonly columns: ColumnKeys | null
  readonly asOf: Date
  readonly madeAt: Date
  readonly sections: readonly ReportSection[]
  /** Most recordings that are named, of what is overdue and of what was destroyed. */
  readonly linesMost: number
  /** Of `overdue` or `destroyed`, where that is the one section. */
  readonly cursor: string | null
}

/** A page of so many at once, whatever is asked for. */
const linesAtOnce = 1000

export async function makeReport(
  { catalog }: MakeReportParts,
  asked: ReportAsked,
  options: CallOptions,
): Promise<RetentionReport> {
  const { tenantId, asOf, sections, columns } = asked
  const rows = await catalog.readRetentionReport(tenantId, { asOf, sections, columns }, options)
  if (rows === null) throw new VaultError('not_found', 'No such tenant')
  const of = (section: ReportSection) => sections.includes(section)
  const overdue = of('overdue')
    ? await pageOf<OverdueLine>(
        asked,
        (last, limit) => {
          const after = last === null ? afterOf(asked) : last.recordingId
          return catalog.listOverdue(tenantId, asOf, { after, limit }, options)
        },
        ({ recordingId }) => recordingId,
      )
    : noLines
  const destroyed = of('destroyed')
    ? await pageOf<DestroyedLine>(
        asked,
        (last, limit) => {
          const before = last ?? beforeOf(asked)
          return catalog.listDestroyed(tenantId, asOf, { before, limit }, options)
        },
        ({ destroyedAt, recordingId }) => `${destroyedAt.getTime()}.${recordingId}`,
      )
    : noLines
  return assembleReport(rows, { ...asked, overdue, destroyed })
}

const noLines = { lines: [], nextCursor: null }

/** One more than is shown is looked for, and tells whether there are more. */
async function pageOf<Line>(
  { linesMost }: ReportAsked,
  read: (last: Line | null, limit: number) => Promise<readonly Line[]>,
  cursorOf: (line: Line) => string,
): Promise<Page<Line>> {
  const lines: Line[] = []
  for (;;) {
    const limit = Math.min(linesAtOnce, linesMost + 1 - lines.length)
    const page = await read(lines.at(-1) ?? null, limit)
    lines.push(...page)
    if (page.length < limit || lines.length > linesMost) break
  }
  const shown = lines.slice(0, linesMost)
  const last = shown.at(-1)
  return { lines: shown, nextCursor: lines.length > linesMost && last !== undefined ? cursorOf(last) : null }
}

function afterOf({ cursor }: ReportAsked): RecordingId | null {
  if (cursor === null) return null
  const id = RecordingId.safeParse(cursor)
  if (!id.success) throw noCursor()
  return id.data
}

function beforeOf({ cursor }: ReportAsked): Pick<DestroyedLine, 'destroyedAt' | 'recordingId'> | null {
  if (cursor === null) return null
  const [, time = '', id = ''] = /^(\d{1,15})\.(.+)$/.exec(cursor) ?? []
  const recordingId = RecordingId.safeParse(id)
  if (!recordingId.success) throw noCursor()
  return { destroyedAt: new Date(Number(time)), recordingId: recordingId.data }
}

const noCursor = () => new VaultError('malformed', 'The cursor is not one that this section gave')
