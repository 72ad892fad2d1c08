// The row of a session that begins: always a new one, whatever the browser held before, with the tenant's limits.
import type { Catalog, TokenRow, UserRow } from '@auricle/catalog'
import { type Factor, newTokenId } from '@auricle/contract'
import type { SignInFacts } from '../sign-in.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'

export interface NewSession {
  readonly factors: readonly Factor[]
  /** When a second factor was shown; null where none was. */
  readonly verifiedAt: Date | null
  readonly now: Date
}

export function newSession(
  { catalog, secrets }: { readonly catalog: Pick<Catalog, 'sealOrigin'>; readonly secrets: TenantSecrets },
  user: Pick<UserRow, 'id' | 'tenantId'>,
  { factors, verifiedAt, now }: NewSession,
  { ip, userAgent }: Pick<SignInFacts, 'ip' | 'userAgent'>,
): TokenRow {
  const { access } = secrets.tenant
  const id = newTokenId()
  const { tenantId, id: userId } = user
  return {
    id,
    tenantId,
    userId,
    purpose: 'session',
    createdAt: now,
    expiresAt: new Date(now.getTime() + access.sessionMs),
    idleMs: access.idleMs,
    scopes: null,
    name: null,
    secretHash: null,
    factors,
    verifiedAt,
    origin: catalog.sealOrigin(secrets.columns, { tenantId, id }, { ip, userAgent }),
  }
}
