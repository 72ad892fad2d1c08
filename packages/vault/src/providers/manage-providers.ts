// OpenID providers of a tenant: made, changed, disabled, looked at, and people linked to who they are there.
import type { Catalog, ChangeOfRights, EndedWithProvider, ProviderRow } from '@auricle/catalog'
import {
  type NewProvider,
  newProviderId,
  type ProviderId,
  type ProviderPatch,
  type ProviderView,
  type UserId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { auditRecord } from '../audit-record.ts'
import type { AuthorizeParts } from '../authorize.ts'
import { newAlert, type OnAlert } from '../break-glass/alert.ts'
import { VaultError } from '../error.ts'
import { type OpenOidcClient, oidcSettings, type ProviderAddresses } from '../sign-in/provider-clients.ts'
import { type Administering, type Administrator, administer } from './administrator.ts'

export interface ManageProvidersParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'createProvider'
    | 'listProviders'
    | 'findProvider'
    | 'changeProvider'
    | 'disableProvider'
    | 'linkIdentity'
  >
  readonly openClient: OpenOidcClient
  readonly addresses: ProviderAddresses
  readonly onAlert: OnAlert
}

/** Throws `malformed` for settings that cannot be, and `taken` (CatalogError) where a provider has that name. */
export async function createProvider(
  parts: ManageProvidersParts,
  who: Administrator,
  { clientSecret, ...asked }: NewProvider,
  options: CallOptions,
): Promise<ProviderView> {
  const id = newProviderId()
  const object = { type: 'provider', id }
  const manage = {
    action: 'provider.manage',
    log: 'provider.created',
    object: { ...object, version: null },
  } as const
  const by = await administer(parts, who, manage, options)
  const provider: ProviderRow = { ...asked, id, tenantId: by.tenantId, createdAt: by.now, disabledAt: null }
  demandPossible(parts, provider, clientSecret)
  const change = await changeOf(by, object, givesRoles(provider) ? 'group_roles_changed' : null)
  await parts.catalog.createProvider(provider, clientSecret, by.secrets.columns, change, options)
  tell(parts, change)
  return viewOf(provider, parts.addresses)
}

export async function listProviders(
  parts: ManageProvidersParts,
  who: Administrator,
  options: CallOptions,
): Promise<readonly ProviderView[]> {
  const by = await administer(parts, who, { ...read, object: null }, options)
  const found = await parts.catalog.listProviders(by.tenantId, options)
  await noteReading(parts, who, by, { type: 'tenant', id: by.tenantId }, options)
  return found.map(provider => viewOf(provider, parts.addresses))
}

/** What is left out stays. Sessions go on; roles follow the new groups when somebody signs in again. */
export async function changeProvider(
  parts: ManageProvidersParts,
  who: Administrator,
  id: ProviderId,
  { clientSecret, ...asked }: ProviderPatch,
  options: CallOptions,
): Promise<ProviderView> {
  const object = { type: 'provider', id }
  const manage = {
    action: 'provider.manage',
    log: 'provider.changed',
    object: { ...object, version: null },
  } as const
  const by = await administer(parts, who, manage, options)
  const found = await findLive(parts, by, id, options)
  const changed: ProviderRow = {
    ...found.provider,
    name: asked.name ?? found.provider.name,
    settings: asked.settings ?? found.provider.settings,
  }
  demandPossible(parts, changed, clientSecret ?? found.clientSecret)
  const isOfRoles = rulesOf(found.provider) !== rulesOf(changed)
  const change = await changeOf(by, object, isOfRoles ? 'group_roles_changed' : null)
  const row = { tenantId: by.tenantId, id, name: changed.name, settings: changed.settings }
  if (!(await parts.catalog.changeProvider(row, clientSecret, by.secrets.columns, change, options)))
    throw notFound()
  tell(parts, change)
  return viewOf(changed, parts.addresses)
}

/** Ends the sessions that came from it, and the roles and teams it gave. */
export async function disableProvider(
  parts: ManageProvidersParts,
  who: Administrator,
  id: ProviderId,
  options: CallOptions,
): Promise<void> {
  const object = { type: 'provider', id }
  const manage = {
    action: 'provider.manage',
    log: 'provider.disabled',
    object: { ...object, version: null },
  } as const
  const by = await administer(parts, who, manage, options)
  const { tenantId, now } = by
  const { request } = by.cause
  const record = async (ended: EndedWithProvider) => [
    await by.record(object),
    ...(await Promise.all(
      eventsOf(ended, id).map(told => auditRecord({ ...told, tenantId, request }, null, now)),
    )),
  ]
  if (!(await parts.catalog.disableProvider({ tenantId, id, at: now }, record, options))) throw notFound()
}

/** Asks the provider about itself. What is wrong, in sentences; empty where nothing is. */
export async function checkProvider(
  parts: ManageProvidersParts,
  who: Administrator,
  id: ProviderId,
  options: CallOptions,
): Promise<readonly string[]> {
  const object = { type: 'provider', id }
  const by = await administer(parts, who, { ...read, object: { ...object, version: null } }, options)
  const { provider, clientSecret } = await findLive(parts, by, id, options)
  await noteReading(parts, who, by, object, options)
  return [...settingFindings(provider), ...(await discoveryFindings(parts, provider, clientSecret, options))]
}

