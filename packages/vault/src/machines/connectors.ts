// The telephone systems of a tenant, looked after by its administrators: made, shown, given new secrets, disabled.
import type { AllowedHost, Catalog, ConnectorRow } from '@auricle/catalog'
import { type ConnectorId, type MailboxId, newConnectorId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { sealConnectorSecrets } from '../connector-secrets.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { VaultKeys } from '../vault-keys.ts'
import { type ConnectorView, connectorViewOf, deliveryAddress } from './connector-view.ts'
import { type ConnectorKinds, newSecretsOf, type Overlap, rotate } from './rotate.ts'

/** Those of one tenant, the disabled ones too: a list of them is one answer. */
const connectorsMost = 1000

export interface ConnectorParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'listConnectors'
    | 'findTenantConnector'
    | 'createConnector'
    | 'rotateConnector'
    | 'endConnectorOverlap'
    | 'disableConnector'
  >
  /** Only ever asked to wrap under `connectors` keys. */
  readonly keys: Pick<VaultKeys, 'key'>
  readonly kinds: ConnectorKinds
  /** How PBXs reach the service that takes deliveries. */
  readonly ingestUrl: string
}

export interface ConnectorRequest {
  readonly kind: string
  readonly name: string
  readonly defaultMailbox: MailboxId | null
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly allowedHosts: readonly AllowedHost[]
}

/** What the administrator enters in the PBX. The secret is shown this once. */
export interface ConnectorSecret {
  readonly connector: ConnectorView
  readonly address: string
  readonly secret: string
}

export async function listConnectors(
  parts: ConnectorParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<{ readonly connectors: readonly ConnectorView[] }> {
  const { tenantId } = facts.actor
  const asked = { action: 'machine.read', log: 'connector.listed', object: null } as const
  const { now } = await authorizeReading(parts, facts, asked, options)
  const rows = await parts.catalog.listConnectors(tenantId, options)
  return { connectors: rows.map(row => connectorViewOf(row, now)) }
}

export async function showConnector(
  parts: ConnectorParts,
  facts: RequestFacts,
  id: ConnectorId,
  options: CallOptions,
): Promise<ConnectorView> {
  const object = named('connector', id)
  const asked = { action: 'machine.read', log: 'connector.listed', object } as const
  const { now } = await authorizeReading(parts, facts, asked, options)
  return connectorViewOf(await findConnector(parts, facts, id, options), now)
}

/** Throws `not_found` (CatalogError) for a mailbox that is not the tenant's. */
export async function makeConnector(
  parts: ConnectorParts,
  facts: RequestFacts,
  { kind, defaultMailbox, ...asked }: ConnectorRequest,
  options: CallOptions,
): Promise<ConnectorSecret> {
  const { tenantId } = facts.actor
  const id = newConnectorId()
  const log = { action: 'machine.manage', log: 'connector.created', object: named('connector', id) } as const
  const { now, record } = await authorize(parts, facts, log, options)
  if ((await parts.catalog.listConnectors(tenantId, options)).length >= connectorsMost)
    throw new VaultError('conflict', `A tenant has at most ${connectorsMost} connectors`)
  const { secrets, shown } = newSecretsOf(parts.kinds, kind)
  const sealedSecrets = await sealConnectorSecrets(parts.keys, { tenantId, id }, secrets, now, options)
  const defaultMailboxId = defaultMailbox
  const made = {
    ...asked,
    id,
    tenantId,
    kind,
    defaultMailboxId,
    sealedSecrets,
    createdAt: now,
    disabledAt: null,
  }
  await parts.catalog.createConnector(made, await record(), options)
  const row = { ...made, firstSealedSecrets: null, previous: null, previousUsedAt: null }
  return secretOf(parts, row, shown, now)
}

/** Throws `conflict` as `rotate` does. */
export async function rotateConnector(
  parts: ConnectorParts,
  facts: RequestFacts,
  { id, ...overlap }: Overlap & { readonly id: ConnectorId },
  options: CallOptions,
): Promise<ConnectorSecret> {
  const object = named('connector', id)
  const asked = { action: 'machine.manage', log: 'connector.rotated', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  const row = await findConnector(parts, facts, id, options)
  const rotated = await rotate(parts, row, overlap, { now, record }, options)
  return secretOf(parts, rotated.row, rotated.secret, now)
}

/** From then on only the newest secret holds. Throws `conflict` where no other does. */
export async function endOverlap(
  parts: ConnectorParts,
  facts: RequestFacts,
  id: ConnectorId,
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  const object = named('connector', id)
  const asked = { action: 'machine.manage', log: 'connector.rotated', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  await findConnector(parts, facts, id, options)
  const event = await record(object, ['overlap_ended'])
  if (!(await parts.catalog.endConnectorOverlap({ tenantId, id, at: now }, event, options)))
    throw new VaultError('conflict', 'No secret but the newest holds')
}

/** For good: nothing is deleted, and nothing is taken from its PBX any more. */
export async function disableConnector(
  parts: ConnectorParts,
  facts: RequestFacts,
  id: ConnectorId,
  options: CallOptions,
): Promise<void> {
  const { tenantId } = facts.actor
  const object = named('connector', id)
  const asked = { action: 'machine.manage', log: 'connector.disabled', object } as const
  const { now, record } = await authorize(parts, facts, asked, options)
  await findConnector(parts, facts, id, options)
  if (!(await parts.catalog.disableConnector({ tenantId, id, at: now }, await record(), options)))
    throw new VaultError('conflict', 'The connector is disabled already')
}

async function findConnector(
  { catalog }: Pick<ConnectorParts, 'catalog'>,
  { actor }: RequestFacts,
  id: ConnectorId,
  options: CallOptions,
): Promise<ConnectorRow> {
  const row = await catalog.findTenantConnector(actor.tenantId, id, options)
  if (row === null) throw new VaultError('not_found', 'There is no such connector')
  return row
}

function secretOf(
  { ingestUrl }: Pick<ConnectorParts, 'ingestUrl'>,
  row: ConnectorRow,
  secret: string,
  now: Date,
): ConnectorSecret {
  return { connector: connectorViewOf(row, now), address: deliveryAddress(ingestUrl, row.id), secret }
}
