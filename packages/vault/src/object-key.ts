// Where objects lie in the store, and back.
import { createHash } from 'node:crypto'
import { IntakeId, type ObjectRole, RecordingId, TenantId } from '@auricle/contract'

export const intakePrefix = 'intake/'
const recordingsPrefix = 'recordings/'

export function intakeKey(tenantId: TenantId, intakeId: IntakeId): string {
  return `${intakePrefix}${tenantId}/${intakeId}`
}

/** The intake an object under `intake/` belongs to; null for any other key. */
export function parseIntakeKey(key: string): { tenantId: TenantId; intakeId: IntakeId } | null {
  const [, tenant, intake, more] = key.split('/')
  const tenantId = TenantId.safeParse(tenant)
  const intakeId = IntakeId.safeParse(intake)
  if (!key.startsWith(intakePrefix) || more !== undefined || !tenantId.success || !intakeId.success)
    return null
  return { tenantId: tenantId.data, intakeId: intakeId.data }
}

/**
 * Recording ids sort by time; a hash before them spreads neighbours over many folders (and, in a bucket, over
 * many index ranges).
 */
export function recordingKey(tenantId: TenantId, recordingId: RecordingId, role: ObjectRole): string {
  return `${recordingFolder(tenantId, recordingId)}${role}`
}

/** Everything of a recording lies below. */
export function recordingFolder(tenantId: TenantId, recordingId: RecordingId): string {
  const spread = createHash('sha256').update(recordingId).digest('hex').slice(0, 2)
  return `${tenantRecordingsPrefix(tenantId)}${spread}/${recordingId}/`
}

/** The recording that a key under `recordings/` names; null for any other key. */
export function recordingOfKey(key: string): RecordingId | null {
  const [, , , recording] = key.split('/')
  const id = RecordingId.safeParse(recording)
  return key.startsWith(recordingsPrefix) && id.success ? id.data : null
}

export function tenantRecordingsPrefix(tenantId: TenantId): string {
  return `${recordingsPrefix}${tenantId}/`
}