/** Links a person to who they are at a provider. Throws `conflict` where either is somebody else's already. */
export async function linkIdentity(
  parts: ManageProvidersParts,
  who: Administrator,
  link: { readonly userId: UserId; readonly providerId: ProviderId; readonly subject: string },
  options: CallOptions,
): Promise<void> {
  const { userId, providerId, subject } = link
  const object = { type: 'user', id: userId }
  const manage = {
    action: 'provider.manage',
    log: 'provider.changed',
    object: { ...object, version: null },
  } as const
  const by = await administer(parts, who, manage, options)
  await findLive(parts, by, providerId, options)
  const change = await changeOf(by, object, 'identity_linked')
  const row = { tenantId: by.tenantId, providerId, subject, userId, at: by.now }
  if (!(await parts.catalog.linkIdentity(row, change, options)))
    throw new VaultError('not_found', 'There is no such person')
  tell(parts, change)
}

const rulesOf = ({ settings }: ProviderRow) => JSON.stringify(settings.groups)
const givesRoles = ({ settings }: ProviderRow) => settings.groups.some(({ roles }) => roles.length > 0)

/**
 * Who maps groups to roles, or says who somebody is, gives rights that nobody else approves: the compliance officer is
 * told of each time, by the event that says what was done and by whom.
 */
async function changeOf(
  { tenantId, now, record, cause }: Administering,
  object: Parameters<Administering['record']>[0],
  kind: 'group_roles_changed' | 'identity_linked' | null,
): Promise<ChangeOfRights> {
  const event = await record(object)
  const subject = { type: 'event', id: event.id }
  return { event, alert: kind === null ? null : await newAlert(tenantId, kind, subject, cause, null, now) }
}

function tell({ onAlert }: ManageProvidersParts, { alert }: ChangeOfRights): void {
  if (alert !== null) onAlert(alert.alert)
}

/** Everybody of whom something ends has it in the log. */
function eventsOf({ sessions, roles }: EndedWithProvider, id: ProviderId) {
  const outcome = 'allowed' as const
  return [
    ...sessions.map(({ userId, tokenId }) => ({
      action: 'session.ended' as const,
      outcome,
      actor: { type: 'person' as const, userId, tokenId },
      object: { type: 'token', id: tokenId, version: null },
      reasons: ['provider_disabled'],
    })),
    ...roles.map(({ userId, role }) => ({
      action: 'role.revoked' as const,
      outcome,
      actor: { type: 'vouching' as const, id },
      object: { type: 'user', id: userId, version: null },
      reasons: ['provider_disabled', role],
    })),
  ]
}

const read = { action: 'provider.read', log: 'provider.listed' } as const

/** A person's reading is in the log; the operator's is the machine's own. */
async function noteReading(
  { log }: ManageProvidersParts,
  who: Administrator,
  { record }: Administering,
  object: Parameters<Administering['record']>[0],
  options: CallOptions,
): Promise<void> {
  if (who.type === 'person') await log.append(await record(object), options)
}

async function findLive(
  { catalog }: ManageProvidersParts,
  { tenantId, secrets }: Administering,
  id: ProviderId,
  options: CallOptions,
) {
  const found = await catalog.findProvider(tenantId, id, secrets.columns, options)
  if (found === null || found.provider.disabledAt !== null) throw notFound()
  return found
}

const notFound = () => new VaultError('not_found', 'There is no such provider')

/** Settings that no client can be made of would fail at the first sign-in, before somebody who can do nothing about it. */
function demandPossible(parts: ManageProvidersParts, provider: ProviderRow, clientSecret: string): void {
  try {
    parts.openClient(oidcSettings(provider, clientSecret, parts.addresses))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new VaultError('malformed', error.message, { cause: error })
  }
}

function settingFindings(provider: ProviderRow): readonly string[] {
  const { requiredAcr, requiredAmr, provision } = provider.settings
  return [
    ...(requiredAcr.length === 0 && requiredAmr.length === 0
      ? ['Nobody gets in: demand a second factor with requiredAcr or requiredAmr.']
      : []),
    ...(provision && !givesRoles(provider) ? ['Nobody is made a person: no group gives a role.'] : []),
  ]
}

async function discoveryFindings(
  parts: ManageProvidersParts,
  provider: ProviderRow,
  clientSecret: string,
  options: CallOptions,
): Promise<readonly string[]> {
  try {
    const client = parts.openClient(oidcSettings(provider, clientSecret, parts.addresses))
    await client.begin({ purpose: 'sign_in' }, options)
    return []
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const isTold = error instanceof TypeError || error.name === 'IdentityError'
    if (!isTold) throw error
    return [`${provider.issuer} cannot be used: ${error.message}.`]
  }
}

function viewOf(provider: ProviderRow, addresses: ProviderAddresses): ProviderView {
  const { id, name, issuer, clientId, settings, createdAt, disabledAt } = provider
  return {
    ...{ id, name, issuer, clientId, settings },
    redirectUri: addresses.redirectUri(id),
    backChannelLogoutUri: addresses.backChannelLogoutUri(id),
    createdAt: createdAt.toISOString(),
    disabledAt: disabledAt?.toISOString() ?? null,
  }
}
