// What the commands of an operator work with: the adapters of this deployment, opened for one command.
import type { Catalog, MailboxRow, TeamRow, TenantRow, UserRow } from '@auricle/catalog'
import { guardKeys, type KeyService, type OnKeyUse } from '@auricle/keys'
import type { ObjectStore } from '@auricle/objects'
import type { Config } from '@auricle/runtime'
import {
  createTenantSecrets,
  type EventLog,
  isDurable,
  isError,
  type ReceiveParts,
  type TenantSecretsCache,
  type VaultKeys,
} from '@auricle/vault'
import { UsageError } from './error.ts'

export interface Operator {
  readonly config: Config
  readonly catalog: Catalog
  readonly log: EventLog
  readonly objects: ObjectStore
  /** Null where none is configured. */
  readonly recovery: ObjectStore | null
  readonly keys: VaultKeys
  readonly signer: KeyService['signer']
  /** Where the log is published. */
  readonly logStore: ObjectStore
  readonly limits: ReceiveParts['limits']
  readonly secrets: TenantSecretsCache
  readonly signal: AbortSignal
}

/** Of what is opened for one command or service, what its use cases are given. */
export interface OperatorParts extends Omit<Operator, 'secrets' | 'keys' | 'signer'> {
  readonly keys: Pick<KeyService, 'ensure' | 'key' | 'signer'>
  readonly noteKeyUse: OnKeyUse
}

export function createOperator({ noteKeyUse, ...parts }: OperatorParts): Operator {
  const keys = guardKeys(parts.keys, { isDurable, onUse: noteKeyUse })
  const { signer } = parts.keys
  return { ...parts, keys, signer, secrets: createTenantSecrets({ ...parts, keys }) }
}

/** By short name; with no name, the only tenant there is. */
export async function findTenant(
  { catalog, signal }: Operator,
  slug: string | undefined,
): Promise<TenantRow> {
  if (slug !== undefined) {
    const tenant = await catalog.findTenantBySlug(slug, { signal })
    if (tenant === null)
      throw new UsageError(`There is no tenant "${slug}"; \`auricle tenant list\` shows them`)
    return tenant
  }
  const tenants = await catalog.listTenants({ signal })
  const [only, ...others] = tenants
  if (only === undefined)
    throw new UsageError('There is no tenant yet: make one with `auricle tenant create`')
  if (others.length > 0) throw new UsageError('There are several tenants: say which with --tenant')
  return only
}

export async function findUser(
  { catalog, signal }: Operator,
  tenant: TenantRow,
  login: string,
): Promise<UserRow> {
  const user = await catalog.findUserByLogin(tenant.id, login, { signal })
  if (user === null)
    throw new UsageError(`Tenant ${tenant.slug} has no user "${login}"; \`auricle user list\` shows them`)
  return user
}

export async function findMailbox(
  { catalog, signal }: Operator,
  tenant: TenantRow,
  address: string,
): Promise<MailboxRow> {
  const mailbox = await catalog.findMailboxByAddress(tenant.id, address, { signal })
  if (mailbox === null) {
    throw new UsageError(
      `Tenant ${tenant.slug} has no mailbox "${address}"; \`auricle mailbox list\` shows them`,
    )
  }
  return mailbox
}

export async function findTeam(
  { catalog, signal }: Operator,
  tenant: TenantRow,
  name: string,
): Promise<TeamRow> {
  const team = (await catalog.listTeams(tenant.id, { signal })).find(found => found.name === name)
  if (team === undefined)
    throw new UsageError(`Tenant ${tenant.slug} has no team "${name}"; \`auricle team list\` shows them`)
  return team
}

/** What `work` gives; where the name it would use is taken, the sentence that says so. */
export async function unlessTaken<Result>(work: Promise<Result>, sentence: string): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw isError(error, 'CatalogError', 'taken') ? new UsageError(sentence, { cause: error }) : error
  }
}
