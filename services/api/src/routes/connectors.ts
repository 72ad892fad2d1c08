// Connectors: the telephone systems that may deliver, made, given new secrets, and disabled.

import type { Session } from '@auricle/contract'
import { ConnectorId, MailboxId, Name } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import type { ConnectorKind } from '@auricle/pbx'
import {
  type ConnectorParts,
  disableConnector,
  endOverlap,
  listConnectors,
  makeConnector,
  rotateConnector,
  showConnector,
} from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'

const hourMs = 60 * 60_000
const overlapHoursMost = 168
const maxBytesDefault = 4 * 1024 ** 3
const maxBytesMost = 64 * 1024 ** 3
const allowedHostsMost = 16

const kinds = ['standard', 'upload'] as const satisfies readonly ConnectorKind[]

/** Private networks are opened at the machine's console alone: whoever administers a tenant may not own the network. */
const PublicOrigin = z
  .string()
  .max(256)
  .refine(
    text => URL.canParse(text) && new URL(text).protocol === 'https:' && new URL(text).origin === text,
    'expected an origin such as https://pbx.example.org',
  )

const Connector = z.strictObject({
  id: ConnectorId,
  kind: z.string(),
  name: z.string(),
  /** Where recordings go that name no mailbox. */
  defaultMailbox: MailboxId.nullable(),
  maxBytes: z.int(),
  idleTimeoutMs: z.int(),
  /** Where audio may be fetched from; a private network is one that the operator opened. */
  allowedHosts: z.array(z.strictObject({ origin: z.string(), privateCidr: z.string().nullable() })),
  createdAt: z.iso.datetime(),
  disabledAt: z.iso.datetime().nullable(),
  /** Until when the secret before the newest still holds. */
  previousUntil: z.iso.datetime().nullable(),
  /** When a delivery was last made with it, to a minute. */
  previousLastUsedAt: z.iso.datetime().nullable(),
})

const ConnectorList = z.strictObject({ connectors: z.array(Connector) })

const NewConnector = z.strictObject({
  kind: z.enum(kinds),
  name: Name,
  defaultMailbox: MailboxId.nullable().default(null),
  maxBytes: z.int().min(1).max(maxBytesMost).default(maxBytesDefault),
  idleTimeoutMs: z.int().min(1_000).max(600_000).default(30_000),
  allowedHosts: z.array(PublicOrigin).max(allowedHostsMost).default([]),
})

/** The secret is shown this once. */
const ConnectorSecret = z.strictObject({
  connector: Connector,
  /** Where the PBX delivers to. */
  address: z.string(),
  secret: z.string(),
})

const SecretChange = z.strictObject({
  /** How long the secret in use still holds. */
  overlapHours: z.int().min(0).max(overlapHoursMost).default(24),
  /** Whether an overlap that still runs may end for it. */
  endOverlap: z.boolean().default(false),
})

/** Under the names the document gives them. */
export const schemas = {
  Connector,
  ConnectorList,
  ConnectorSecret,
  NewConnector,
  SecretChange,
} as const satisfies Record<string, z.ZodType>

const params = { id: { schema: ConnectorId, description: "The connector's id." } }

export const table = [
  {
    operationId: 'listConnectors',
    method: 'get',
    path: '/v1/connectors',
    needs: 'machine.read',
    summary: 'List connectors',
    description: 'All of the tenant, the disabled ones too, oldest first; there are at most a thousand.',
    answers: [ok('ConnectorList', 'The connectors, without their secrets.')],
    problems: ['denied'],
  },
  {
    operationId: 'createConnector',
    method: 'post',
    path: '/v1/connectors',
    needs: 'machine.manage',
    summary: 'Make a connector',
    description: 'Answers the address and the secret to enter in the PBX; the secret is shown this once.',
    body: 'NewConnector',
    answers: [created('ConnectorSecret', 'The connector, its address and its secret.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'showConnector',
    method: 'get',
    path: '/v1/connectors/{id}',
    params,
    needs: 'machine.read',
    summary: 'Show a connector',
    description: 'Also until when the secret before the newest holds, and when it was last used.',
    answers: [ok('Connector', 'The connector, without its secrets.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'disableConnector',
    method: 'delete',
    path: '/v1/connectors/{id}',
    params,
    needs: 'machine.manage',
    summary: 'Disable a connector',
    description:
      'For good; what it delivered stays. Within half a minute nothing is taken from its PBX any more.',
    answers: [done('It is disabled.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
  {
    operationId: 'rotateConnector',
    method: 'post',
    path: '/v1/connectors/{id}/secrets',
    params,
    needs: 'machine.manage',
    summary: 'Make a new secret for a connector',
    description:
      'The new secret is shown this once. The one in use holds until the overlap ends; while one runs, another change ' +
      'is a conflict unless `endOverlap` says otherwise.',
    body: 'SecretChange',
    answers: [created('ConnectorSecret', 'The connector, its address and its new secret.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'endOverlap',
    method: 'delete',
    path: '/v1/connectors/{id}/secrets/previous',
    params,
    needs: 'machine.manage',
    summary: 'End an overlap',
    description: 'The secret before the newest holds no longer; within half a minute no service takes it.',
    answers: [done('Only the newest secret holds.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface ConnectorRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly connectors: ConnectorParts
}

export function createConnectorHandlers({ identity, connectors }: ConnectorRouteParts) {
  const idOf = (request: { readonly params: unknown }) =>
    z.object({ id: ConnectorId }).parse(request.params).id
  return {
    async listConnectors(request, response) {
      response.json(await listConnectors(connectors, factsOf(identity, request), exchangeOf(request)))
    },
    async createConnector(request, response) {
      const { allowedHosts: origins, ...asked } = NewConnector.parse(request.body)
      const allowedHosts = origins.map(origin => ({ origin, privateCidr: null }))
      const facts = factsOf(identity, request)
      const made = await makeConnector(connectors, facts, { ...asked, allowedHosts }, exchangeOf(request))
      response.status(201).json(made)
    },
    async showConnector(request, response) {
      const facts = factsOf(identity, request)
      response.json(await showConnector(connectors, facts, idOf(request), exchangeOf(request)))
    },
    async disableConnector(request, response) {
      await disableConnector(connectors, factsOf(identity, request), idOf(request), exchangeOf(request))
      response.status(204).end()
    },
    async rotateConnector(request, response) {
      const { overlapHours, endOverlap } = SecretChange.parse(request.body ?? {})
      const change = { id: idOf(request), overlapMs: overlapHours * hourMs, endOverlap }
      const facts = factsOf(identity, request)
      response.status(201).json(await rotateConnector(connectors, facts, change, exchangeOf(request)))
    },
    async endOverlap(request, response) {
      await endOverlap(connectors, factsOf(identity, request), idOf(request), exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
