// Tokens that one makes for programs of one's own.
import { Scope, type Session, TokenId } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { endOwnToken, listOwnTokens, makeOwnToken, type OwnTokenParts } from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

const daysMost = 366
const daysDefault = 90

const OwnToken = z.strictObject({
  id: TokenId,
  name: z.string().nullable(),
  scopes: z.array(Scope),
  createdAt: z.iso.datetime(),
  /** Last use, within half a minute. */
  seenAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})
const OwnTokenList = z.strictObject({ tokens: z.array(OwnToken) })
const NewToken = z.strictObject({
  name: z.string().trim().min(1).max(64),
  /** What it may be used for, of what the person may do. */
  scopes: z
    .array(Scope)
    .min(1)
    .max(Scope.options.length)
    .refine(scopes => new Set(scopes).size === scopes.length, 'expected each scope once'),
  expiresInDays: z.int().min(1).max(daysMost).default(daysDefault),
})
const MadeToken = OwnToken.extend({
  /** The token itself: `aur_pat_...`. It is shown this once. */
  token: z.string(),
})

/** Under the names the document gives them. */
export const schemas = {
  MadeToken,
  NewToken,
  OwnToken,
  OwnTokenList,
} as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'listOwnTokens',
    method: 'get',
    path: '/v1/me/tokens',
    needs: 'self.manage',
    summary: 'My tokens for programs',
    description: 'Those that still hold, oldest first; never a token itself.',
    answers: [ok('OwnTokenList', 'The tokens.')],
    problems: ['denied'],
  },
  {
    operationId: 'makeOwnToken',
    method: 'post',
    path: '/v1/me/tokens',
    needs: 'self.secure',
    summary: 'Make a token for a program',
    description: 'It acts as the person, within its scopes, until it ends. It is shown once.',
    body: 'NewToken',
    answers: [created('MadeToken', 'The token.')],
    problems: ['malformed', 'conflict', 'tooLarge', 'stepUpRequired', 'denied'],
  },
  {
    operationId: 'endOwnToken',
    method: 'delete',
    path: '/v1/me/tokens/{id}',
    params: { id: { schema: TokenId, description: "The token's id." } },
    needs: 'self.manage',
    summary: 'End a token for a program',
    description: 'At once and everywhere.',
    answers: [done('It holds no longer.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface OwnTokenRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly ownTokens: OwnTokenParts
}

type OwnTokenRow = Awaited<ReturnType<typeof listOwnTokens>>[number]

const shown = ({ id, name, scopes, ...times }: OwnTokenRow): z.output<typeof OwnToken> => ({
  id,
  name,
  scopes: [...scopes],
  createdAt: times.createdAt.toISOString(),
  seenAt: times.seenAt.toISOString(),
  expiresAt: times.expiresAt.toISOString(),
})

export function createOwnTokenHandlers({ identity, ownTokens: vault }: OwnTokenRouteParts) {
  return {
    async listOwnTokens(request, response) {
      const tokens = await listOwnTokens(vault, factsOf(identity, request), exchangeOf(request))
      response.json({ tokens: tokens.map(shown) } satisfies z.output<typeof OwnTokenList>)
    },
    async makeOwnToken(request, response) {
      const wanted = NewToken.parse(request.body)
      const made = await makeOwnToken(vault, factsOf(identity, request), wanted, exchangeOf(request))
      response.status(201).json({ ...shown(made.token), token: made.text })
    },
    async endOwnToken(request, response) {
      const id = TokenId.parse(request.params['id'])
      await endOwnToken(vault, factsOf(identity, request), id, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
