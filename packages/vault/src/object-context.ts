// What each sealed object says it is. Bound to its key and its bytes, so none can stand in for another.
import type { ConnectorId, ObjectRole, RecordingId, TenantId } from '@auricle/contract'
import type { SealContext } from '@auricle/sealed'

type Identity = Pick<SealContext, 'tenant' | 'recording' | 'role'>

export function recordingIdentity(
  tenantId: TenantId,
  recordingId: RecordingId,
  role: ObjectRole | 'intake' | 'notice',
): Identity {
  return { tenant: tenantId, recording: recordingId, role }
}

export function connectorIdentity(tenantId: TenantId, connectorId: ConnectorId): Identity {
  return { tenant: tenantId, recording: connectorId, role: 'connector-secrets' }
}

export function tokenKeyIdentity(kid: string): Identity {
  return { tenant: 'deployment', recording: kid, role: 'token-key' }
}

export function sealContext(identity: Identity, contentType: string, createdAt: Date): SealContext {
  return { ...identity, contentType, createdAt: createdAt.toISOString() }
}
