// The contract of a key management service: named keys that wrap and unwrap, and never come out.
import type { TenantId } from '@auricle/contract'
import type { CallOptions, KeyUnwrapper, KeyWrapper } from '@auricle/sealed'

/**
 * What a key is for. `recordings`: objects and sealed columns of a tenant. `connectors`: the secrets of its
 * connectors, which the ingest service may unwrap while it may only wrap under `recordings`. `identity`: the
 * deployment's token signing keys.
 */
export type KeyName =
  | { readonly purpose: 'recordings' | 'connectors'; readonly tenantId: TenantId }
  | { readonly purpose: 'identity' }

export interface KeyService {
  /** Makes the key if it does not exist. Idempotent; durable when it resolves. */
  ensure(name: KeyName, options?: CallOptions): Promise<void>
  /** A handle that wraps and unwraps under this key alone: a wrap of any other key is refused. */
  key(name: KeyName): KeyWrapper & KeyUnwrapper
}
