// Disclosures: recorded, listed; and what an agency asked to leave out of their accounting for a time.
import {
  DisclosurePage,
  DisclosureQuery,
  DisclosureView,
  NewDisclosure,
  NewSuspension,
  type Session,
  SuspensionId,
  SuspensionList,
  SuspensionQuery,
  SuspensionView,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type DisclosureParts,
  endSuspension,
  listDisclosures,
  listSuspensions,
  recordDisclosure,
  suspendDisclosures,
} from '@auricle/vault'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  DisclosurePage,
  DisclosureView,
  NewDisclosure,
  NewSuspension,
  SuspensionList,
  SuspensionView,
} as const satisfies Record<string, z.ZodType>

const patient = "The PBX's reference, or the name that the log has for them."

export const table = [
  {
    operationId: 'recordDisclosure',
    method: 'post',
    path: '/v1/disclosures',
    needs: 'disclosure.record',
    summary: 'Record a disclosure',
    description:
      'That something of a patient was given to somebody outside. Purpose and kind of recipient decide whether the ' +
      'patient is told of it in an accounting (`accountable`).',
    body: 'NewDisclosure',
    answers: [created('DisclosureView', 'The disclosure.')],
    problems: ['malformed', 'denied', 'notFound', 'tooLarge'],
  },
  {
    operationId: 'listDisclosures',
    method: 'get',
    path: '/v1/disclosures',
    needs: 'disclosure.read',
    summary: 'List disclosures',
    description: 'All that were recorded of a patient, also those that no accounting holds; newest first.',
    query: {
      schema: DisclosureQuery,
      notes: { patient, cursor: '`nextCursor` of the page before.', limit: 'Most disclosures on a page.' },
    },
    answers: [ok('DisclosurePage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'suspendDisclosures',
    method: 'post',
    path: '/v1/disclosure-suspensions',
    needs: 'disclosure.suspend',
    summary: 'Leave out of the accounting for a time',
    description:
      'What went to agencies of that kind, as one of them has asked (45 CFR 164.528(a)(2)). By word of mouth it holds at ' +
      'most 30 days.',
    body: 'NewSuspension',
    answers: [created('SuspensionView', 'The suspension.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'tooLarge'],
  },
  {
    operationId: 'listSuspensions',
    method: 'get',
    path: '/v1/disclosure-suspensions',
    needs: 'disclosure.read',
    summary: 'List suspensions',
    description: 'All of a patient, those that are over too; newest first.',
    query: { schema: SuspensionQuery, notes: { patient } },
    answers: [ok('SuspensionList', 'The suspensions.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'endSuspension',
    method: 'post',
    path: '/v1/disclosure-suspensions/{id}/end',
    params: { id: { schema: SuspensionId, description: "The suspension's id." } },
    needs: 'disclosure.suspend',
    summary: 'End a suspension',
    description: 'Before its time. From now on the accounting holds again what it left out.',
    answers: [done('It is over.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface DisclosureRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly disclosures: DisclosureParts
}

export function createDisclosureHandlers({ identity, disclosures }: DisclosureRouteParts) {
  return {
    async recordDisclosure(request, response) {
      const asked = NewDisclosure.parse(request.body)
      const facts = factsOf(identity, request)
      response.status(201).json(await recordDisclosure(disclosures, facts, asked, exchangeOf(request)))
    },
    async listDisclosures(request, response) {
      const query = DisclosureQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listDisclosures(disclosures, facts, query, exchangeOf(request)))
    },
    async suspendDisclosures(request, response) {
      const asked = NewSuspension.parse(request.body)
      const facts = factsOf(identity, request)
      response.status(201).json(await suspendDisclosures(disclosures, facts, asked, exchangeOf(request)))
    },
    async listSuspensions(request, response) {
      const query = SuspensionQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listSuspensions(disclosures, facts, query, exchangeOf(request)))
    },
    async endSuspension(request, response) {
      const id = SuspensionId.parse(request.params['id'])
      await endSuspension(disclosures, factsOf(identity, request), id, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
