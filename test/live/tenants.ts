// The tenants of live runs: always the same, so that one run uses the keys of the one before it.
import { TenantId } from '@auricle/contract'

/** Of the first millisecond of 1970, which no tenant that was ever made is of. */
export const liveTenants: readonly TenantId[] = ['1', '2', '3'].map(nth =>
  TenantId.parse(`ten_${nth.padStart(26, '0')}`),
)
