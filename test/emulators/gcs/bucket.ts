// A bucket: its settings, how they are made and changed, and how they are told.
import { asInt64, asRecord, asText, asTruth, type JsonRecord, writeTime } from './json.ts'
import type { StoredObject } from './object.ts'
import { invalid, Refusal } from './refusal.ts'

/** Settings as the API writes them, with text or number where it has an int64. */
export type BucketSettings = JsonRecord

export interface Bucket {
  readonly name: string
  readonly createdAt: number
  updatedAt: number
  metageneration: number
  /** As they were given, complete. */
  settings: BucketSettings
  /** Per object of this name; of each name at most one is live. */
  readonly objects: Map<string, StoredObject[]>
  /** What was deleted and can still be restored. */
  readonly softDeleted: StoredObject[]
}

const secondMs = 1_000
export const mostRetentionSeconds = 3_155_760_000
const defaultSoftDeleteSeconds = 604_800

const multiRegions = ['US', 'EU', 'ASIA']
const dualRegions = ['NAM4', 'EUR4', 'EUR5', 'EUR7', 'EUR8', 'ASIA1']

const writable = [
  'cors',
  'customPlacementConfig',
  'defaultEventBasedHold',
  'encryption',
  'iamConfiguration',
  'labels',
  'lifecycle',
  'logging',
  'retentionPolicy',
  'rpo',
  'softDeletePolicy',
  'storageClass',
  'versioning',
]

export function createBucket(
  name: string,
  given: BucketSettings,
  { objectRetention, now }: { readonly objectRetention: boolean; readonly now: number },
): Bucket {
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(name)) throw invalid(`Invalid bucket name: '${name}'`)
  const location = (
    given['location'] === undefined ? 'US' : asText(given['location'], 'location')
  ).toUpperCase()
  const isDual = given['customPlacementConfig'] !== undefined || dualRegions.includes(location)
  const bucket: Bucket = {
    name,
    createdAt: now,
    updatedAt: now,
    metageneration: 1,
    settings: {
      storageClass: 'STANDARD',
      iamConfiguration: {},
      location,
      locationType: isDual ? 'dual-region' : multiRegions.includes(location) ? 'multi-region' : 'region',
      ...(objectRetention || given['objectRetention'] !== undefined
        ? { objectRetention: { mode: 'Enabled' } }
        : {}),
    },
    objects: new Map(),
    softDeleted: [],
  }
  const softDeletePolicy = { retentionDurationSeconds: defaultSoftDeleteSeconds }
  changeSettings(bucket, { softDeletePolicy, ...given }, now)
  bucket.metageneration = 1
  return bucket
}

export function changeSettings(bucket: Bucket, changes: BucketSettings, now: number): void {
  const settings: Record<string, unknown> = { ...bucket.settings }
  for (const name of writable) {
    const change = changes[name]
    if (change === undefined) continue
    if (name === 'retentionPolicy') settings[name] = changedPolicy(bucket, change, now)
    else if (name === 'softDeletePolicy') settings[name] = softDeletePolicy(change, now)
    else if (name === 'iamConfiguration') settings[name] = iamConfiguration(bucket, change, now)
    else settings[name] = change
    if (settings[name] === null) delete settings[name]
  }
  bucket.settings = settings
  bucket.metageneration++
  bucket.updatedAt = now
}

function changedPolicy(bucket: Bucket, change: unknown, now: number): JsonRecord | null {
  const current = retentionPolicy(bucket)
  if (change === null) {
    if (current?.isLocked === true) throw retentionPolicyIsLocked()
    return null
  }
  const seconds = asInt64(asRecord(change, 'retentionPolicy')['retentionPeriod'], 'retentionPeriod')
  if (seconds < 1 || seconds > mostRetentionSeconds) throw invalid('Invalid value for field retentionPeriod.')
  if (current?.isLocked === true && seconds < current.seconds) throw retentionPolicyIsLocked()
  return {
    retentionPeriod: String(seconds),
    effectiveTime: writeTime(current?.effectiveAt ?? now),
    ...(current?.isLocked === true ? { isLocked: true } : {}),
  }
}

