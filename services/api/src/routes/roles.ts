// Roles: asked for, decided, withdrawn, taken away, and reported to whoever reviews them.

import type { Session } from '@auricle/contract'
import { Role, RoleRequestId, UserId } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  decideRoleRequest,
  listRoleRequests,
  type RecertificationParts,
  type RoleParts,
  recertification,
  recertificationCsv,
  requestRole,
  revokeRole,
  withdrawRoleRequest,
} from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'
import { Grant, Reason, timeOf } from './people.ts'

const limitMost = 200
const limitDefault = 50

const RequestState = z.enum(['open', 'approved', 'refused', 'withdrawn', 'lapsed'])

const RoleRequest = z.strictObject({
  id: RoleRequestId,
  user: UserId,
  role: z.string(),
  reason: z.string(),
  until: z.iso.datetime().nullable(),
  requestedBy: UserId,
  requestedAt: z.iso.datetime(),
  state: RequestState,
  decidedBy: UserId.nullable(),
  decidedAt: z.iso.datetime().nullable(),
})

const NewRoleRequest = z.strictObject({
  user: UserId,
  role: Role,
  reason: Reason,
  /** Until when it is to hold; null for as long as nobody takes it away. */
  until: z.iso.datetime().nullable().default(null),
})

const RoleDecision = z.strictObject({ approve: z.boolean() })

const RoleRequestPage = z.strictObject({
  requests: z.array(RoleRequest),
  nextCursor: RoleRequestId.nullable(),
})

const RequestQuery = z.strictObject({
  state: RequestState.optional(),
  cursor: RoleRequestId.optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})

const Recertification = z.strictObject({ at: z.iso.datetime(), grants: z.array(Grant) })

const RecertificationQuery = z.strictObject({
  endedSince: z.iso.datetime().optional(),
  format: z.enum(['json', 'csv']).optional(),
})

/** Under the names the document gives them. */
export const schemas = {
  NewRoleRequest,
  Recertification,
  RoleDecision,
  RoleRequest,
  RoleRequestPage,
} as const satisfies Record<string, z.ZodType>

const ofRequest = { id: { schema: RoleRequestId, description: "The request's id." } }

export const table = [
  {
    operationId: 'requestRole',
    method: 'post',
    path: '/v1/role-requests',
    needs: 'role.request',
    summary: 'Ask for a role',
    description:
      'For anybody of the tenant. Somebody else has to approve it within 30 days. Also for a role that they have, so ' +
      'that it holds longer: the approval takes the place of the one before.',
    body: 'NewRoleRequest',
    answers: [created('RoleRequest', 'The request.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'listRoleRequests',
    method: 'get',
    path: '/v1/role-requests',
    needs: 'people.read',
    summary: 'List requests for roles',
    description: 'Newest first.',
    query: {
      schema: RequestQuery,
      notes: {
        state: 'Only those in this state.',
        cursor: '`nextCursor` of the page before.',
        limit: 'Most requests on a page.',
      },
    },
    answers: [ok('RoleRequestPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'decideRoleRequest',
    method: 'post',
    path: '/v1/role-requests/{id}/decision',
    params: ofRequest,
    needs: 'role.decide',
    summary: 'Approve or refuse a request',
    description:
      'By somebody who neither made it nor would be given the role, signed in, with a second factor just shown. Of ' +
      'several decisions the first counts.',
    body: 'RoleDecision',
    answers: [ok('RoleRequest', 'The request, decided.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'withdrawRoleRequest',
    method: 'delete',
    path: '/v1/role-requests/{id}',
    params: ofRequest,
    needs: 'role.withdraw',
    summary: 'Withdraw a request',
    description: 'By whoever made it, while it is not decided.',
    answers: [done('It is withdrawn.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict'],
  },
  {
    operationId: 'revokeRole',
    method: 'delete',
    path: '/v1/people/{id}/roles/{role}',
    params: {
      id: { schema: UserId, description: "The person's id." },
      role: { schema: Role, description: 'The role.' },
    },
    needs: 'role.revoke',
    summary: 'Take a role away',
    description:
      'From the next request on, also in the middle of a recording. Groups of a provider may give it again at the ' +
      'next sign-in. The last administrator stays one.',
    answers: [done('They no longer have it.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
  {
    operationId: 'recertification',
    method: 'get',
    path: '/v1/reports/recertification',
    needs: 'recertification.read',
    summary: 'Who holds which role',
    description:
      'Every grant that holds, with who asked, who approved, since when and until when, and when its person last ' +
      'signed in. As CSV for a spreadsheet where `Accept` or `format` asks for it.',
    query: {
      schema: RecertificationQuery,
      notes: {
        endedSince: 'Also grants that ended at this time or later.',
        format: '`json` or `csv`, whatever `Accept` says.',
      },
    },
    answers: [
      {
        status: 200,
        description: 'The report.',
        body: { type: 'json', schema: 'Recertification', orBytes: 'text/csv' },
      },
    ],
    problems: ['malformed', 'denied'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface RoleRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly roles: RoleParts & RecertificationParts
}

export function createRoleHandlers({ identity, roles }: RoleRouteParts) {
  const idOf = (request: { readonly params: unknown }) =>
    z.object({ id: RoleRequestId }).parse(request.params).id
  return {
    async requestRole(request, response) {
      const { until, ...asked } = NewRoleRequest.parse(request.body)
      const facts = factsOf(identity, request)
      const made = await requestRole(roles, facts, { ...asked, until: timeOf(until) }, exchangeOf(request))
      response.status(201).json(made)
    },
    async listRoleRequests(request, response) {
      const query = RequestQuery.parse(request.query)
      response.json(await listRoleRequests(roles, factsOf(identity, request), query, exchangeOf(request)))
    },
    async decideRoleRequest(request, response) {
      const { approve } = RoleDecision.parse(request.body)
      const facts = factsOf(identity, request)
      response.json(await decideRoleRequest(roles, facts, idOf(request), approve, exchangeOf(request)))
    },
    async withdrawRoleRequest(request, response) {
      await withdrawRoleRequest(roles, factsOf(identity, request), idOf(request), exchangeOf(request))
      response.status(204).end()
    },
    async revokeRole(request, response) {
      const { id: user, role } = z.object({ id: UserId, role: Role }).parse(request.params)
      await revokeRole(roles, factsOf(identity, request), { user, role }, exchangeOf(request))
      response.status(204).end()
    },
    async recertification(request, response) {
      const { endedSince = null, format } = RecertificationQuery.parse(request.query)
      const facts = factsOf(identity, request)
      const report = await recertification(roles, facts, timeOf(endedSince), exchangeOf(request))
      const accepted = request.accepts(['application/json', 'text/csv'])
      response.vary('Accept')
      if ((format ?? (accepted === 'text/csv' ? 'csv' : 'json')) === 'json') response.json(report)
      else {
        response
          .type('text/csv; charset=utf-8; header=present')
          .attachment(`recertification-${report.at.slice(0, 10)}.csv`)
          .send(recertificationCsv(report.grants))
      }
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
