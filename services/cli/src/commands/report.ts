// `auricle report`: who came to what, and the accounting of disclosures, through the same use cases as the API.
import { type AccountingLine, AccountingQuery } from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  AccessReportQuery,
  accessReport,
  accessReportCsv,
  accountingCsv,
  accountOfDisclosures,
  type DisclosureParts,
  type RequestFacts,
  wholeAccessReport,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import type { Column } from '../table.ts'
import { actorId, eventColumns, filterRules, readingParts } from './log.ts'

export interface ReportOptions {
  readonly csv: boolean
  readonly user?: string
  readonly patient?: string
  readonly [filter: string]: string | boolean | undefined
}

export async function reportAccess(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { csv, ...filter }: ReportOptions,
): Promise<void> {
  checkForm(output, csv)
  const user = await actorId(operator, person, filter.user)
  const rules = {
    ...filterRules,
    user: '--user is a login or an id of this tenant',
    limit: '--limit is a whole number from 1 to 2000',
    '': 'Say whose: --patient, --user or --recording',
  }
  const query = parseOptions(AccessReportQuery, { ...filter, user }, rules)
  const parts = readingParts(operator)
  if (csv) {
    output.document(accessReportCsv(await plainly(wholeAccessReport(parts, person, query, operator))))
    return
  }
  const report = await plainly(accessReport(parts, person, query, operator))
  if (output.json) return output.value(report, '')
  output.rows(report.accesses, eventColumns(report.people), 'Nobody came to it')
  if (report.asOf !== null) output.say(`\nAs of ${report.asOf.size} events in ${report.asOf.origin}`)
  if (report.nextCursor !== null) output.say(`More: add --cursor ${report.nextCursor}`)
}

export async function reportDisclosures(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { csv, summary, ...filter }: ReportOptions,
): Promise<void> {
  checkForm(output, csv)
  const asked = { ...filter, ...(summary === true ? { summary: 'true' } : {}) }
  const query = parseOptions(AccountingQuery, asked, filterRules)
  const parts: DisclosureParts = { ...operator, decide: can }
  const accounting = await plainly(accountOfDisclosures(parts, person, query, operator))
  if (csv) output.document(accountingCsv(accounting))
  else if (output.json) output.value(accounting, '')
  else output.rows(accounting.lines, accountingColumns, 'There are no disclosures to account for')
}

function checkForm(output: Output, csv: boolean): void {
  if (csv && output.json) throw new UsageError('Say either --csv or --json')
}

const accountingColumns: readonly Column<AccountingLine>[] = [
  { title: 'date', cell: ({ disclosedAt }) => formatTime(new Date(disclosedAt)) },
  {
    title: 'to whom',
    cell: ({ recipient }) => [recipient.name, recipient.address].filter(Boolean).join(', '),
  },
  { title: 'what', cell: ({ what }) => what },
  { title: 'why', cell: ({ why }) => why },
  { title: 'times', align: 'right', cell: ({ count }) => String(count) },
  { title: 'last', cell: ({ lastDisclosedAt }) => formatTime(new Date(lastDisclosedAt)) },
]
