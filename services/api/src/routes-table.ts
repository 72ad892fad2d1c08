// Every route of the API, put together from its themes: the router serves exactly these, and the OpenAPI document
// describes exactly these.
//
// A route says what right it needs, or that it is public; one that says nothing does not compile.
import { Problem } from '@auricle/contract'
import type { z } from 'zod'
import { Health } from './answers.ts'
import { json, ok, type RouteOf } from './route.ts'
import * as activityReviews from './routes/activity-reviews.ts'
import * as alerts from './routes/alerts.ts'
import * as audit from './routes/audit.ts'
import * as breakGlass from './routes/break-glass.ts'
import * as certificates from './routes/certificates.ts'
import * as connectors from './routes/connectors.ts'
import * as cover from './routes/cover.ts'
import * as disclosures from './routes/disclosures.ts'
import * as dispositions from './routes/dispositions.ts'
import * as document from './routes/document.ts'
import * as driftRuns from './routes/drift-runs.ts'
import * as emergencyCodes from './routes/emergency-codes.ts'
import * as evidence from './routes/evidence.ts'
import * as holds from './routes/holds.ts'
import * as identityProviders from './routes/identity-providers.ts'
import * as invitations from './routes/invitations.ts'
import * as ownFactors from './routes/own-factors.ts'
import * as ownSessions from './routes/own-sessions.ts'
import * as ownTokens from './routes/own-tokens.ts'
import * as passkeySessions from './routes/passkey-sessions.ts'
import * as people from './routes/people.ts'
import * as providers from './routes/providers.ts'
import * as recordings from './routes/recordings.ts'
import * as reportSchedules from './routes/report-schedules.ts'
import * as reports from './routes/reports.ts'
import * as retentionDecisions from './routes/retention-decisions.ts'
import * as retentionFacts from './routes/retention-facts.ts'
import * as retentionReports from './routes/retention-reports.ts'
import * as retentionRules from './routes/retention-rules.ts'
import * as roles from './routes/roles.ts'
import * as serviceAccounts from './routes/service-accounts.ts'
import * as sessions from './routes/sessions.ts'
import * as teams from './routes/teams.ts'
import * as tenant from './routes/tenant.ts'
import * as tokenIssuers from './routes/token-issuers.ts'

/** Everything that crosses the wire as JSON, under the names the document gives it. */
export const schemas = {
  Health,
  Problem,
  ...sessions.schemas,
  ...ownSessions.schemas,
  ...providers.schemas,
  ...identityProviders.schemas,
  ...tokenIssuers.schemas,
  ...passkeySessions.schemas,
  ...ownFactors.schemas,
  ...ownTokens.schemas,
  ...invitations.schemas,
  ...recordings.schemas,
  ...people.schemas,
  ...roles.schemas,
  ...teams.schemas,
  ...cover.schemas,
  ...breakGlass.schemas,
  ...alerts.schemas,
  ...activityReviews.schemas,
  ...driftRuns.schemas,
  ...emergencyCodes.schemas,
  ...certificates.schemas,
  ...connectors.schemas,
  ...serviceAccounts.schemas,
  ...tenant.schemas,
  ...audit.schemas,
  ...reports.schemas,
  ...retentionReports.schemas,
  ...reportSchedules.schemas,
  ...disclosures.schemas,
  ...retentionRules.schemas,
  ...retentionFacts.schemas,
  ...holds.schemas,
  ...retentionDecisions.schemas,
  ...dispositions.schemas,
  ...document.schemas,
} as const satisfies Record<string, z.ZodType>

const table = [
  ...sessions.table,
  ...ownSessions.table,
  ...recordings.table,
  ...people.table,
  ...roles.table,
  ...teams.table,
  ...cover.table,
  ...breakGlass.table,
  ...alerts.table,
  ...activityReviews.table,
  ...certificates.table,
  ...driftRuns.table,
  ...evidence.table,
  ...emergencyCodes.table,
  ...providers.table,
  ...identityProviders.table,
  ...tokenIssuers.table,
  ...passkeySessions.table,
  ...ownFactors.table,
  ...ownTokens.table,
  ...invitations.table,
  ...connectors.table,
  ...serviceAccounts.table,
  ...tenant.table,
  ...audit.table,
  ...reports.table,
  ...retentionReports.table,
  ...reportSchedules.table,
  ...disclosures.table,
  ...retentionRules.table,
  ...retentionFacts.table,
  ...holds.table,
  ...retentionDecisions.table,
  ...dispositions.table,
  ...document.table,
] as const

export type OperationId = (typeof table)[number]['operationId']
export type Route = RouteOf<OperationId>

/** What the router serves. */
export const routes: readonly Route[] = table

/** What every service answers to machines, by its health handler and not by the router. */
export const machineRoutes: readonly RouteOf<'getLiveness' | 'getReadiness' | 'getMetrics'>[] = [
  {
    operationId: 'getLiveness',
    method: 'get',
    path: '/healthz',
    needs: 'public',
    summary: 'Is the process alive',
    description: 'Says nothing of what it depends on.',
    answers: [ok('Health', 'It lives.')],
    problems: [],
  },
  {
    operationId: 'getReadiness',
    method: 'get',
    path: '/readyz',
    needs: 'public',
    summary: 'Can the service work',
    description: 'Names what is missing.',
    answers: [
      ok('Health', 'It can.'),
      { status: 503, description: 'It cannot; `missing` says why.', body: json('Health') },
    ],
    problems: [],
  },
  {
    operationId: 'getMetrics',
    method: 'get',
    path: '/metrics',
    needs: 'public',
    summary: 'Metrics',
    description: 'Counters and times in the text format of Prometheus; no ids and no names.',
    answers: [
      { status: 200, description: 'The metrics.', body: { type: 'bytes', contentType: 'text/plain' } },
    ],
    problems: [],
  },
]
