// Issuers whose tokens a tenant takes from programs, and as whom their subjects act.
import type { Catalog, IssuerRow } from '@auricle/catalog'
import {
  type IssuerId,
  type IssuerSettings,
  type IssuerSubject,
  type IssuerView,
  type NewIssuer,
  newIssuerId,
} from '@auricle/contract'
import type { IssuerVerifier, IssuerSettings as VerifierSettings } from '@auricle/identity'
import type { CallOptions } from '@auricle/sealed'
import type { AuthorizeParts } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { type Administering, type Administrator, administer } from './administrator.ts'

/** As the identity package makes them. Throws `TypeError` for settings that cannot be. */
export type OpenIssuerVerifier = (settings: readonly VerifierSettings[]) => IssuerVerifier

export interface ManageIssuersParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'createIssuer'
    | 'listIssuers'
    | 'findIssuer'
    | 'changeIssuer'
    | 'disableIssuer'
    | 'listIssuerSubjects'
    | 'putIssuerSubject'
    | 'removeIssuerSubject'
  >
  readonly openVerifier: OpenIssuerVerifier
}

/** Throws `malformed` for settings that cannot be, and `taken` (CatalogError) where issuer and audience are somebody's. */
export async function createIssuer(
  parts: ManageIssuersParts,
  who: Administrator,
  asked: NewIssuer,
  options: CallOptions,
): Promise<IssuerView> {
  const id = newIssuerId()
  const by = await administer(parts, who, manage('issuer.created', id), options)
  const issuer: IssuerRow = { ...asked, id, tenantId: by.tenantId, createdAt: by.now, disabledAt: null }
  demandPossible(parts, issuer)
  await parts.catalog.createIssuer(issuer, await by.record({ type: 'issuer', id }), options)
  return viewOf(issuer)
}

export async function listIssuers(
  parts: ManageIssuersParts,
  who: Administrator,
  options: CallOptions,
): Promise<readonly IssuerView[]> {
  const by = await administer(parts, who, { ...read, object: null }, options)
  const found = await parts.catalog.listIssuers(by.tenantId, options)
  await noteReading(parts, who, by, { type: 'tenant', id: by.tenantId }, options)
  return found.map(viewOf)
}

export async function changeIssuer(
  parts: ManageIssuersParts,
  who: Administrator,
  id: IssuerId,
  settings: IssuerSettings,
  options: CallOptions,
): Promise<IssuerView> {
  const by = await administer(parts, who, manage('issuer.changed', id), options)
  const changed = { ...(await findLive(parts, by, id, options)), settings }
  demandPossible(parts, changed)
  const event = await by.record({ type: 'issuer', id })
  if (!(await parts.catalog.changeIssuer(changed, event, options))) throw notFound()
  return viewOf(changed)
}

/** Its tokens hold no longer, at once. */
export async function disableIssuer(
  parts: ManageIssuersParts,
  who: Administrator,
  id: IssuerId,
  options: CallOptions,
): Promise<void> {
  const by = await administer(parts, who, manage('issuer.disabled', id), options)
  const event = await by.record({ type: 'issuer', id })
  if (!(await parts.catalog.disableIssuer({ tenantId: by.tenantId, id, at: by.now }, event, options)))
    throw notFound()
}

export async function listIssuerSubjects(
  parts: ManageIssuersParts,
  who: Administrator,
  page: { readonly issuerId: IssuerId; readonly after: string | null; readonly limit: number },
  options: CallOptions,
): Promise<readonly IssuerSubject[]> {
  const object = { type: 'issuer', id: page.issuerId }
  const by = await administer(parts, who, { ...read, object: { ...object, version: null } }, options)
  if ((await parts.catalog.findIssuer(by.tenantId, page.issuerId, options)) === null) throw notFound()
  const found = await parts.catalog.listIssuerSubjects({ ...page, tenantId: by.tenantId }, options)
  await noteReading(parts, who, by, object, options)
  return found.map(({ subject, userId, scopes }) => ({ subject, user: userId, scopes: [...scopes] }))
}

/** Throws `conflict` where the subject is somebody else's, which it stays: another person needs another subject. */
export async function putIssuerSubject(
  parts: ManageIssuersParts,
  who: Administrator,
  issuerId: IssuerId,
  { subject, user: userId, scopes }: IssuerSubject,
  options: CallOptions,
): Promise<void> {
  const by = await administer(parts, who, manage('issuer.changed', issuerId), options)
  await findLive(parts, by, issuerId, options)
  const event = await by.record({ type: 'issuer', id: issuerId })
  const row = { tenantId: by.tenantId, issuerId, subject, userId, scopes, at: by.now }
  if ((await parts.catalog.putIssuerSubject(row, event, options)) === 'other_user')
    throw new VaultError('conflict', 'This subject acts as somebody else already')
}

export async function removeIssuerSubject(
  parts: ManageIssuersParts,
  who: Administrator,
  { issuerId, subject }: { readonly issuerId: IssuerId; readonly subject: string },
  options: CallOptions,
): Promise<void> {
  const by = await administer(parts, who, manage('issuer.changed', issuerId), options)
  const event = await by.record({ type: 'issuer', id: issuerId })
  const row = { tenantId: by.tenantId, issuerId, subject, at: by.now }
  if (!(await parts.catalog.removeIssuerSubject(row, event, options))) throw notFound()
}

const read = { action: 'provider.read', log: 'issuer.listed' } as const
const manage = (log: 'issuer.created' | 'issuer.changed' | 'issuer.disabled', id: IssuerId) =>
  ({ action: 'provider.manage', log, object: { type: 'issuer', id, version: null } }) as const

/** A person's reading is in the log; the operator's is the machine's own. */
async function noteReading(
  { log }: ManageIssuersParts,
  who: Administrator,
  { record }: Administering,
  object: Parameters<Administering['record']>[0],
  options: CallOptions,
): Promise<void> {
  if (who.type === 'person') await log.append(await record(object), options)
}

async function findLive(
  { catalog }: ManageIssuersParts,
  { tenantId }: Administering,
  id: IssuerId,
  options: CallOptions,
): Promise<IssuerRow> {
  const found = await catalog.findIssuer(tenantId, id, options)
  if (found === null || found.disabledAt !== null) throw notFound()
  return found
}

const notFound = () => new VaultError('not_found', 'There is no such issuer, or subject of it')

function demandPossible(parts: ManageIssuersParts, issuer: IssuerRow): void {
  try {
    parts.openVerifier([verifierSettings(issuer)])
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new VaultError('malformed', error.message, { cause: error })
  }
}

export const verifierSettings = ({ id, issuer, audience, settings }: IssuerRow): VerifierSettings => ({
  ...settings,
  id,
  issuer,
  audience,
})

function viewOf({ id, name, issuer, audience, settings, createdAt, disabledAt }: IssuerRow): IssuerView {
  return {
    ...{ id, name, issuer, audience, settings },
    createdAt: createdAt.toISOString(),
    disabledAt: disabledAt?.toISOString() ?? null,
  }
}
