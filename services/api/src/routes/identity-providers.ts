// Managing a tenant's OpenID providers, and who of its people is who there.
import {
  ExternalSubject,
  NewProvider,
  ProviderCheck,
  ProviderId,
  ProviderList,
  ProviderPatch,
  ProviderSettings,
  ProviderView,
  type Session,
  UserId,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type Administrator,
  changeProvider,
  checkProvider,
  createProvider,
  disableProvider,
  linkIdentity,
  listProviders,
  type ManageProvidersParts,
} from '@auricle/vault'
import type { Request } from 'express'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  ExternalSubject,
  NewProvider,
  ProviderCheck,
  ProviderList,
  ProviderPatch,
  ProviderSettings,
  ProviderView,
} as const satisfies Record<string, z.ZodType>

const params = { provider: { schema: ProviderId, description: "The provider's id." } }

export const table = [
  {
    operationId: 'listProviders',
    method: 'get',
    path: '/v1/identity-providers',
    needs: 'provider.read',
    summary: 'List providers',
    description: "The tenant's OpenID providers, disabled ones too, without their secrets.",
    answers: [ok('ProviderList', 'The providers.')],
    problems: ['denied'],
  },
  {
    operationId: 'createProvider',
    method: 'post',
    path: '/v1/identity-providers',
    needs: 'provider.manage',
    summary: 'Connect a provider',
    description: 'The secret is kept sealed and never shown again. People can sign in there at once.',
    body: 'NewProvider',
    answers: [created('ProviderView', 'Connected, with the addresses to register there.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'changeProvider',
    method: 'patch',
    path: '/v1/identity-providers/{provider}',
    params,
    needs: 'provider.manage',
    summary: 'Change a provider',
    description: 'What is left out stays; `settings` are replaced whole. Roles follow at the next sign-in.',
    body: 'ProviderPatch',
    answers: [ok('ProviderView', 'The provider as it is now.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'disableProvider',
    method: 'delete',
    path: '/v1/identity-providers/{provider}',
    params,
    needs: 'provider.manage',
    summary: 'Disable a provider',
    description: 'For good. The sessions that came from it end, and so do the roles and teams that it gave.',
    answers: [done('Nobody signs in there any more.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound'],
  },
  {
    operationId: 'checkProvider',
    method: 'post',
    path: '/v1/identity-providers/{provider}/check',
    params,
    needs: 'provider.read',
    summary: 'Check a provider',
    description: 'Asks the provider about itself and says in sentences what is wrong.',
    answers: [ok('ProviderCheck', 'What was found.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'linkIdentity',
    method: 'put',
    path: '/v1/people/{person}/identities/{provider}',
    params: { ...params, person: { schema: UserId, description: "The person's id." } },
    needs: 'provider.manage',
    summary: 'Link a person to a provider',
    description: 'From now on, whoever has that `sub` at the provider is this person.',
    body: 'ExternalSubject',
    answers: [done('Linked.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface IdentityProviderRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly manageProviders: ManageProvidersParts
}

const providerOf = (request: Request) => ProviderId.parse(request.params['provider'])

export function createIdentityProviderHandlers({
  identity,
  manageProviders: parts,
}: IdentityProviderRouteParts) {
  const whoAsks = (request: Request): Administrator => ({ type: 'person', facts: factsOf(identity, request) })
  return {
    async listProviders(request, response) {
      response.json({ providers: await listProviders(parts, whoAsks(request), exchangeOf(request)) })
    },
    async createProvider(request, response) {
      const asked = NewProvider.parse(request.body)
      response.status(201).json(await createProvider(parts, whoAsks(request), asked, exchangeOf(request)))
    },
    async changeProvider(request, response) {
      const id = providerOf(request)
      const change = ProviderPatch.parse(request.body)
      response.json(await changeProvider(parts, whoAsks(request), id, change, exchangeOf(request)))
    },
    async disableProvider(request, response) {
      await disableProvider(parts, whoAsks(request), providerOf(request), exchangeOf(request))
      response.status(204).end()
    },
    async checkProvider(request, response) {
      const findings = await checkProvider(parts, whoAsks(request), providerOf(request), exchangeOf(request))
      response.json({ ok: findings.length === 0, findings })
    },
    async linkIdentity(request, response) {
      const { subject } = ExternalSubject.parse(request.body)
      const userId = UserId.parse(request.params['person'])
      const link = { userId, providerId: providerOf(request), subject }
      await linkIdentity(parts, whoAsks(request), link, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
