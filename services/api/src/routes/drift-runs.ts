// What looks at the stores found: listed, shown.
import {
  DriftFindingQuery,
  DriftRunDetail,
  DriftRunId,
  DriftRunPage,
  DriftRunQuery,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { type DriftRunParts, listDriftRuns, showDriftRun } from '@auricle/vault'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = { DriftRunDetail, DriftRunPage } as const satisfies Record<string, z.ZodType>

const params = { id: { schema: DriftRunId, description: "The run's id." } }

export const table = [
  {
    operationId: 'listDriftRuns',
    method: 'get',
    path: '/v1/drift-runs',
    needs: 'retention.read',
    summary: 'List looks at the stores',
    description: 'Newest first. Once a day both stores are held against what is decided of each recording.',
    query: {
      schema: DriftRunQuery,
      notes: { cursor: '`nextCursor` of the page before.', limit: 'Most on a page.' },
    },
    answers: [ok('DriftRunPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'showDriftRun',
    method: 'get',
    path: '/v1/drift-runs/{id}',
    params,
    needs: 'retention.read',
    summary: 'Show a look at the stores',
    description: 'With what it found, by number; `nextAfter` is the number to go on from.',
    query: {
      schema: DriftFindingQuery,
      notes: { after: 'Number of the last finding that is known.', limit: 'Most findings.' },
    },
    answers: [ok('DriftRunDetail', 'The run.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface DriftRunRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly drift: DriftRunParts
}

export function createDriftRunHandlers({ identity, drift }: DriftRunRouteParts) {
  return {
    async listDriftRuns(request, response) {
      const query = DriftRunQuery.parse(request.query)
      response.json(await listDriftRuns(drift, factsOf(identity, request), query, exchangeOf(request)))
    },
    async showDriftRun(request, response) {
      const query = DriftFindingQuery.parse(request.query)
      const id = DriftRunId.parse(request.params['id'])
      response.json(await showDriftRun(drift, factsOf(identity, request), id, query, exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
