// The laws about rights, held against the table that every grant is made from.
import type { Rights } from './rights.ts'

const services = ['ingest', 'worker', 'disposer', 'api', 'operator']

/** Every right that a role of ours may hold. One that is missing here is misspelt, or more than anybody needs. */
const permissions = new Set([
  'cloudkms.cryptoKeyVersions.create',
  'cloudkms.cryptoKeyVersions.get',
  'cloudkms.cryptoKeyVersions.list',
  'cloudkms.cryptoKeys.create',
  'cloudkms.cryptoKeys.get',
  'cloudkms.cryptoKeys.list',
  'cloudkms.cryptoKeys.update',
  'cloudkms.keyRings.get',
  'storage.buckets.get',
  'storage.objects.create',
  'storage.objects.delete',
  'storage.objects.get',
  'storage.objects.list',
  'storage.objects.setRetention',
  'storage.objects.update',
])

/** What each service may do at most, as `permission store/folder`; the operator looks after all of it. */
const objectRightsMost: Readonly<Record<string, readonly RegExp[]>> = {
  ingest: [/^create recordings\/intake\/$/, /^create log\/late\/$/],
  api: [
    /^get recordings\/recordings\/$/,
    /^create log\/late\/$/,
    /^(create|get) log\/receipt-keys\/$/,
    /^list log\/$/,
  ],
  worker: [
    /^(create|setRetention|update) recordings\/recordings\/$/,
    /^(get|list) recordings\//,
    /^delete recordings\/intake\/$/,
    /^(create|get|setRetention|update) recovery\/recordings\/$/,
    // Without it an absent copy looks like one that may not be had.
    /^list recovery\/$/,
    // What is published of the log is never replaced and never deleted, by whoever it may be.
    /^(create|get|list) log\/$/,
    // Nor is a report that was made.
    /^(create|get) reports\/$/,
  ],
  // Deletes, and knows that it did; nothing else.
  disposer: [
    /^delete recordings\/(recordings|intake)\/$/,
    /^delete recovery\/recordings\/$/,
    /^list (recordings|recovery)\/$/,
    /^create log\/late\/$/,
  ],
  operator: [
    /^create recordings\/intake\/$/,
    /^(get|list) recordings\//,
    /^get recovery\/recordings\/$/,
    /^list recovery\/$/,
    /^create log\/late\/$/,
    /^(get|list) log\/$/,
  ],
}

/** What people may be given who are no service, at most: where, and what. Never to delete, and nothing of the log. */
const officerRightsMost: Readonly<Record<string, readonly RegExp[]>> = {
  retention_officer: [
    /^(get|overrideUnlockedRetention|setRetention|update) (recordings|recovery)\/recordings\/$/,
  ],
}

const keyRightsMost: Readonly<Record<string, readonly string[]>> = {
  ingest: ['encrypt recordings', 'decrypt connectors'],
  api: [
    'decrypt recordings',
    'encrypt connectors',
    'encrypt identity',
    'decrypt identity',
    'view checkpoints',
    'sign receipts',
    'view receipts',
    'view certificates',
  ],
  worker: [
    'encrypt recordings',
    'decrypt recordings',
    'encrypt identity',
    'decrypt identity',
    'sign checkpoints',
    'view checkpoints',
    'sign certificates',
    'view certificates',
  ],
  disposer: ['decrypt recordings'],
  operator: [
    'encrypt recordings',
    'decrypt recordings',
    'encrypt connectors',
    'decrypt connectors',
    'encrypt identity',
    'decrypt identity',
    'view checkpoints',
    'view certificates',
  ],
}

/** Google's roles for keys that may be granted, each for what it says. */
const googleKeyRoles: Readonly<Record<string, string>> = {
  encrypt: 'roles/cloudkms.cryptoKeyEncrypter',
  decrypt: 'roles/cloudkms.cryptoKeyDecrypter',
  sign: 'roles/cloudkms.signer',
  view: 'roles/cloudkms.publicKeyViewer',
}

/** `deploymentKeys`: the keys that are not a tenant's, by the name that grants give them. */
export function judgeRights(rights: Rights, file: string, deploymentKeys: readonly string[]): string[] {
  return [
    ...judgeRoles(rights),
    ...judgeObjectGrants(rights),
    ...judgeWhoDeletes(rights),
    ...judgeOfficerGrants(rights),
    ...judgeKeyGrants(rights, deploymentKeys),
  ].map(sentence => `${file}: ${sentence}`)
}

