// `auricle connector`: the PBXs of a tenant. Their secrets are shown once, when a connector is made.
import type { AllowedHost } from '@auricle/catalog'
import { connectors as kinds } from '@auricle/pbx'
import type { Config } from '@auricle/runtime'
import { createConnector } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatBytes } from '../format.ts'
import { findMailbox, findTenant, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'

export const maxBytesDefault = 4 * 1024 ** 3
export const idleTimeoutMsDefault = 30_000

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

function ingestUrl({ ingest }: Pick<Config, 'ingest'>): string {
  return ingest.publicUrl ?? `http://${ingest.host}:${ingest.port}`
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
    url: `${ingestUrl(operator.config)}/v1/ingest/${row.id}`,
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
    connectors.map(({ id, kind, name, maxBytes, allowedHosts, disabledAt }) => ({
      id,
      kind,
      name,
      maxBytes,
      allowedHosts,
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
