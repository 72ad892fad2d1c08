// Emergency access: opened, seen, ended, judged.
import {
  BreakGlassDetail,
  BreakGlassId,
  BreakGlassPage,
  BreakGlassQuery,
  BreakGlassReview,
  BreakGlassStart,
  BreakGlassView,
  EmergencyUseQuery,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type BreakGlassParts,
  endBreakGlass,
  listBreakGlass,
  reviewBreakGlass,
  showBreakGlass,
  startBreakGlass,
} from '@auricle/vault'
import type { Request } from 'express'
import type { z } from 'zod'
import { breakGlassHeader, showBanner } from '../break-glass-banner.ts'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  BreakGlassDetail,
  BreakGlassPage,
  BreakGlassReview,
  BreakGlassStart,
  BreakGlassView,
} as const satisfies Record<string, z.ZodType>

const params = { id: { schema: BreakGlassId, description: "The emergency access's id." } }

export const table = [
  {
    operationId: 'startBreakGlass',
    method: 'post',
    path: '/v1/break-glass',
    needs: 'break_glass.start',
    summary: 'Open emergency access',
    description:
      'Recordings of all mailboxes may be shown and heard until it ends, by itself. The compliance officer is told at ' +
      'once, and somebody else must judge it afterwards.',
    body: 'BreakGlassStart',
    answers: [created('BreakGlassView', 'It is open.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'listBreakGlass',
    method: 'get',
    path: '/v1/break-glass',
    needs: 'break_glass.read',
    summary: 'List emergency access',
    description:
      "Newest first: everybody's for those who oversee, one's own for all others. Without the reasons, which are shown one by one.",
    query: {
      schema: BreakGlassQuery,
      notes: {
        state:
          '`open`, `unreviewed` (over, and not judged yet), `overdue` (nor judged in time) or `reviewed`.',
        cursor: '`nextCursor` of the page before.',
        limit: 'Most on a page.',
      },
    },
    answers: [ok('BreakGlassPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'showBreakGlass',
    method: 'get',
    path: '/v1/break-glass/{id}',
    params,
    needs: 'break_glass.read',
    summary: 'Show emergency access',
    description:
      'With its reason. For those who oversee also the recordings that were asked for under it, as the audit log has them, page by page.',
    query: {
      schema: EmergencyUseQuery,
      notes: { cursor: '`uses.nextCursor` of the page before.', limit: 'Most events of the log looked at.' },
    },
    answers: [ok('BreakGlassDetail', 'The emergency access.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'endBreakGlass',
    method: 'delete',
    path: '/v1/break-glass/{id}',
    params,
    needs: 'self.manage',
    summary: 'End emergency access',
    description: "Ends one's own before its time.",
    answers: [done('It is over.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict'],
  },
  {
    operationId: 'reviewBreakGlass',
    method: 'post',
    path: '/v1/break-glass/{id}/review',
    params,
    needs: 'break_glass.review',
    summary: 'Judge emergency access',
    description: 'Once, when it is over, by somebody else than the person it was opened by.',
    body: 'BreakGlassReview',
    answers: [created('BreakGlassView', 'The emergency access with its review.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface BreakGlassRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly breakGlass: BreakGlassParts
}

const idOf = (request: Request) => BreakGlassId.parse(request.params['id'])

export function createBreakGlassHandlers({ identity, breakGlass }: BreakGlassRouteParts) {
  return {
    async startBreakGlass(request, response) {
      const { reason } = BreakGlassStart.parse(request.body)
      const facts = factsOf(identity, request)
      const view = await startBreakGlass(breakGlass, facts, reason, exchangeOf(request))
      showBanner(response, { breakGlass: { id: view.id, until: new Date(view.until) } })
      response.status(201).json(view)
    },
    async listBreakGlass(request, response) {
      const query = BreakGlassQuery.parse(request.query)
      response.json(await listBreakGlass(breakGlass, factsOf(identity, request), query, exchangeOf(request)))
    },
    async showBreakGlass(request, response) {
      const query = EmergencyUseQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await showBreakGlass(breakGlass, facts, idOf(request), query, exchangeOf(request)))
    },
    async endBreakGlass(request, response) {
      await endBreakGlass(breakGlass, factsOf(identity, request), idOf(request), exchangeOf(request))
      response.removeHeader(breakGlassHeader)
      response.status(204).end()
    },
    async reviewBreakGlass(request, response) {
      const review = BreakGlassReview.parse(request.body)
      const facts = factsOf(identity, request)
      const view = await reviewBreakGlass(breakGlass, facts, idOf(request), review, exchangeOf(request))
      response.status(201).json(view)
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
