// Dispositions: what has come to its end, proposed, looked at by others, cancelled; and how far each is.
import {
  DispositionDetail,
  DispositionId,
  DispositionItemPage,
  DispositionItemQuery,
  DispositionPage,
  DispositionPreview,
  DispositionQuery,
  DispositionReview,
  DispositionSelection,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  cancelDisposition,
  type DispositionParts,
  listDispositionItems,
  listDispositions,
  previewDisposition,
  proposeDisposition,
  reviewDisposition,
  showDisposition,
} from '@auricle/vault'
import type { Request } from 'express'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  DispositionDetail,
  DispositionItemPage,
  DispositionPage,
  DispositionPreview,
  DispositionReview,
  DispositionSelection,
} as const satisfies Record<string, z.ZodType>

const params = { id: { schema: DispositionId, description: "The disposition's id." } }
const cursor = '`nextCursor` of the page before.'
const limit = 'Most on a page.'

export const table = [
  {
    operationId: 'previewDisposition',
    method: 'post',
    path: '/v1/disposition-previews',
    needs: 'disposition.read',
    summary: 'Count what could be proposed',
    description: 'What is due of what is asked for, in no hold and no other disposition. Nothing is changed.',
    body: 'DispositionSelection',
    answers: [ok('DispositionPreview', 'How much, and since when.')],
    problems: ['malformed', 'denied', 'tooLarge'],
  },
  {
    operationId: 'listDispositions',
    method: 'get',
    path: '/v1/dispositions',
    needs: 'disposition.read',
    summary: 'List dispositions',
    description: 'Newest first, with how many recordings of each are in which state.',
    query: {
      schema: DispositionQuery,
      notes: { state: 'Only those in this state.', cursor, limit },
    },
    answers: [ok('DispositionPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'proposeDisposition',
    method: 'post',
    path: '/v1/dispositions',
    needs: 'disposition.propose',
    summary: 'Propose the end of recordings',
    description:
      'Of what is due of what is asked for, at most 1000 recordings. Others have to approve it, and then it waits.',
    body: 'DispositionSelection',
    answers: [created('DispositionDetail', 'It is up for review.')],
    problems: ['malformed', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'showDisposition',
    method: 'get',
    path: '/v1/dispositions/{id}',
    params,
    needs: 'disposition.read',
    summary: 'Show a disposition',
    description: 'With who looked at it, and what they said.',
    answers: [ok('DispositionDetail', 'The disposition.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'listDispositionItems',
    method: 'get',
    path: '/v1/dispositions/{id}/items',
    params,
    needs: 'disposition.read',
    summary: 'List the recordings of a disposition',
    description:
      'By id, with the version of the rule that governs each, and why one was kept, stopped, or has to wait.',
    query: {
      schema: DispositionItemQuery,
      notes: { state: 'Only those in this state.', cursor, limit },
    },
    answers: [ok('DispositionItemPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'reviewDisposition',
    method: 'post',
    path: '/v1/dispositions/{id}/reviews',
    params,
    needs: 'disposition.review',
    summary: 'Review a disposition',
    description:
      'One stage: `approve`, perhaps with recordings to keep, or `reject`. By somebody who neither proposed it nor reviewed it before. After the last approval it waits, for as many days as the settings say.',
    body: 'DispositionReview',
    answers: [created('DispositionDetail', 'As it is now.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'cancelDisposition',
    method: 'post',
    path: '/v1/dispositions/{id}/cancellation',
    params,
    needs: 'disposition.propose',
    summary: 'Cancel a disposition',
    description: 'Before anything of it is destroyed. Later, a legal hold stops what is left.',
    answers: [created('DispositionDetail', 'It is over.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface DispositionRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly dispositions: DispositionParts
}

const idOf = (request: Request) => DispositionId.parse(request.params['id'])

export function createDispositionHandlers({ identity, dispositions }: DispositionRouteParts) {
  return {
    async previewDisposition(request, response) {
      const selection = DispositionSelection.parse(request.body)
      const facts = factsOf(identity, request)
      response.json(await previewDisposition(dispositions, facts, selection, exchangeOf(request)))
    },
    async listDispositions(request, response) {
      const query = DispositionQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listDispositions(dispositions, facts, query, exchangeOf(request)))
    },
    async proposeDisposition(request, response) {
      const selection = DispositionSelection.parse(request.body)
      const facts = factsOf(identity, request)
      const proposed = await proposeDisposition(dispositions, facts, selection, exchangeOf(request))
      response.status(201).json(proposed)
    },
    async showDisposition(request, response) {
      const facts = factsOf(identity, request)
      response.json(await showDisposition(dispositions, facts, idOf(request), exchangeOf(request)))
    },
    async listDispositionItems(request, response) {
      const query = DispositionItemQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(
        await listDispositionItems(dispositions, facts, idOf(request), query, exchangeOf(request)),
      )
    },
    async reviewDisposition(request, response) {
      const review = DispositionReview.parse(request.body)
      const facts = factsOf(identity, request)
      const reviewed = await reviewDisposition(
        dispositions,
        facts,
        idOf(request),
        review,
        exchangeOf(request),
      )
      response.status(201).json(reviewed)
    },
    async cancelDisposition(request, response) {
      const facts = factsOf(identity, request)
      const cancelled = await cancelDisposition(dispositions, facts, idOf(request), exchangeOf(request))
      response.status(201).json(cancelled)
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
