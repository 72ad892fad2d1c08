// Reports from the log and from what was disclosed: who came to a patient's data, and to whom of it was given.
import { Accounting, AccountingLine, AccountingQuery, PatientId, type Session } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  AccessReportQuery,
  accessReport,
  accessReportCsv,
  accountingCsv,
  accountOfDisclosures,
  type DisclosureParts,
  type SearchParts,
  wholeAccessReport,
} from '@auricle/vault'
import { z } from 'zod'
import { sendCsv, wantsCsv } from '../csv-answer.ts'
import { exchangeOf, factsOf } from '../request.ts'
import type { Handler, RouteOf } from '../route.ts'
import { AsOf, NamedPerson, SealedEvent } from './audit.ts'

const AccessReport = z.strictObject({
  madeAt: z.iso.datetime(),
  patient: PatientId.nullable(),
  accesses: z.array(SealedEvent),
  people: z.array(NamedPerson),
  asOf: AsOf.nullable(),
  nextCursor: z.string().nullable(),
})

/** Under the names the document gives them. */
export const schemas = { AccessReport, Accounting, AccountingLine } as const satisfies Record<
  string,
  z.ZodType
>

const format = '`json` or `csv`, whatever `Accept` says.'

export const table = [
  {
    operationId: 'accessReport',
    method: 'get',
    path: '/v1/reports/access',
    needs: 'audit.read',
    summary: 'Who came to what',
    description:
      'Accesses in the log, allowed and refused, newest first: to what is of a patient, to a recording, or by a user; at ' +
      'least one of the three. As CSV all of it at once, up to 50,000 lines.',
    query: {
      schema: AccessReportQuery,
      notes: {
        patient: "The PBX's reference, or the name that the log has for them.",
        user: 'By this user.',
        recording: 'To this recording.',
        from: 'At this time or later.',
        to: 'Before this time.',
        cursor: '`nextCursor` of the page before; not for CSV.',
        limit: 'Most accesses on a page; not for CSV.',
        format,
      },
    },
    answers: [
      {
        status: 200,
        description: 'The report; `nextCursor` is null on its last page.',
        body: { type: 'json', schema: 'AccessReport', orBytes: 'text/csv' },
      },
    ],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'accountOfDisclosures',
    method: 'get',
    path: '/v1/reports/disclosures',
    needs: 'disclosure.read',
    summary: 'Accounting of disclosures',
    description:
      'What a patient may ask for under 45 CFR 164.528: each disclosure that is accounted for with its date, recipient, ' +
      'description and purpose, oldest first, without those that an agency has asked to leave out for now.',
    query: {
      schema: AccountingQuery,
      notes: {
        patient: "The PBX's reference, or the name that the log has for them.",
        from: 'Made at this time or later. Default: six years before `to`.',
        to: 'Made before this time. Default: now.',
        summary: '`true` for one line where several went to one recipient for one purpose.',
        format,
      },
    },
    answers: [
      {
        status: 200,
        description: 'The accounting.',
        body: { type: 'json', schema: 'Accounting', orBytes: 'text/csv' },
      },
    ],
    problems: ['malformed', 'denied', 'notFound'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface ReportRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly log: SearchParts
  readonly disclosures: DisclosureParts
}

export function createReportHandlers({ identity, log, disclosures }: ReportRouteParts) {
  return {
    async accessReport(request, response) {
      const query = AccessReportQuery.parse(request.query)
      const facts = factsOf(identity, request)
      if (!wantsCsv(request, response, query.format)) {
        response.json(await accessReport(log, facts, query, exchangeOf(request)))
        return
      }
      const report = await wholeAccessReport(log, facts, query, exchangeOf(request))
      sendCsv(response, { name: `access-${report.madeAt.slice(0, 10)}`, csv: accessReportCsv(report) })
    },
    async accountOfDisclosures(request, response) {
      const query = AccountingQuery.parse(request.query)
      const facts = factsOf(identity, request)
      const accounting = await accountOfDisclosures(disclosures, facts, query, exchangeOf(request))
      if (!wantsCsv(request, response, query.format)) response.json(accounting)
      else
        sendCsv(response, {
          name: `disclosures-${accounting.madeAt.slice(0, 10)}`,
          csv: accountingCsv(accounting),
        })
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
