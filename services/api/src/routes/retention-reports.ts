// The retention report: what is kept and why, what is due, overdue, on hold and destroyed, as of now or any time before.
import { problems, RetentionReport, RetentionReportQuery, type Session } from '@auricle/contract'
import { retentionReportPdf } from '@auricle/documents'
import type { HttpIdentity } from '@auricle/identity'
import { type RetentionReportParts, reportCsv, retentionReport, wholeRetentionReport } from '@auricle/vault'
import type { z } from 'zod'
import { sendCsv } from '../csv-answer.ts'
import { preferredType } from '../preferred-type.ts'
import { sendProblem } from '../problem.ts'
import { exchangeOf, factsOf } from '../request.ts'
import type { Handler, RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = { RetentionReport } as const satisfies Record<string, z.ZodType>

const types = { json: 'application/json', csv: 'text/csv', pdf: 'application/pdf' } as const

export const table = [
  {
    operationId: 'retentionReport',
    method: 'get',
    path: '/v1/reports/retention',
    needs: 'retention.read',
    summary: 'What is kept, due, overdue, on hold and destroyed',
    description:
      'By rule, kind, mailbox and age; due in the next twelve months; overdue, with what stands against it; holds by ' +
      'matter; destroyed, with certificates; stores against catalog; storage and its cost. As of any instant of the past. ' +
      'As PDF too; as CSV one section, with all its recordings, up to 50,000 lines.',
    query: {
      schema: RetentionReportQuery,
      notes: {
        asOf: 'As of this time. Default: now.',
        section: 'Only this section. Default: all of them.',
        format: '`json`, `csv` or `pdf`, whatever `Accept` says.',
        cursor: '`nextCursor` of the page before, of the section `overdue` or `destroyed`; not for CSV.',
        limit: 'Most recordings that are named in a section; not for CSV.',
      },
    },
    answers: [
      {
        status: 200,
        description: 'The report; a section that was not asked for is null.',
        body: { type: 'json', schema: 'RetentionReport', orBytes: ['application/pdf', 'text/csv'] },
      },
    ],
    problems: ['malformed', 'denied', 'notAcceptable'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface RetentionReportRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly retentionReports: RetentionReportParts
}

export function createRetentionReportHandlers({ identity, retentionReports }: RetentionReportRouteParts) {
  return {
    async retentionReport(request, response) {
      const query = RetentionReportQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.vary('Accept')
      const type =
        query.format === undefined
          ? preferredType(request.get('Accept'), [types.json, types.pdf, types.csv])
          : types[query.format]
      if (type === null) {
        sendProblem(response, { ...problems.notAcceptable, instance: exchangeOf(request).id })
        return
      }
      if (type === types.csv) {
        const report = await wholeRetentionReport(retentionReports, facts, query, exchangeOf(request))
        const name = `retention-${report.section}-${report.asOf.slice(0, 10)}`
        sendCsv(response, { name, csv: reportCsv(report, report.section) })
        return
      }
      const report = await retentionReport(retentionReports, facts, query, exchangeOf(request))
      if (type === types.json) {
        response.json(report)
        return
      }
      const pdf = await retentionReportPdf(report)
      response
        .type(types.pdf)
        .attachment(`retention-${report.asOf.slice(0, 10)}.pdf`)
        .send(Buffer.from(pdf))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
