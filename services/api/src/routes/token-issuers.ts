// Managing the issuers whose tokens a tenant takes from programs, and as whom their subjects act.
import {
  IssuerId,
  IssuerList,
  IssuerPatch,
  IssuerSettings,
  IssuerSubject,
  IssuerSubjectList,
  IssuerView,
  NewIssuer,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type Administrator,
  changeIssuer,
  createIssuer,
  disableIssuer,
  listIssuerSubjects,
  listIssuers,
  type ManageIssuersParts,
  putIssuerSubject,
  removeIssuerSubject,
} from '@auricle/vault'
import type { Request } from 'express'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

const limitDefault = 50
const limitMost = 200
const SubjectsQuery = z.strictObject({
  after: z.string().min(1).max(255).optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})
const SubjectQuery = IssuerSubject.pick({ subject: true })

/** Under the names the document gives them. */
export const schemas = {
  IssuerList,
  IssuerPatch,
  IssuerSettings,
  IssuerSubject,
  IssuerSubjectList,
  IssuerView,
  NewIssuer,
} as const satisfies Record<string, z.ZodType>

const params = { issuer: { schema: IssuerId, description: "The issuer's id." } }

export const table = [
  {
    operationId: 'listIssuers',
    method: 'get',
    path: '/v1/token-issuers',
    needs: 'provider.read',
    summary: 'List issuers',
    description: 'The issuers whose tokens the tenant takes, disabled ones too.',
    answers: [ok('IssuerList', 'The issuers.')],
    problems: ['denied'],
  },
  {
    operationId: 'createIssuer',
    method: 'post',
    path: '/v1/token-issuers',
    needs: 'provider.manage',
    summary: 'Trust an issuer',
    description: 'Its tokens are taken for the subjects that are named to it, and for nobody else.',
    body: 'NewIssuer',
    answers: [created('IssuerView', 'Trusted.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'changeIssuer',
    method: 'patch',
    path: '/v1/token-issuers/{issuer}',
    params,
    needs: 'provider.manage',
    summary: 'Change an issuer',
    description:
      'Replaces its settings whole. Tokens that were shown before are judged by them within half a minute.',
    body: 'IssuerPatch',
    answers: [ok('IssuerView', 'The issuer as it is now.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'tooLarge'],
  },
  {
    operationId: 'disableIssuer',
    method: 'delete',
    path: '/v1/token-issuers/{issuer}',
    params,
    needs: 'provider.manage',
    summary: 'Disable an issuer',
    description: 'For good, and its tokens hold no longer, at once.',
    answers: [done('Disabled.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound'],
  },
  {
    operationId: 'listIssuerSubjects',
    method: 'get',
    path: '/v1/token-issuers/{issuer}/subjects',
    params,
    needs: 'provider.read',
    summary: 'List subjects',
    description: 'Who of the issuer acts as whom here, by subject.',
    query: {
      schema: SubjectsQuery,
      notes: { after: 'The last subject of the page before.', limit: 'Most subjects on a page.' },
    },
    answers: [ok('IssuerSubjectList', 'One page; it is the last where it is not full.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'putIssuerSubject',
    method: 'put',
    path: '/v1/token-issuers/{issuer}/subjects',
    params,
    needs: 'provider.manage',
    summary: 'Name a subject',
    description:
      'Tokens of this subject act as the user, within the scopes that both these and the token name. Where that changes, ' +
      'tokens the subject has shown end.',
    body: 'IssuerSubject',
    answers: [done('Named.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'removeIssuerSubject',
    method: 'delete',
    path: '/v1/token-issuers/{issuer}/subjects',
    params,
    needs: 'provider.manage',
    summary: 'Remove a subject',
    description: 'Its tokens hold no longer, at once.',
    query: { schema: SubjectQuery, notes: { subject: 'As `sub` of its tokens says it.' } },
    answers: [done('Removed.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface TokenIssuerRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly manageIssuers: ManageIssuersParts
}

const issuerOf = (request: Request) => IssuerId.parse(request.params['issuer'])

export function createTokenIssuerHandlers({ identity, manageIssuers: parts }: TokenIssuerRouteParts) {
  const whoAsks = (request: Request): Administrator => ({ type: 'person', facts: factsOf(identity, request) })
  return {
    async listIssuers(request, response) {
      response.json({ issuers: await listIssuers(parts, whoAsks(request), exchangeOf(request)) })
    },
    async createIssuer(request, response) {
      const asked = NewIssuer.parse(request.body)
      response.status(201).json(await createIssuer(parts, whoAsks(request), asked, exchangeOf(request)))
    },
    async changeIssuer(request, response) {
      const id = issuerOf(request)
      const { settings } = IssuerPatch.parse(request.body)
      response.json(await changeIssuer(parts, whoAsks(request), id, settings, exchangeOf(request)))
    },
    async disableIssuer(request, response) {
      await disableIssuer(parts, whoAsks(request), issuerOf(request), exchangeOf(request))
      response.status(204).end()
    },
    async listIssuerSubjects(request, response) {
      const { after = null, limit } = SubjectsQuery.parse(request.query)
      const page = { issuerId: issuerOf(request), after, limit }
      response.json({
        subjects: await listIssuerSubjects(parts, whoAsks(request), page, exchangeOf(request)),
      })
    },
    async putIssuerSubject(request, response) {
      const subject = IssuerSubject.parse(request.body)
      await putIssuerSubject(parts, whoAsks(request), issuerOf(request), subject, exchangeOf(request))
      response.status(204).end()
    },
    async removeIssuerSubject(request, response) {
      const { subject } = SubjectQuery.parse(request.query)
      const removed = { issuerId: issuerOf(request), subject }
      await removeIssuerSubject(parts, whoAsks(request), removed, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
