// Reports on a schedule: set up, listed, ended; and the runs that came of them.
import {
  NewReportSchedule,
  ReportRunId,
  ReportRunPage,
  ReportRunQuery,
  ReportRunView,
  ReportScheduleId,
  ReportSchedulePage,
  ReportScheduleQuery,
  ReportScheduleView,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  createReportSchedule,
  endReportSchedule,
  listReportRuns,
  listReportSchedules,
  type ReportScheduleParts,
  showReportRun,
} from '@auricle/vault'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  NewReportSchedule,
  ReportScheduleView,
  ReportSchedulePage,
  ReportRunView,
  ReportRunPage,
} as const satisfies Record<string, z.ZodType>

const paging = { cursor: '`nextCursor` of the page before.', limit: 'Most on a page.' }

export const table = [
  {
    operationId: 'listReportSchedules',
    method: 'get',
    path: '/v1/report-schedules',
    needs: 'retention.read',
    summary: 'List scheduled reports',
    description: 'Newest first.',
    query: { schema: ReportScheduleQuery, notes: { all: '`true`: also those that have ended.', ...paging } },
    answers: [ok('ReportSchedulePage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'createReportSchedule',
    method: 'post',
    path: '/v1/report-schedules',
    needs: 'report.schedule',
    summary: 'Schedule a report',
    description:
      'Made as of the beginning of each day, Monday or month in the time zone of the tenant, stored, told of by mail, or ' +
      'both. The mail holds nothing of the report.',
    body: 'NewReportSchedule',
    answers: [created('ReportScheduleView', 'The schedule.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'endReportSchedule',
    method: 'post',
    path: '/v1/report-schedules/{id}/end',
    params: { id: { schema: ReportScheduleId, description: "The schedule's id." } },
    needs: 'report.schedule',
    summary: 'End a scheduled report',
    description: 'What was made by it stays.',
    answers: [done('It has ended.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound'],
  },
  {
    operationId: 'listReportRuns',
    method: 'get',
    path: '/v1/report-runs',
    needs: 'retention.read',
    summary: 'List runs of scheduled reports',
    description: 'Newest first.',
    query: { schema: ReportRunQuery, notes: { schedule: 'Only of this schedule.', ...paging } },
    answers: [ok('ReportRunPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'showReportRun',
    method: 'get',
    path: '/v1/report-runs/{id}',
    params: { id: { schema: ReportRunId, description: "The run's id." } },
    needs: 'retention.read',
    summary: 'Show a run of a scheduled report',
    description: 'With the keys of what it stored, their sizes and their SHA-256.',
    answers: [ok('ReportRunView', 'The run.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface ReportScheduleRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly reportSchedules: ReportScheduleParts
}

export function createReportScheduleHandlers({ identity, reportSchedules }: ReportScheduleRouteParts) {
  return {
    async listReportSchedules(request, response) {
      const query = ReportScheduleQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listReportSchedules(reportSchedules, facts, query, exchangeOf(request)))
    },
    async createReportSchedule(request, response) {
      const wanted = NewReportSchedule.parse(request.body)
      const facts = factsOf(identity, request)
      const schedule = await createReportSchedule(reportSchedules, facts, wanted, exchangeOf(request))
      response.status(201).json(schedule)
    },
    async endReportSchedule(request, response) {
      const id = ReportScheduleId.parse(request.params['id'])
      await endReportSchedule(reportSchedules, factsOf(identity, request), id, exchangeOf(request))
      response.status(204).end()
    },
    async listReportRuns(request, response) {
      const query = ReportRunQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listReportRuns(reportSchedules, facts, query, exchangeOf(request)))
    },
    async showReportRun(request, response) {
      const id = ReportRunId.parse(request.params['id'])
      const facts = factsOf(identity, request)
      response.json(await showReportRun(reportSchedules, facts, id, exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
