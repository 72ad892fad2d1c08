// `auricle connector`: the PBXs of a tenant. Their secrets are shown once, when a connector is made.
import type { AllowedHost, TenantRow } from '@auricle/catalog'
import { ConnectorId } from '@auricle/contract'
import { connectors as kinds } from '@auricle/pbx'
import { ingestUrl } from '@auricle/runtime'
import {
  createConnector,
  deliveryAddress,
  disableConnectorAtConsole,
  isError,
  type Overlap,
  rotateAtConsole,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatBytes, formatTime } from '../format.ts'
import { findMailbox, findTenant, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'

export const maxBytesDefault = 4 * 1024 ** 3
export const idleTimeoutMsDefault = 30_000
export const overlapMsDefault = 24 * 60 * 60_000
const overlapMsMost = 7 * overlapMsDefault

export interface NewPbx {
  readonly tenant: string | undefined
  readonly kind: string
  readonly name: string
  readonly mailbox: string | undefined
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly allowedHosts: readonly AllowedHost[]
}

export interface MadeConnector {
  readonly id: string
  readonly kind: string
  readonly url: string
  readonly secret: string
}

/** `https://pbx.example.org`, or with the private network it may resolve to: `http://10.0.0.5:8080=10.0.0.0/24`. */
export function parseAllowedHost(text: string): AllowedHost {
  const [address = '', privateCidr = null] = text.split('=', 2)
  if (!URL.canParse(address))
    throw new UsageError(`"${text}" is not an address such as https://pbx.example.org`)
  return { origin: new URL(address).origin, privateCidr }
}

export async function makeConnector(operator: Operator, pbx: NewPbx): Promise<MadeConnector> {
  const kind = Object.values(kinds).find(known => known.kind === pbx.kind)
  if (kind === undefined) {
    const known = Object.keys(kinds).join(', ')
    throw new UsageError(`There is no connector kind "${pbx.kind}"; there are: ${known}`)
  }
  const tenant = await findTenant(operator, pbx.tenant)
  const mailbox = pbx.mailbox === undefined ? null : await findMailbox(operator, tenant, pbx.mailbox)
  const { secrets, shown } = kind.newSecrets()
  const row = await createConnector(
    operator,
    {
      tenantId: tenant.id,
      kind: pbx.kind,
      name: pbx.name,
      defaultMailboxId: mailbox?.id ?? null,
      maxBytes: pbx.maxBytes,
      idleTimeoutMs: pbx.idleTimeoutMs,
      allowedHosts: pbx.allowedHosts,
      pbxSecrets: secrets,
    },
    operator,
  )
  return {
    id: row.id,
    kind: row.kind,
    url: deliveryAddress(ingestUrl(operator.config), row.id),
    secret: shown,
  }
}

export async function addConnector(operator: Operator, output: Output, pbx: NewPbx): Promise<void> {
  const made = await makeConnector(operator, pbx)
  const lines = [
    `Made connector ${pbx.name} (${made.id}) of kind ${made.kind}. The secret is shown once:`,
    `  deliver to  ${made.url}${made.kind === 'upload' ? '/{name}' : ''}`,
    `  secret      ${made.secret}`,
  ]
  output.value(made, lines.join('\n'))
}

export async function listConnectors(
  operator: Operator,
  output: Output,
  slug: string | undefined,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const connectors = await operator.catalog.listConnectors(tenant.id, operator)
  output.rows(
    connectors.map(({ id, kind, name, maxBytes, allowedHosts, previous, previousUsedAt, disabledAt }) => ({
      id,
      kind,
      name,
      maxBytes,
      allowedHosts,
      previousUntil: previous?.until ?? null,
      previousLastUsedAt: previousUsedAt,
      disabledAt,
    })),
    [
      { title: 'name', cell: row => row.name },
      { title: 'kind', cell: row => row.kind },
      { title: 'takes at most', align: 'right', cell: row => formatBytes(row.maxBytes) },
      { title: 'state', cell: row => (row.disabledAt === null ? 'active' : 'disabled') },
      { title: 'id', cell: row => row.id },
    ],
    `Tenant ${tenant.slug} has no connectors yet: make one with \`auricle connector create\``,
  )
}

/** A new secret, shown once; the one in use holds for `overlapMs`. */
export async function changeSecret(
  operator: Operator,
  output: Output,
  asked: Overlap & { readonly tenant: string | undefined; readonly id: string },
): Promise<void> {
  const { overlapMs, endOverlap } = asked
  if (overlapMs > overlapMsMost) throw new UsageError('--overlap is up to 7d; 0m for none')
  const tenant = await findTenant(operator, asked.tenant)
  const { row, secret } = await explained(
    rotateAtConsole({ ...operator, kinds }, idIn(tenant, asked.id), { overlapMs, endOverlap }, operator),
    tenant,
    asked.id,
  )
  const url = deliveryAddress(ingestUrl(operator.config), row.id)
  const until = row.previous?.until ?? null
  const lines = [
    `Made a new secret for connector ${row.name} (${row.id}). It is shown once:`,
    `  deliver to  ${url}${row.kind === 'upload' ? '/{name}' : ''}`,
    `  secret      ${secret}`,
    until === null
      ? 'The old secret holds no longer'
      : `The old secret holds until ${formatTime(until)}; \`auricle connector list --json\` says when it was last used`,
  ]
  output.value({ id: row.id, kind: row.kind, url, secret, previousUntil: until }, lines.join('\n'))
}

export async function endConnector(
  operator: Operator,
  output: Output,
  slug: string | undefined,
  text: string,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const whose = idIn(tenant, text)
  if (!(await explained(disableConnectorAtConsole(operator, whose, operator), tenant, text)))
    throw new UsageError(`Connector ${text} is disabled already`)
  output.value({ id: text, state: 'disabled' }, `Connector ${text} is disabled`)
}

function idIn(tenant: TenantRow, text: string) {
  const id = ConnectorId.safeParse(text)
  if (!id.success) throw unknown(tenant, text)
  return { tenantId: tenant.id, id: id.data }
}

const unknown = (tenant: TenantRow, text: string) =>
  new UsageError(`Tenant ${tenant.slug} has no connector "${text}"; \`auricle connector list\` shows them`)

async function explained<Result>(work: Promise<Result>, tenant: TenantRow, text: string): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (isError(error, 'VaultError', 'not_found')) throw unknown(tenant, text)
    // Its sentence says what is in the way.
    if (isError(error, 'VaultError', 'conflict') && error instanceof Error)
      throw new UsageError(error.message, { cause: error })
    throw error
  }
}
