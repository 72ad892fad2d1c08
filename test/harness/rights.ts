// What each service may do at Google, from the table that Terraform makes the grants from: emulators are told the same.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readConfiguration } from '../../infra/terraform-check/configuration.ts'
import { type Rights, readRights, rightsFile } from '../../infra/terraform-check/rights.ts'
import type { Caller } from '../emulators/callers.ts'

const folder = 'terraform/modules/blueprint'
const file = `${folder}/${rightsFile}`

export type GoogleIdentity = 'ingest' | 'worker' | 'disposer' | 'api' | 'operator'

export interface GooglePlaces {
  /** Names of buckets, by the names that the table has for them. */
  readonly recordings: string
  readonly recovery: string
  readonly log: string
  /** `projects/../locations/../keyRings/..` */
  readonly keyRing: string
}

/** What Google's own roles for the use of keys hold, beside finding their way. */
const heldByGoogleRole: Readonly<Record<string, string>> = {
  'roles/cloudkms.cryptoKeyEncrypter': 'cloudkms.cryptoKeyVersions.useToEncrypt',
  'roles/cloudkms.cryptoKeyDecrypter': 'cloudkms.cryptoKeyVersions.useToDecrypt',
  'roles/cloudkms.signer': 'cloudkms.cryptoKeyVersions.useToSign',
  'roles/cloudkms.publicKeyViewer': 'cloudkms.cryptoKeyVersions.viewPublicKey',
}

/** For emulators of both services: each identity with what it is granted and nothing else. */
export async function readCallers(places: GooglePlaces): Promise<Readonly<Record<GoogleIdentity, Caller>>> {
  const rights = await readTable()
  const callerOf = (service: GoogleIdentity): Caller => {
    const on: Record<string, readonly string[]> = {}
    for (const [resource, permissions] of [
      ...objectGrants(rights, service, places),
      ...keyGrants(rights, service, places),
    ]) {
      on[resource] = [...(on[resource] ?? []), ...permissions]
    }
    return { permissions: [], on }
  }
  return {
    ingest: callerOf('ingest'),
    worker: callerOf('worker'),
    disposer: callerOf('disposer'),
    api: callerOf('api'),
    operator: callerOf('operator'),
  }
}

/** Whom no service runs as: a person who shortens what is not locked. */
export async function readOfficer(places: GooglePlaces): Promise<Caller> {
  const { officer_grants: grants, officer_roles: roles } = await readTable()
  const on: Record<string, readonly string[]> = {}
  for (const { store, role, within } of Object.values(grants)) {
    const bucket = store === 'recovery' ? places.recovery : places.recordings
    on[`${bucket}/${within.replace(/\/$/, '')}`] = must(roles[role]?.permissions, role)
  }
  return { permissions: [], on }
}

async function readTable(): Promise<Rights> {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url))
  const { modules } = await readConfiguration(new Map([[file, readFileSync(path, 'utf8')]]))
  const module = modules.get(folder)
  const { rights, problems } = module === undefined ? { rights: null, problems: [] } : readRights(module)
  if (rights === null) throw new Error(`${file} holds no table of rights: ${problems.join('; ')}`)
  return rights
}

type Granted = readonly [resource: string, permissions: readonly string[]]

function objectGrants(rights: Rights, identity: string, places: GooglePlaces): Granted[] {
  return (
    Object.values(rights.object_grants)
      // Reports lie in a bucket of their own, which is none of these places.
      .filter(({ service, store }) => service === identity && store !== 'reports')
      .map(({ store, role, within }) => {
        const bucket = { recordings: places.recordings, recovery: places.recovery, log: places.log }[store]
        if (bucket === undefined) throw new Error(`${file} names the store ${store}, which is not known here`)
        const resource = within === null ? bucket : `${bucket}/${within.replace(/\/$/, '')}`
        return [resource, must(rights.object_roles[role]?.permissions, role)]
      })
  )
}

function keyGrants(rights: Rights, identity: string, { keyRing }: GooglePlaces): Granted[] {
  return Object.values(rights.key_grants)
    .filter(({ service }) => service === identity)
    .map(({ role, keys }) => {
      const ending = keys === null ? undefined : rights.tenant_key_endings[keys]
      const id = ending === undefined ? keys : `*${ending}`
      const resource = id === null ? keyRing : `${keyRing}/cryptoKeys/${id}`
      const own = rights.own_key_roles[role]?.permissions
      return [resource, own ?? [must(heldByGoogleRole[rights.key_roles[role] ?? ''], role)]]
    })
}

function must<Value>(value: Value | undefined, role: string): Value {
  if (value === undefined) throw new Error(`${file} grants the role ${role}, which is not known here`)
  return value
}
