// Legal holds: what would be covered, placed, extended, released; and the notices that one is told by.
import {
  AddedClauses,
  AddedCustodians,
  AddedRecordings,
  HeldPage,
  HeldQuery,
  HoldChange,
  HoldDetail,
  HoldId,
  HoldPage,
  HoldPreview,
  HoldQuery,
  HoldRelease,
  HoldScope,
  HoldView,
  NewHold,
  OwnNotice,
  OwnNoticeList,
  RecordingId,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  acknowledgeNotice,
  extendHold,
  type HoldParts,
  listHeld,
  listHolds,
  listOwnNotices,
  placeHold,
  previewHold,
  releaseCover,
  releaseHold,
  showHold,
} from '@auricle/vault'
import type { Request } from 'express'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  AddedClauses,
  AddedCustodians,
  AddedRecordings,
  HeldPage,
  HoldChange,
  HoldDetail,
  HoldPage,
  HoldPreview,
  HoldRelease,
  HoldScope,
  HoldView,
  NewHold,
  OwnNotice,
  OwnNoticeList,
} as const satisfies Record<string, z.ZodType>

const ofHold = { id: { schema: HoldId, description: "The hold's id." } }
const cursor = '`nextCursor` of the page before.'
const changing = ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'] as const

export const table = [
  {
    operationId: 'listHolds',
    method: 'get',
    path: '/v1/holds',
    needs: 'hold.read',
    summary: 'List legal holds',
    description:
      'Newest first, with how much each covers and how many of its custodians have read their notice.',
    query: {
      schema: HoldQuery,
      notes: {
        active: '`true`: only those in force; `false`: only those released.',
        cursor,
        limit: 'Most on a page.',
      },
    },
    answers: [ok('HoldPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'placeHold',
    method: 'post',
    path: '/v1/holds',
    needs: 'hold.manage',
    summary: 'Place a legal hold',
    description:
      'From the answer on nothing of what it covers is destroyed, whatever rules, reviews and stores say; what comes later ' +
      'and is as a clause says comes under it by itself. All of one clause must hold, and any clause will do. Named in the ' +
      'answer: whose destruction had begun, which the hold stops, and what is gone.',
    body: 'NewHold',
    answers: [created('HoldChange', 'The hold, and what it came to.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'tooLarge'],
  },
  {
    operationId: 'previewHold',
    method: 'post',
    path: '/v1/hold-previews',
    needs: 'hold.read',
    summary: 'Count what a hold would cover',
    description: 'As of now; nothing is held by it.',
    body: 'HoldScope',
    answers: [ok('HoldPreview', 'The count.')],
    problems: ['malformed', 'denied', 'tooLarge'],
  },
  {
    operationId: 'showHold',
    method: 'get',
    path: '/v1/holds/{id}',
    params: ofHold,
    needs: 'hold.read',
    summary: 'Show a legal hold',
    description: 'With its clauses as they were written, its custodians, and what was done to it by whom.',
    answers: [ok('HoldDetail', 'The hold.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'addHoldClauses',
    method: 'post',
    path: '/v1/holds/{id}/clauses',
    params: ofHold,
    needs: 'hold.manage',
    summary: 'Add clauses to a hold',
    description: 'It only ever grows by them: no clause is changed or taken away.',
    body: 'AddedClauses',
    answers: [created('HoldChange', 'The hold, and what came under it.')],
    problems: changing,
  },
  {
    operationId: 'addHoldRecordings',
    method: 'post',
    path: '/v1/holds/{id}/recordings',
    params: ofHold,
    needs: 'hold.manage',
    summary: 'Add recordings to a hold by hand',
    description: 'Also one that was taken out before.',
    body: 'AddedRecordings',
    answers: [created('HoldChange', 'The hold, and what came under it.')],
    problems: changing,
  },
  {
    operationId: 'listHeld',
    method: 'get',
    path: '/v1/holds/{id}/recordings',
    params: ofHold,
    needs: 'hold.read',
    summary: 'List what a hold covers',
    description: 'By id, also what was taken out of it or was covered until its end (`releasedAt`).',
    query: { schema: HeldQuery, notes: { cursor, limit: 'Most on a page.' } },
    answers: [ok('HeldPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'releaseHeldRecording',
    method: 'post',
    path: '/v1/holds/{id}/recordings/{recording}/release',
    params: { ...ofHold, recording: { schema: RecordingId, description: "The recording's id." } },
    needs: 'hold.manage',
    summary: 'Take one recording out of a hold',
    description:
      'Other holds over it stay. The clauses that the hold has by then do not bring it back; a later one may, and somebody ' +
      'by hand.',
    body: 'HoldRelease',
    answers: [done('The hold does not cover it any more.')],
    problems: changing,
  },
  {
    operationId: 'addHoldCustodians',
    method: 'post',
    path: '/v1/holds/{id}/custodians',
    params: ofHold,
    needs: 'hold.manage',
    summary: 'Add custodians to a hold',
    description:
      'People who have to keep what they have of the matter: each finds the notice among their own.',
    body: 'AddedCustodians',
    answers: [created('HoldChange', 'The hold.')],
    problems: changing,
  },
  {
    operationId: 'releaseHold',
    method: 'post',
    path: '/v1/holds/{id}/release',
    params: ofHold,
    needs: 'hold.manage',
    summary: 'Release a legal hold',
    description:
      'What no other hold covers is kept by the rules alone again. Nothing is destroyed by a release: that has to be ' +
      'proposed anew.',
    body: 'HoldRelease',
    answers: [created('HoldView', 'The hold, with how many recordings it covered.')],
    problems: changing,
  },
  {
    operationId: 'listOwnNotices',
    method: 'get',
    path: '/v1/own-notices',
    needs: 'self.read',
    summary: 'My notices of legal holds',
    description:
      'Of holds that one is a custodian of, those in force first. As plain text, all of them to be read.',
    answers: [
      {
        status: 200,
        description: 'The notices.',
        body: { type: 'json', schema: 'OwnNoticeList', orBytes: 'text/plain' },
      },
    ],
    problems: ['denied'],
  },
  {
    operationId: 'acknowledgeNotice',
    method: 'post',
    path: '/v1/own-notices/{id}/acknowledgement',
    params: ofHold,
    needs: 'self.manage',
    summary: 'Say that one has read a notice',
    description: 'Each custodian for themselves, once.',
    answers: [created('OwnNotice', 'The notice.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface HoldRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly holds: HoldParts
}

const idOf = (request: Request) => HoldId.parse(request.params['id'])

export function createHoldHandlers({ identity, holds }: HoldRouteParts) {
  /** More of the same hold, whichever part of it. */
  const extending =
    (schema: z.ZodType<Parameters<typeof extendHold>[3]>): Handler =>
    async (request, response) => {
      const extension = schema.parse(request.body)
      const facts = factsOf(identity, request)
      const change = await extendHold(holds, facts, idOf(request), extension, exchangeOf(request))
      response.status(201).json(change)
    }

  return {
    async listHolds(request, response) {
      const query = HoldQuery.parse(request.query)
      response.json(await listHolds(holds, factsOf(identity, request), query, exchangeOf(request)))
    },
    async placeHold(request, response) {
      const hold = NewHold.parse(request.body)
      const facts = factsOf(identity, request)
      response.status(201).json(await placeHold(holds, facts, hold, exchangeOf(request)))
    },
    async previewHold(request, response) {
      const scope = HoldScope.parse(request.body)
      response.json(await previewHold(holds, factsOf(identity, request), scope, exchangeOf(request)))
    },
    async showHold(request, response) {
      response.json(await showHold(holds, factsOf(identity, request), idOf(request), exchangeOf(request)))
    },
    addHoldClauses: extending(AddedClauses),
    addHoldRecordings: extending(AddedRecordings),
    addHoldCustodians: extending(AddedCustodians),
    async listHeld(request, response) {
      const query = HeldQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listHeld(holds, facts, idOf(request), query, exchangeOf(request)))
    },
    async releaseHeldRecording(request, response) {
      const release = HoldRelease.parse(request.body)
      const recordingId = RecordingId.parse(request.params['recording'])
      const cover = { id: idOf(request), recordingId }
      await releaseCover(holds, factsOf(identity, request), cover, release, exchangeOf(request))
      response.status(204).end()
    },
    async releaseHold(request, response) {
      const release = HoldRelease.parse(request.body)
      const facts = factsOf(identity, request)
      const released = await releaseHold(holds, facts, idOf(request), release, exchangeOf(request))
      response.status(201).json(released)
    },
    async listOwnNotices(request, response) {
      const list = await listOwnNotices(holds, factsOf(identity, request), exchangeOf(request))
      response.vary('Accept')
      if (request.accepts(['application/json', 'text/plain']) !== 'text/plain') {
        response.json(list)
        return
      }
      response.type('text/plain; charset=utf-8').send(list.notices.map(({ text }) => text).join('\n\n'))
    },
    async acknowledgeNotice(request, response) {
      const facts = factsOf(identity, request)
      const notice = await acknowledgeNotice(holds, facts, idOf(request), exchangeOf(request))
      response.status(201).json(notice)
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
