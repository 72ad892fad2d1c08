// A tenant to deliver to and to hear from: people, a mailbox, and a connector of each kind.
import type { AllowedHost, TenantRow } from '@auricle/catalog'
import { type ConnectorId, type Role, Scope } from '@auricle/contract'
import { createPasswords, newOpaqueToken, newTotp } from '@auricle/identity'
import { connectors as kinds } from '@auricle/pbx'
import {
  assignMailbox,
  createConnector,
  createMailbox,
  createTenant,
  createTenantSecrets,
  createUser,
  issueProgramToken,
} from '@auricle/vault'
import { guardedKeys } from '../guarded-keys.ts'
import type { Stack } from './stack.ts'

const keepDays = 2557
const idleTimeoutMs = 30_000
const tokenMs = 24 * 60 * 60_000
const allScopes = { lifetimeMs: tokenMs, scopes: Scope.options, name: null }
const maxBytesDefault = 2 ** 30

export interface Person {
  readonly login: string
  readonly password: string
  readonly totpSecret: string
  /** A bearer token of theirs. */
  readonly token: string
}

export interface DeliveryPoint {
  readonly id: ConnectorId
  readonly kind: 'standard' | 'upload'
  /** As the administrator of the PBX gets it. */
  readonly secret: string
}

export interface Clinic {
  readonly tenant: TenantRow
  readonly clinician: Person
  readonly stranger: Person
  readonly mailbox: string
  readonly standard: DeliveryPoint
  readonly upload: DeliveryPoint
}

export interface ClinicOptions {
  readonly slug: string
  readonly name: string
  readonly mailboxAddress: string
  readonly mailboxName: string
  readonly clinicianName: string
  readonly password: string
  readonly allowedHosts: readonly AllowedHost[]
  readonly maxBytes?: number
}

/** The clinician owns the mailbox; the stranger is a clinician too, and owns none. */
export async function openClinic(
  { adapters, log }: Pick<Stack, 'adapters' | 'log'>,
  options: ClinicOptions,
): Promise<Clinic> {
  const { catalog, noteKeyUse } = adapters
  const keys = guardedKeys(adapters.keys, noteKeyUse)
  const parts = { catalog, keys, secrets: createTenantSecrets({ catalog, keys, log }) }
  const { slug, name } = options
  const tenant = await createTenant(parts, { slug, name, keepDays }, {})
  const tenantId = tenant.id
  // As Terraform makes them: a service with the rights it needs makes no key.
  await keys.ensure({ purpose: 'identity' }, {})
  await keys.ensure({ purpose: 'checkpoints' }, {})
  await keys.ensure({ purpose: 'receipts' }, {})

  const person = async (login: string, fullName: string, roles: readonly Role[]) => {
    const passwordHash = await createPasswords().hashPassword(options.password, login, {})
    const totp = newTotp({ issuer: slug, account: login })
    const facts = { tenantId, login, name: fullName, roles, passwordHash, totpSecret: totp.secret }
    const user = await createUser(parts, facts, {})
    const { token } = await issueProgramToken({ catalog, newOpaqueToken }, user, allScopes, {})
    return { user, login, password: options.password, totpSecret: totp.secret, token }
  }
  const clinician = await person('clinician', options.clinicianName, ['clinician'])
  const stranger = await person('stranger', 'Another clinician', ['clinician'])
  const mailbox = await createMailbox(
    parts,
    { tenantId, address: options.mailboxAddress, name: options.mailboxName },
    {},
  )
  await assignMailbox(parts, { tenantId, id: mailbox.id }, clinician.user, {})

  const point = async (kind: 'standard' | 'upload'): Promise<DeliveryPoint> => {
    const { secrets, shown } = kinds[kind].newSecrets()
    const row = await createConnector(
      parts,
      {
        tenantId,
        kind,
        name: `PBX by ${kind}`,
        defaultMailboxId: mailbox.id,
        maxBytes: options.maxBytes ?? maxBytesDefault,
        idleTimeoutMs,
        allowedHosts: options.allowedHosts,
        pbxSecrets: secrets,
      },
      {},
    )
    return { id: row.id, kind, secret: shown }
  }
  return {
    tenant,
    clinician,
    stranger,
    mailbox: options.mailboxAddress,
    standard: await point('standard'),
    upload: await point('upload'),
  }
}
