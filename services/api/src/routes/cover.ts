// Cover: a mailbox that somebody else hears until a time.

import type { Session } from '@auricle/contract'
import { DelegationId, MailboxId, UserId } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { type CoverParts, createDelegation, endDelegation, listDelegations } from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'
import { timeOf } from './people.ts'

const limitMost = 200
const limitDefault = 50

const Delegation = z.strictObject({
  id: DelegationId,
  mailbox: MailboxId,
  /** Who is covered for. */
  from: UserId,
  to: UserId,
  createdBy: UserId,
  startsAt: z.iso.datetime(),
  until: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
})

const NewDelegation = z.strictObject({
  mailbox: MailboxId,
  to: UserId,
  until: z.iso.datetime(),
  startsAt: z.iso.datetime().nullable().default(null),
  /** Who is covered for, where an administrator arranges it and the mailbox has several owners. */
  from: UserId.nullable().default(null),
})

const DelegationPage = z.strictObject({
  delegations: z.array(Delegation),
  nextCursor: DelegationId.nullable(),
})

const DelegationQuery = z.strictObject({
  all: z.stringbool().default(false),
  cursor: DelegationId.optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})

/** Under the names the document gives them. */
export const schemas = {
  Delegation,
  DelegationPage,
  NewDelegation,
} as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'createDelegation',
    method: 'post',
    path: '/v1/delegations',
    needs: 'delegation.create',
    summary: 'Have a mailbox covered',
    description:
      'By an owner, or by an administrator for one. Whoever covers hears it like the owner until the time given, at ' +
      'most 90 days, and cannot pass it on. It ends before that where the owner loses the mailbox or is disabled.',
    body: 'NewDelegation',
    answers: [created('Delegation', 'The cover.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'listDelegations',
    method: 'get',
    path: '/v1/delegations',
    needs: 'self.read',
    summary: 'List cover',
    description: 'What one gave and received, newest first, also what has ended.',
    query: {
      schema: DelegationQuery,
      notes: {
        all: "`true` for everybody's, which takes the right to see people.",
        cursor: '`nextCursor` of the page before.',
        limit: 'Most on a page.',
      },
    },
    answers: [ok('DelegationPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'endDelegation',
    method: 'delete',
    path: '/v1/delegations/{id}',
    params: { id: { schema: DelegationId, description: "The cover's id." } },
    needs: 'delegation.end',
    summary: 'End cover',
    description: 'By an owner of the mailbox or an administrator; counts from the next request.',
    answers: [done('It has ended.')],
    problems: ['malformed', 'denied', 'notFound', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface CoverRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly cover: CoverParts
}

export function createCoverHandlers({ identity, cover: parts }: CoverRouteParts) {
  return {
    async createDelegation(request, response) {
      const { startsAt, until, ...asked } = NewDelegation.parse(request.body)
      const cover = { ...asked, startsAt: timeOf(startsAt), until: new Date(until) }
      const made = await createDelegation(parts, factsOf(identity, request), cover, exchangeOf(request))
      response.status(201).json(made)
    },
    async listDelegations(request, response) {
      const query = DelegationQuery.parse(request.query)
      response.json(await listDelegations(parts, factsOf(identity, request), query, exchangeOf(request)))
    },
    async endDelegation(request, response) {
      const { id } = z.object({ id: DelegationId }).parse(request.params)
      await endDelegation(parts, factsOf(identity, request), id, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
