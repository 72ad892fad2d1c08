// Which permission each method needs, and on what: a key or its ring, never a version.

const ofVersions = 'cloudkms.cryptoKeyVersions'
const ofKeys = 'cloudkms.cryptoKeys'

const permissions: Readonly<Record<string, string>> = {
  Encrypt: `${ofVersions}.useToEncrypt`,
  Decrypt: `${ofVersions}.useToDecrypt`,
  MacSign: `${ofVersions}.useToSign`,
  MacVerify: `${ofVersions}.useToVerify`,
  AsymmetricSign: `${ofVersions}.useToSign`,
  GetPublicKey: `${ofVersions}.viewPublicKey`,
  CreateKeyRing: 'cloudkms.keyRings.create',
  GetKeyRing: 'cloudkms.keyRings.get',
  CreateCryptoKey: `${ofKeys}.create`,
  GetCryptoKey: `${ofKeys}.get`,
  ListCryptoKeys: `${ofKeys}.list`,
  UpdateCryptoKey: `${ofKeys}.update`,
  UpdateCryptoKeyPrimaryVersion: `${ofKeys}.update`,
  CreateCryptoKeyVersion: `${ofVersions}.create`,
  GetCryptoKeyVersion: `${ofVersions}.get`,
  ListCryptoKeyVersions: `${ofVersions}.list`,
  UpdateCryptoKeyVersion: `${ofVersions}.update`,
  DestroyCryptoKeyVersion: `${ofVersions}.destroy`,
  RestoreCryptoKeyVersion: `${ofVersions}.restore`,
}

interface Addressed {
  readonly name?: string
  readonly parent?: string
  readonly cryptoKey?: { readonly name: string } | null
  readonly cryptoKeyVersion?: { readonly name: string } | null
}

/** Null for a method that the emulator does not have. */
export function permissionFor(method: string): string | null {
  return permissions[method] ?? null
}

/** The name of the key, ring or location that a request is about. */
export function resourceOf(request: Addressed): string {
  // A creation carries the new thing too, whose name is not set yet.
  const { parent, name, cryptoKey, cryptoKeyVersion } = request
  const full = parent ?? name ?? cryptoKey?.name ?? cryptoKeyVersion?.name ?? ''
  return full.replace(/\/cryptoKeyVersions\/.*$/, '')
}
