// People: who there is, invited, disabled, and given new factors by an administrator.

import type { Session } from '@auricle/contract'
import { GrantId, Login, Name, Role, RoleRequestId, UserId } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  changePerson,
  invitePerson,
  listPeople,
  type PeopleParts,
  resetFactors,
  showPerson,
} from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'

const limitMost = 200
const limitDefault = 50

/** Why a role is asked for, for whoever decides. */
export const Reason = z.string().trim().min(1).max(1000)

const Factors = z.strictObject({
  password: z.boolean(),
  totp: z.boolean(),
  passkeys: z.int(),
  recoveryCodes: z.int(),
})

const person = {
  id: UserId,
  login: z.string(),
  name: z.string(),
  kind: z.enum(['person', 'service']),
  /** Those in force. */
  roles: z.array(z.string()),
  createdAt: z.iso.datetime(),
  disabledAt: z.iso.datetime().nullable(),
  signedInAt: z.iso.datetime().nullable(),
  /** Until when an invitation of theirs can be accepted. */
  invitedUntil: z.iso.datetime().nullable(),
  factors: Factors,
}

const Person = z.strictObject(person)

export const Grant = z.strictObject({
  id: GrantId,
  user: z.strictObject({
    id: UserId,
    login: z.string(),
    name: z.string(),
    kind: z.enum(['person', 'service']),
    disabledAt: z.iso.datetime().nullable(),
    signedInAt: z.iso.datetime().nullable(),
  }),
  role: z.string(),
  source: z.enum(['operator', 'approval', 'provider']),
  /** Name of the provider whose groups gave it. */
  provider: z.string().nullable(),
  request: RoleRequestId.nullable(),
  /** Logins. */
  requestedBy: z.string().nullable(),
  approvedBy: z.string().nullable(),
  since: z.iso.datetime(),
  until: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  endedBy: z.string().nullable(),
})

const PersonDetail = z.strictObject({ ...person, grants: z.array(Grant) })

const PersonPage = z.strictObject({
  people: z.array(Person),
  /** Pass as `cursor` for the next page; null on the last. */
  nextCursor: UserId.nullable(),
})

const PersonInvite = z
  .strictObject({
    login: Login,
    name: Name,
    /** Asked for with the invitation; somebody else decides. */
    roles: z
      .array(z.strictObject({ role: Role, until: z.iso.datetime().nullable().default(null) }))
      .max(Role.options.length)
      .default([]),
    reason: Reason.optional(),
  })
  .refine(({ roles }) => new Set(roles.map(({ role }) => role)).size === roles.length, 'each role once')
  .refine(({ roles, reason }) => roles.length === 0 || reason !== undefined, 'a reason for the roles')

const Invitation = z.strictObject({ token: z.string(), expiresAt: z.iso.datetime() })

const InvitedPerson = z.strictObject({ person: Person, invitation: Invitation })

const PersonPatch = z
  .strictObject({ name: Name.optional(), disabled: z.boolean().optional() })
  .refine(({ name, disabled }) => name !== undefined || disabled !== undefined, 'something to change')

const PeopleQuery = z.strictObject({
  cursor: UserId.optional(),
  limit: z.coerce.number().int().min(1).max(limitMost).default(limitDefault),
})

/** Under the names the document gives them. */
export const schemas = {
  Grant,
  Invitation,
  InvitedPerson,
  PersonDetail,
  PersonInvite,
  PersonPage,
  Person,
  PersonPatch,
} as const satisfies Record<string, z.ZodType>

const params = { id: { schema: UserId, description: "The person's id." } }

export const table = [
  {
    operationId: 'listPeople',
    method: 'get',
    path: '/v1/people',
    needs: 'people.read',
    summary: 'List people',
    description: 'Everybody of the tenant and its service accounts, in the order they were made.',
    query: {
      schema: PeopleQuery,
      notes: { cursor: '`nextCursor` of the page before.', limit: 'Most people on a page.' },
    },
    answers: [ok('PersonPage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'invitePerson',
    method: 'post',
    path: '/v1/people',
    needs: 'people.manage',
    summary: 'Invite a person',
    description:
      'Makes an account without any way in but the invitation, which is shown this once and holds for seven days. ' +
      'Roles asked for with it are requests: somebody else decides them.',
    body: 'PersonInvite',
    answers: [created('InvitedPerson', 'The person, and the invitation to hand to them.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'showPerson',
    method: 'get',
    path: '/v1/people/{id}',
    params,
    needs: 'people.read',
    summary: 'Show a person',
    description: 'What they sign in with, when they last did, and how they came by each role.',
    answers: [ok('PersonDetail', 'The person.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'changePerson',
    method: 'patch',
    path: '/v1/people/{id}',
    params,
    needs: 'people.manage',
    summary: 'Name, disable or enable a person',
    description:
      'Disabling ends every session, token, cover and invitation of theirs in the same moment; enabling brings none ' +
      'of them back. Nobody disables themselves, or the last administrator.',
    body: 'PersonPatch',
    answers: [ok('Person', 'The person as they are now.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'resetFactors',
    method: 'post',
    path: '/v1/people/{id}/factor-reset',
    params,
    needs: 'people.manage',
    summary: 'Take away what a person signs in with',
    description:
      'Removes password, authenticator, passkeys and recovery codes, ends every session and token of theirs, and makes ' +
      'a new invitation, shown this once. Nobody does it to themselves.',
    answers: [created('Invitation', 'The invitation to hand to them.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface PeopleRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly people: PeopleParts
}

export function createPeopleHandlers({ identity, people }: PeopleRouteParts) {
  const idOf = (request: { readonly params: unknown }) => z.object({ id: UserId }).parse(request.params).id
  return {
    async listPeople(request, response) {
      const query = PeopleQuery.parse(request.query)
      response.json(await listPeople(people, factsOf(identity, request), query, exchangeOf(request)))
    },
    async invitePerson(request, response) {
      const { login, name, roles, reason = '' } = PersonInvite.parse(request.body)
      const invited = { login, name, reason, roles: roles.map(one => ({ ...one, until: timeOf(one.until) })) }
      const made = await invitePerson(people, factsOf(identity, request), invited, exchangeOf(request))
      response.status(201).json(made)
    },
    async showPerson(request, response) {
      const facts = factsOf(identity, request)
      response.json(await showPerson(people, facts, idOf(request), exchangeOf(request)))
    },
    async changePerson(request, response) {
      const change = PersonPatch.parse(request.body)
      const facts = factsOf(identity, request)
      response.json(await changePerson(people, facts, idOf(request), change, exchangeOf(request)))
    },
    async resetFactors(request, response) {
      const facts = factsOf(identity, request)
      response.status(201).json(await resetFactors(people, facts, idOf(request), exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}

export const timeOf = (text: string | null) => (text === null ? null : new Date(text))
