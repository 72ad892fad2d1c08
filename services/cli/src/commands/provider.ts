// `auricle provider`: where the people of a tenant sign in beside here. The client's secret is read, and shown to nobody.
import { createProviderParts } from '@auricle/api-service'
import {
  NewProvider,
  ProviderId,
  type ProviderSettings,
  type ProviderView,
  Role,
  type TenantId,
} from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  type Administrator,
  checkProvider,
  createProvider,
  disableProvider,
  isError,
  listProviders,
  type ManageProvidersParts,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { findTenant, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'

export interface AskedProvider {
  readonly tenant: string | undefined
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly requiredAmr: readonly string[]
  readonly requiredAcr: readonly string[]
  /** As `parseGroup` gives them. */
  readonly groups: ProviderSettings['groups']
  readonly provision: boolean
}

/** `nurses=clinician` or `leads=clinician,supervisor`; the last `=` counts, since groups may have some of their own. */
export function parseGroup(text: string): ProviderSettings['groups'][number] {
  const at = text.lastIndexOf('=')
  const words = text.slice(at + 1).split(',')
  const roles = Role.options.filter(role => words.includes(role))
  if (at < 1 || roles.length < words.length)
    throw new UsageError(`"${text}" is not a group and its roles, such as nurses=clinician,supervisor`)
  return { group: text.slice(0, at), roles, teams: [] }
}

function partsOf(operator: Operator): ManageProvidersParts {
  const { publicUrl, host, port } = operator.config.api
  return {
    ...operator,
    ...createProviderParts(() => publicUrl ?? `http://${host}:${port}`),
    decide: can,
    onAlert: () => undefined,
  }
}

const sentenceOf = (error: unknown) => (error instanceof Error ? error.message : 'That is no provider')
const operatorOf = (tenantId: TenantId): Administrator => ({ type: 'operator', tenantId })

export async function addProvider(operator: Operator, output: Output, asked: AskedProvider): Promise<void> {
  const tenant = await findTenant(operator, asked.tenant)
  const { name, issuer, clientId, clientSecret, requiredAmr, requiredAcr, groups, provision } = asked
  const settings = { requiredAmr, requiredAcr, acrValues: requiredAcr, groups, provision }
  const parsed = NewProvider.safeParse({ name, issuer, clientId, clientSecret, settings })
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new UsageError(`That is no provider: ${wrong.join('; ')}`, { cause: parsed.error })
  }
  const made = await createProvider(partsOf(operator), operatorOf(tenant.id), parsed.data, operator).catch(
    (error: unknown) => {
      if (isError(error, 'VaultError', 'malformed')) throw new UsageError(sentenceOf(error), { cause: error })
      if (isError(error, 'CatalogError', 'taken'))
        throw new UsageError(`Tenant ${tenant.slug} has a provider "${name}" already`, { cause: error })
      throw error
    },
  )
  const lines = [
    `Connected ${made.name} (${made.id}). Register these there:`,
    `  redirect address         ${made.redirectUri}`,
    `  back-channel log-out at  ${made.backChannelLogoutUri}`,
    `Then look whether it answers: auricle provider check ${made.id}`,
  ]
  output.value(made, lines.join('\n'))
}

export async function showProviders(
  operator: Operator,
  output: Output,
  slug: string | undefined,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const rows = await listProviders(partsOf(operator), operatorOf(tenant.id), operator)
  output.rows<ProviderView>(
    rows,
    [
      { title: 'name', cell: row => row.name },
      { title: 'issuer', cell: row => row.issuer },
      { title: 'state', cell: row => (row.disabledAt === null ? 'active' : 'disabled') },
      { title: 'id', cell: row => row.id },
    ],
    `Tenant ${tenant.slug} has no providers: connect one with \`auricle provider add\``,
  )
}

/** False where something is wrong. */
export async function lookAtProvider(
  operator: Operator,
  output: Output,
  slug: string | undefined,
  text: string,
): Promise<boolean> {
  const tenant = await findTenant(operator, slug)
  const work = (id: ProviderId) => checkProvider(partsOf(operator), operatorOf(tenant.id), id, operator)
  const findings = await withProvider(tenant, text, work)
  const sentences = findings.length === 0 ? 'It answers, and people can sign in there' : findings.join('\n')
  output.value({ ok: findings.length === 0, findings }, sentences)
  return findings.length === 0
}

export async function endProvider(
  operator: Operator,
  output: Output,
  slug: string | undefined,
  text: string,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  await withProvider(tenant, text, id =>
    disableProvider(partsOf(operator), operatorOf(tenant.id), id, operator),
  )
  output.value(
    { id: text, state: 'disabled' },
    `Provider ${text} is disabled; the sessions, roles and teams that came from it have ended`,
  )
}

async function withProvider<Result>(
  tenant: { readonly slug: string },
  text: string,
  work: (id: ProviderId) => Promise<Result>,
): Promise<Result> {
  const none = `Tenant ${tenant.slug} has no active provider "${text}"; \`auricle provider list\` shows them`
  const id = ProviderId.safeParse(text)
  if (!id.success) throw new UsageError(none, { cause: id.error })
  try {
    return await work(id.data)
  } catch (error) {
    throw isError(error, 'VaultError', 'not_found') ? new UsageError(none, { cause: error }) : error
  }
}
