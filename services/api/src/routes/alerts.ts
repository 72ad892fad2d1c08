// Alerts: what the compliance officer must look at.
import { AlertId, AlertPage, AlertQuery, AlertView, type Session } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { type AlertParts, acknowledgeAlert, listAlerts } from '@auricle/vault'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = { AlertPage, AlertView } as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'listAlerts',
    method: 'get',
    path: '/v1/alerts',
    needs: 'alert.read',
    summary: 'List alerts',
    description: 'Newest first. An alert is raised once for its kind and subject.',
    query: {
      schema: AlertQuery,
      notes: {
        open: '`true` for those that nobody has acknowledged, `false` for the others.',
        cursor: '`nextCursor` of the page before.',
        limit: 'Most alerts on a page.',
      },
    },
    answers: [ok('AlertPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'acknowledgeAlert',
    method: 'post',
    path: '/v1/alerts/{id}/acknowledgement',
    params: { id: { schema: AlertId, description: "The alert's id." } },
    needs: 'alert.acknowledge',
    summary: 'Acknowledge an alert',
    description: 'Says that somebody has seen it, and who. It stays in the list.',
    answers: [created('AlertView', 'The alert, acknowledged.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface AlertRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly alerts: AlertParts
}

export function createAlertHandlers({ identity, alerts }: AlertRouteParts) {
  return {
    async listAlerts(request, response) {
      const query = AlertQuery.parse(request.query)
      response.json(await listAlerts(alerts, factsOf(identity, request), query, exchangeOf(request)))
    },
    async acknowledgeAlert(request, response) {
      const id = AlertId.parse(request.params['id'])
      const view = await acknowledgeAlert(alerts, factsOf(identity, request), id, exchangeOf(request))
      response.status(201).json(view)
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
