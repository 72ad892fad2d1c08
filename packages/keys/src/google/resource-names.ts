// Names in Cloud KMS: one CryptoKey a key name, readable, and what of a name is believed that comes from outside.

import type { AnyKeyName } from '../key-service.ts'
import { isKeyText, keyText } from '../key-text.ts'

/** A CryptoKey and where it stands. */
export interface KeyResource {
  readonly ring: string
  /** Slashes become hyphens, which no key text has: `tenants-ten_...-recordings`. At most 49 of KMS's 63 characters. */
  readonly id: string
  readonly name: string
}

export function keyResource(ring: string, name: AnyKeyName): KeyResource {
  const id = keyText(name).replaceAll('/', '-')
  return { ring, id, name: `${ring}/cryptoKeys/${id}` }
}

/** Whether a key of the ring is one of ours, and of which kind. */
export function isOurKeyId(id: string): boolean {
  return isKeyText(id.replace(/^tenants-(.*)-([a-z]+)$/, 'tenants/$1/$2'))
}

/** The number of a version of exactly this key; null for any other text. */
export function versionNumber({ name }: KeyResource, version: string): number | null {
  const prefix = `${name}/cryptoKeyVersions/`
  const number = version.startsWith(prefix) ? version.slice(prefix.length) : ''
  return /^[1-9][0-9]{0,14}$/.test(number) ? Number(number) : null
}

/** `--key=... --keyring=... --location=... --project=...` of a gcloud command. */
export function gcloudPlace(ring: string, id?: string): string {
  const [, project, , location, , keyRing] = ring.split('/')
  const key = id === undefined ? '' : `--key=${id} `
  return `${key}--keyring=${keyRing} --location=${location} --project=${project}`
}
