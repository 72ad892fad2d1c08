// Service accounts: machines with tokens of their own, and no way to sign in.

import type { Session } from '@auricle/contract'
import { Login, Name, Scope, TokenId, UserId } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  createServiceAccount,
  disableServiceAccount,
  endServiceToken,
  issueServiceToken,
  listServiceAccounts,
  listServiceTokens,
  type ServiceAccountParts,
} from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

const daysMost = 366

const ServiceAccount = z.strictObject({
  id: UserId,
  login: z.string(),
  name: z.string(),
  /** Those in force. */
  roles: z.array(z.string()),
  createdAt: z.iso.datetime(),
  disabledAt: z.iso.datetime().nullable(),
})

const ServiceAccountList = z.strictObject({ accounts: z.array(ServiceAccount) })

const NewServiceAccount = z.strictObject({ login: Login, name: Name })

const ServiceTokenList = z.strictObject({
  tokens: z.array(
    z.strictObject({
      id: TokenId,
      name: z.string().nullable(),
      scopes: z.array(Scope),
      createdAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
      /** To half a minute; when it was made, where it was never used. */
      lastUsedAt: z.iso.datetime(),
      revokedAt: z.iso.datetime().nullable(),
    }),
  ),
})

const NewServiceToken = z
  .strictObject({
    name: Name,
    scopes: z.array(Scope).min(1).max(Scope.options.length),
    expiresInDays: z.int().min(1).max(daysMost),
  })
  .refine(({ scopes }) => new Set(scopes).size === scopes.length, 'each scope once')

/** The token is shown this once. */
const MadeServiceToken = z.strictObject({ id: TokenId, token: z.string(), expiresAt: z.iso.datetime() })

/** Under the names the document gives them. */
export const schemas = {
  MadeServiceToken,
  NewServiceAccount,
  NewServiceToken,
  ServiceAccount,
  ServiceAccountList,
  ServiceTokenList,
} as const satisfies Record<string, z.ZodType>

const params = { id: { schema: UserId, description: "The account's id." } }
const ofToken = { ...params, token: { schema: TokenId, description: "The token's id." } }

export const table = [
  {
    operationId: 'listServiceAccounts',
    method: 'get',
    path: '/v1/service-accounts',
    needs: 'machine.read',
    summary: 'List service accounts',
    description: 'All of the tenant, the disabled ones too, oldest first; there are at most a thousand.',
    answers: [ok('ServiceAccountList', 'The accounts.')],
    problems: ['denied'],
  },
  {
    operationId: 'createServiceAccount',
    method: 'post',
    path: '/v1/service-accounts',
    needs: 'machine.manage',
    summary: 'Make a service account',
    description:
      'It has no roles yet: they are asked for and approved as those of people. A login is never used again.',
    body: 'NewServiceAccount',
    answers: [created('ServiceAccount', 'The account.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'disableServiceAccount',
    method: 'delete',
    path: '/v1/service-accounts/{id}',
    params,
    needs: 'machine.manage',
    summary: 'Disable a service account',
    description: 'Ends its tokens in the same moment. It stays on record, and its login stays taken.',
    answers: [done('It is disabled.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
  {
    operationId: 'listServiceTokens',
    method: 'get',
    path: '/v1/service-accounts/{id}/tokens',
    params,
    needs: 'machine.read',
    summary: 'List the tokens of a service account',
    description: 'Without their secrets: those that hold, then the newest of those that ended, 200 together.',
    answers: [ok('ServiceTokenList', 'The tokens.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'issueServiceToken',
    method: 'post',
    path: '/v1/service-accounts/{id}/tokens',
    params,
    needs: 'machine.manage',
    summary: 'Make a token for a service account',
    description:
      'Shown this once. It may be used for its scopes, of what the roles of the account allow. An account has at most ' +
      '50 at a time, and a program hands on no scope that it lacks itself.',
    body: 'NewServiceToken',
    answers: [created('MadeServiceToken', 'The token.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'endServiceToken',
    method: 'delete',
    path: '/v1/service-accounts/{id}/tokens/{token}',
    params: ofToken,
    needs: 'machine.manage',
    summary: 'End a token of a service account',
    description: 'At once and everywhere.',
    answers: [done('The token no longer holds.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface ServiceAccountRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly serviceAccounts: ServiceAccountParts
}

export function createServiceAccountHandlers({ identity, serviceAccounts }: ServiceAccountRouteParts) {
  const idOf = (request: { readonly params: unknown }) => z.object({ id: UserId }).parse(request.params).id
  return {
    async listServiceAccounts(request, response) {
      const facts = factsOf(identity, request)
      response.json(await listServiceAccounts(serviceAccounts, facts, exchangeOf(request)))
    },
    async createServiceAccount(request, response) {
      const account = NewServiceAccount.parse(request.body)
      const facts = factsOf(identity, request)
      const made = await createServiceAccount(serviceAccounts, facts, account, exchangeOf(request))
      response.status(201).json(made)
    },
    async disableServiceAccount(request, response) {
      const facts = factsOf(identity, request)
      await disableServiceAccount(serviceAccounts, facts, idOf(request), exchangeOf(request))
      response.status(204).end()
    },
    async listServiceTokens(request, response) {
      const facts = factsOf(identity, request)
      response.json(await listServiceTokens(serviceAccounts, facts, idOf(request), exchangeOf(request)))
    },
    async issueServiceToken(request, response) {
      const asked = { ...NewServiceToken.parse(request.body), userId: idOf(request) }
      const facts = factsOf(identity, request)
      response.status(201).json(await issueServiceToken(serviceAccounts, facts, asked, exchangeOf(request)))
    },
    async endServiceToken(request, response) {
      const { id: userId, token: tokenId } = z.object({ id: UserId, token: TokenId }).parse(request.params)
      const facts = factsOf(identity, request)
      await endServiceToken(serviceAccounts, facts, { userId, tokenId }, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
