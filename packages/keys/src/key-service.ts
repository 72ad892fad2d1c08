// The contract of a key management service: named keys that wrap, authenticate and sign, and never come out.
import type { Finding, TenantId } from '@auricle/contract'
import type { CallOptions, KeyUnwrapper, KeyWrapper } from '@auricle/sealed'

/**
 * What a wrapping key is for. `recordings`: objects and sealed columns of a tenant. `connectors`: the secrets of its
 * connectors, which the ingest service may unwrap while it may only wrap under `recordings`. `identity`: the
 * deployment's token signing keys.
 */
export type KeyName =
  | { readonly purpose: 'recordings' | 'connectors'; readonly tenantId: TenantId }
  | { readonly purpose: 'identity' }

/** What an HMAC key is for. `search`: values of a tenant that are found again by equality, such as numbers in the log. */
export interface MacName {
  readonly purpose: 'search'
  readonly tenantId: TenantId
}

/**
 * What a signing key is for. `checkpoints`: roots of the audit log. `receipts`: that a record was taken into it.
 * `certificates`: that a recording was destroyed.
 */
export interface SignerName {
  readonly purpose: 'checkpoints' | 'receipts' | 'certificates'
}

export type AnyKeyName = KeyName | MacName | SignerName

/** Most bytes of one call of `MacKey` and `Signer`: what every kind of service takes. More, or none, is a RangeError. */
export const maxSignedBytes = 8192
/** The same of the signer of `certificates`, for which a service that takes no more than that has to sign a digest. */
export const maxCertificateBytes = 65_536

export interface Mac {
  /** HMAC-SHA-256, 32 bytes. */
  readonly mac: Uint8Array
  /** Store it beside the value: after a rotation the same data has another MAC. */
  readonly keyVersion: string
}

export interface MacOptions extends CallOptions {
  /** An older version, to find what was stored under it. Default: the one that signs now. */
  readonly keyVersion?: string | null | undefined
}

export interface MacKey {
  sign(data: Uint8Array, options?: MacOptions): Promise<Mac>
  /**
   * In constant time. Without `keyVersion` the version that signs now is asked. Throws `unknown_key` for a version
   * that this key does not have.
   */
  verify(
    data: Uint8Array,
    mac: Uint8Array,
    keyVersion?: string | null,
    options?: CallOptions,
  ): Promise<boolean>
}

/** `ed25519`: RFC 8032, 64 bytes. `p256-sha256`: ECDSA on P-256 with SHA-256, DER. */
export type SignatureAlgorithm = 'ed25519' | 'p256-sha256'

export interface PublicKey {
  readonly algorithm: SignatureAlgorithm
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  readonly keyVersion: string
}

export interface Signature {
  readonly signature: Uint8Array
  readonly algorithm: SignatureAlgorithm
  readonly keyVersion: string
}

export interface Signer {
  /** Of `keyVersion`, or of the version that signs now. Throws `unknown_key`. */
  publicKey(options?: MacOptions): Promise<PublicKey>
  /** Of every version that can be used, newest first. Throws `unknown_key`. */
  publicKeys(options?: CallOptions): Promise<readonly PublicKey[]>
  sign(data: Uint8Array, options?: CallOptions): Promise<Signature>
}

/** Aborting any call throws the signal's reason; what it had begun may still be done. */
export interface KeyService {
  /** Makes the key if it does not exist. Idempotent; durable when it resolves. */
  ensure(name: AnyKeyName, options?: CallOptions): Promise<void>
  /**
   * Makes a new version that wraps and signs from now on, everywhere as soon as the service has spread it. Older
   * versions go on unwrapping and verifying. Durable when it resolves; again after a failure makes one version more, no harm.
   * Throws `unknown_key`.
   */
  rotate(name: AnyKeyName, options?: CallOptions): Promise<void>
  /** A handle that wraps and unwraps under this key alone: a wrap of any other key is refused. */
  key(name: KeyName): KeyWrapper & KeyUnwrapper
  mac(name: MacName): MacKey
  signer(name: SignerName): Signer
  /** What an operator should know of it now. What cannot be looked at is said, and is no failure. */
  inspect(options?: CallOptions): Promise<readonly Finding[]>
}
