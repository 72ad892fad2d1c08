// The weekly review of activity: listed, read, signed; and the working hours by which it judges.
import {
  ActivityReviewDetail,
  ActivityReviewPage,
  ActivityReviewQuery,
  ActivityReviewSignature,
  ReviewId,
  type Session,
  WorkingHours,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  changeWorkingHours,
  listReviews,
  type ReviewParts,
  showReview,
  showWorkingHours,
  signReview,
} from '@auricle/vault'
import type { Request } from 'express'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  ActivityReviewDetail,
  ActivityReviewPage,
  ActivityReviewSignature,
  WorkingHours,
} as const satisfies Record<string, z.ZodType>

const params = { id: { schema: ReviewId, description: "The review's id." } }

export const table = [
  {
    operationId: 'listActivityReviews',
    method: 'get',
    path: '/v1/activity-reviews',
    needs: 'review.read',
    summary: 'List weekly reviews',
    description:
      'Newest first. A week is looked through an hour after it ended, and its review is due a week later.',
    query: {
      schema: ActivityReviewQuery,
      notes: {
        open: '`true`: only those that nobody has signed; `false`: only those that somebody has.',
        cursor: '`nextCursor` of the page before.',
        limit: 'Most on a page.',
      },
    },
    answers: [ok('ActivityReviewPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'showActivityReview',
    method: 'get',
    path: '/v1/activity-reviews/{id}',
    params,
    needs: 'review.read',
    summary: 'Show a weekly review',
    description: 'With what was found. The events are shown by `/v1/audit/events/{id}`.',
    answers: [ok('ActivityReviewDetail', 'The review.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'signActivityReview',
    method: 'post',
    path: '/v1/activity-reviews/{id}/signature',
    params,
    needs: 'review.sign',
    summary: 'Sign a weekly review',
    description: 'Once, with a verdict on each finding.',
    body: 'ActivityReviewSignature',
    answers: [created('ActivityReviewDetail', 'The review with its signature.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'showWorkingHours',
    method: 'get',
    path: '/v1/working-hours',
    needs: 'tenant.read',
    summary: 'Show the working hours',
    description: 'What is heard outside of them is a finding of the weekly review.',
    answers: [ok('WorkingHours', 'The hours.')],
    problems: ['denied'],
  },
  {
    operationId: 'changeWorkingHours',
    method: 'put',
    path: '/v1/working-hours',
    needs: 'tenant.manage',
    summary: 'Change the working hours',
    description: 'They count for weeks that are looked through from then on.',
    body: 'WorkingHours',
    answers: [ok('WorkingHours', 'The hours as they are now.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'tooLarge'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface ActivityReviewRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly reviews: ReviewParts
}

const idOf = (request: Request) => ReviewId.parse(request.params['id'])

export function createActivityReviewHandlers({ identity, reviews }: ActivityReviewRouteParts) {
  return {
    async listActivityReviews(request, response) {
      const query = ActivityReviewQuery.parse(request.query)
      response.json(await listReviews(reviews, factsOf(identity, request), query, exchangeOf(request)))
    },
    async showActivityReview(request, response) {
      const facts = factsOf(identity, request)
      response.json(await showReview(reviews, facts, idOf(request), exchangeOf(request)))
    },
    async signActivityReview(request, response) {
      const signature = ActivityReviewSignature.parse(request.body)
      const facts = factsOf(identity, request)
      const signed = await signReview(reviews, facts, idOf(request), signature, exchangeOf(request))
      response.status(201).json(signed)
    },
    async showWorkingHours(request, response) {
      response.json(await showWorkingHours(reviews, factsOf(identity, request), exchangeOf(request)))
    },
    async changeWorkingHours(request, response) {
      const hours = WorkingHours.parse(request.body)
      const facts = factsOf(identity, request)
      response.json(await changeWorkingHours(reviews, facts, hours, exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