const retentionPolicyIsLocked = () =>
  new Refusal(403, 'forbidden', 'Cannot remove a locked retention policy or reduce its period.')

function softDeletePolicy(change: unknown, now: number): JsonRecord {
  const record = change === null ? {} : asRecord(change, 'softDeletePolicy')
  const seconds = asInt64(record['retentionDurationSeconds'] ?? 0, 'retentionDurationSeconds')
  const isAllowed = seconds === 0 || (seconds >= defaultSoftDeleteSeconds && seconds <= 7_776_000)
  if (!isAllowed) throw invalid('A soft delete policy keeps for 7 to 90 days, or not at all.')
  return { retentionDurationSeconds: String(seconds), effectiveTime: writeTime(now) }
}

function iamConfiguration(bucket: Bucket, change: unknown, now: number): JsonRecord {
  const ninetyDaysMs = 90 * 24 * 3_600 * secondMs
  const given = asRecord(change, 'iamConfiguration')
  const merged = { ...asRecord(bucket.settings['iamConfiguration'] ?? {}, 'iamConfiguration'), ...given }
  const uniform = merged['uniformBucketLevelAccess']
  if (uniform === undefined) return merged
  const enabled = asTruth(asRecord(uniform, 'uniformBucketLevelAccess')['enabled'], 'enabled')
  return {
    ...merged,
    uniformBucketLevelAccess: enabled ? { enabled, lockedTime: writeTime(now + ninetyDaysMs) } : { enabled },
  }
}

export function lockRetentionPolicy(bucket: Bucket, now: number): void {
  const policy = bucket.settings['retentionPolicy']
  if (policy === undefined) throw invalid('The bucket has no retention policy.')
  bucket.settings = {
    ...bucket.settings,
    retentionPolicy: { ...asRecord(policy, 'retentionPolicy'), isLocked: true },
  }
  bucket.metageneration++
  bucket.updatedAt = now
}

interface RetentionPolicy {
  readonly seconds: number
  readonly effectiveAt: number
  readonly isLocked: boolean
}

export function retentionPolicy(bucket: Bucket): RetentionPolicy | null {
  const policy = bucket.settings['retentionPolicy']
  if (policy === undefined) return null
  const record = asRecord(policy, 'retentionPolicy')
  return {
    seconds: asInt64(record['retentionPeriod'], 'retentionPeriod'),
    effectiveAt: Date.parse(asText(record['effectiveTime'], 'effectiveTime')),
    isLocked: record['isLocked'] === true,
  }
}

export const hasObjectRetention = (bucket: Bucket): boolean =>
  bucket.settings['objectRetention'] !== undefined

export const holdsByDefault = (bucket: Bucket): boolean => bucket.settings['defaultEventBasedHold'] === true

export function isVersioned(bucket: Bucket): boolean {
  const versioning = bucket.settings['versioning']
  return versioning !== undefined && asRecord(versioning, 'versioning')['enabled'] === true
}

/** 0: off. */
export function softDeleteMs(bucket: Bucket): number {
  const policy = asRecord(bucket.settings['softDeletePolicy'] ?? {}, 'softDeletePolicy')
  return asInt64(policy['retentionDurationSeconds'] ?? 0, 'retentionDurationSeconds') * secondMs
}

/** The resource as the API tells it. */
export function writeBucket(bucket: Bucket): JsonRecord {
  const { name, createdAt, updatedAt, metageneration, settings } = bucket
  return {
    kind: 'storage#bucket',
    id: name,
    name,
    projectNumber: '100000000001',
    generation: String(createdAt * secondMs),
    metageneration: String(metageneration),
    timeCreated: writeTime(createdAt),
    updated: writeTime(updatedAt),
    etag: Buffer.from(`${name}/${metageneration}`).toString('base64'),
    ...settings,
  }
}
