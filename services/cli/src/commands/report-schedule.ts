// `auricle report schedule`: reports that are made by themselves, and what came of them, through the use cases of the API.
import {
  NewReportSchedule,
  ReportRunQuery,
  type ReportRunView,
  ReportScheduleId,
  ReportScheduleQuery,
  type ReportScheduleView,
} from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  createReportSchedule,
  endReportSchedule,
  listReportRuns,
  listReportSchedules,
  type ReportScheduleParts,
  type RequestFacts,
} from '@auricle/vault'
import { z } from 'zod'
import { formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import type { Column } from '../table.ts'

export interface NewScheduleOptions {
  readonly name: string
  readonly every: string
  readonly section: readonly string[]
  readonly format: readonly string[]
  readonly mail: readonly string[]
  readonly store: boolean
}

const partsOf = (operator: Operator): ReportScheduleParts => ({
  ...operator,
  decide: can,
  reportsGo: { toStore: operator.config.reportStore !== null, byMail: operator.config.mail !== null },
})

const rules = {
  every: '--every is day, week or month',
  limit: '--limit is a whole number from 1 to 200',
  cursor: '--cursor is what the page before ended with',
  schedule: '--schedule is the id of a schedule',
  id: 'A schedule is named by its id: `auricle report schedule list` shows them',
  '': 'Say where it goes: --store, --mail or both',
}

export async function addSchedule(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { name, every, section, format, mail, store }: NewScheduleOptions,
): Promise<void> {
  const asked = {
    ...{ name, every, mailTo: mail, toStore: store },
    ...(section.length === 0 ? {} : { sections: section }),
    ...(format.length === 0 ? {} : { formats: format }),
  }
  const wanted = parseOptions(NewReportSchedule, asked, rules)
  const made = await plainly(createReportSchedule(partsOf(operator), person, wanted, operator))
  output.value(made, `Made ${made.id}, first as of ${made.nextRunAt}`)
}

export async function listSchedules(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { all, ...page }: { readonly all: boolean; readonly limit?: string; readonly cursor?: string },
): Promise<void> {
  const query = parseOptions(ReportScheduleQuery, { ...page, all: String(all) }, rules)
  const found = await plainly(listReportSchedules(partsOf(operator), person, query, operator))
  if (output.json) return output.value(found, '')
  output.rows(found.schedules, scheduleColumns, 'There are no schedules')
  if (found.nextCursor !== null) output.say(`More: add --cursor ${found.nextCursor}`)
}

export async function endSchedule(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<void> {
  const { id } = parseOptions(z.object({ id: ReportScheduleId }), { id: text }, rules)
  await plainly(endReportSchedule(partsOf(operator), person, id, operator))
  output.value({ id }, `Ended ${id}`)
}

export async function listRuns(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  page: { readonly schedule?: string; readonly limit?: string; readonly cursor?: string },
): Promise<void> {
  const query = parseOptions(ReportRunQuery, { ...page }, rules)
  const found = await plainly(listReportRuns(partsOf(operator), person, query, operator))
  if (output.json) return output.value(found, '')
  output.rows(found.runs, runColumns, 'There are no runs')
  if (found.nextCursor !== null) output.say(`More: add --cursor ${found.nextCursor}`)
}

const date = (instant: string | null) => (instant === null ? '-' : formatTime(new Date(instant)))

const scheduleColumns: readonly Column<ReportScheduleView>[] = [
  { title: 'schedule', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name },
  { title: 'every', cell: ({ every }) => every },
  { title: 'formats', cell: ({ formats }) => formats.join(' ') },
  { title: 'to', cell: ({ toStore, mailTo }) => [...(toStore ? ['store'] : []), ...mailTo].join(' ') },
  { title: 'next', cell: ({ nextRunAt }) => date(nextRunAt) },
]

const runColumns: readonly Column<ReportRunView>[] = [
  { title: 'run', cell: ({ id }) => id },
  { title: 'schedule', cell: ({ schedule }) => schedule },
  { title: 'as of', cell: ({ asOf }) => date(asOf) },
  { title: 'state', cell: ({ state, error }) => (error === null ? state : `${state} (${error})`) },
  { title: 'attempts', align: 'right', cell: ({ attempts }) => String(attempts) },
  { title: 'files', align: 'right', cell: ({ stored }) => String(stored.length) },
]