function* judgeRoles({ object_roles, own_key_roles, key_roles }: Rights): Generator<string> {
  const roles = [
    ...Object.entries(object_roles).map(role => ['storage.', ...role] as const),
    ...Object.entries(own_key_roles).map(role => ['cloudkms.', ...role] as const),
  ]
  for (const [service, name, role] of roles) {
    for (const permission of role.permissions) {
      if (!permissions.has(permission) || !permission.startsWith(service))
        yield `role ${name} holds ${permission}, which no role of ours may`
    }
  }
  for (const [name, role] of Object.entries(key_roles)) {
    if (googleKeyRoles[name] !== role) yield `role ${name} is ${role}, which is not what it says`
    if (own_key_roles[name] !== undefined) yield `role ${name} is Google's and ours`
  }
}

function* judgeObjectGrants({ object_roles, object_grants }: Rights): Generator<string> {
  for (const [name, { service, store, role, within }] of Object.entries(object_grants)) {
    if (!services.includes(service)) yield `grant ${name} is to ${service}, which is no service`
    const held = object_roles[role]?.permissions
    if (held === undefined) {
      yield `grant ${name} is of ${role}, which is no role`
      continue
    }
    for (const permission of held) {
      if (permission === 'storage.buckets.get') continue
      const right = `${permission.replace(/^storage\.objects\./, '')} ${store}/${within ?? ''}`
      const most = objectRightsMost[service] ?? []
      if (!most.some(allowed => allowed.test(right))) yield `grant ${name} gives ${service} ${right}`
    }
  }
}

function* judgeOfficerGrants({ object_roles, officer_roles, officer_grants }: Rights): Generator<string> {
  for (const name of Object.keys(officer_roles))
    if (object_roles[name] !== undefined) yield `role ${name} is an officer's and a service's`
  for (const [name, { officer, store, role, within }] of Object.entries(officer_grants)) {
    if (services.includes(officer)) yield `grant ${name} is to ${officer}, which is a service`
    const held = officer_roles[role]?.permissions
    if (held === undefined) yield `grant ${name} is of ${role}, which is no officer's role`
    for (const permission of held ?? []) {
      const right = `${permission.replace(/^storage\.objects\./, '')} ${store}/${within ?? ''}`
      if (!officerRightsMost[officer]?.some(allowed => allowed.test(right)))
        yield `grant ${name} gives ${officer} ${right}`
    }
  }
}

/** A hold is an update, and so is taking it off: whoever may do that to a recording may not delete it as well. */
function* judgeWhoDeletes({ object_roles, object_grants }: Rights): Generator<string> {
  const held = new Map<string, Set<string>>()
  for (const { service, store, role, within } of Object.values(object_grants)) {
    const place = `${service} ${store}/${within ?? ''}`
    const rights = held.get(place) ?? new Set()
    held.set(place, new Set([...rights, ...(object_roles[role]?.permissions ?? [])]))
  }
  for (const [place, rights] of held) {
    const changes = rights.has('storage.objects.update') || rights.has('storage.objects.setRetention')
    if (rights.has('storage.objects.delete') && changes)
      yield `grants let ${place} both delete objects and take off what keeps them`
  }
}

function* judgeKeyGrants(
  { key_grants, key_roles, own_key_roles, tenant_key_endings }: Rights,
  deploymentKeys: readonly string[],
): Generator<string> {
  for (const [name, { service, role, keys }] of Object.entries(key_grants)) {
    if (!services.includes(service)) yield `grant ${name} is to ${service}, which is no service`
    if (keys !== null && tenant_key_endings[keys] === undefined && !deploymentKeys.includes(keys))
      yield `grant ${name} is for ${keys}, which are no keys`
    const own = own_key_roles[role]
    if (own !== undefined) {
      const makes = own.permissions.some(permission => /\.(create|update)$/.test(permission))
      if (makes && service !== 'operator') yield `grant ${name} lets ${service} make keys`
    } else if (key_roles[role] === undefined) {
      yield `grant ${name} is of ${role}, which is no role`
    } else {
      const right = `${role} ${keys ?? 'of every key'}`
      if (!keyRightsMost[service]?.includes(right)) yield `grant ${name} gives ${service} ${right}`
    }
  }
}
