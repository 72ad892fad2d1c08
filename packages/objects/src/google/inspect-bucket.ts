// Whether a bucket is set as the laws need it: each thing that is not with the line that mends it.
import type { Finding } from '@auricle/contract'
import { z } from 'zod'
import { ObjectError } from '../error.ts'
import { meaningOf } from './api-failure.ts'
import type { Call } from './bucket.ts'
import type { Connection } from './connection.ts'

const seconds = z.coerce.number()

const Settings = z.object({
  location: z.string(),
  locationType: z.string().default('region'),
  iamConfiguration: z
    .object({
      uniformBucketLevelAccess: z.object({ enabled: z.boolean().default(false) }).prefault({}),
      publicAccessPrevention: z.string().default('inherited'),
    })
    .prefault({}),
  objectRetention: z.object({ mode: z.string() }).nullish(),
  softDeletePolicy: z.object({ retentionDurationSeconds: seconds.default(0) }).nullish(),
  versioning: z.object({ enabled: z.boolean().default(false) }).nullish(),
  defaultEventBasedHold: z.boolean().nullish(),
  retentionPolicy: z.object({ retentionPeriod: seconds, isLocked: z.boolean().nullish() }).nullish(),
})

type Settings = z.output<typeof Settings>

const fields = Object.keys(Settings.shape).join(',')
export const secondsPerDay = 86_400

/** Throws `ApiFailure`, and `unavailable` for an answer that is not the service's. Needs `storage.buckets.get`. */
export async function readSettings(connection: Connection, bucket: string, call: Call): Promise<Settings> {
  const path = `/storage/v1/b/${encodeURIComponent(bucket)}`
  const answer = await connection.send({ method: 'GET', path, query: { fields } }, call)
  const parsed = Settings.safeParse(answer.body)
  if (parsed.success) return parsed.data
  throw new ObjectError('unavailable', 'The answer is not one of Google Cloud Storage', {
    cause: parsed.error,
  })
}

/** `keptByBucketDays`: null where each object has its own retention. */
export async function inspectBucket(
  connection: Connection,
  bucket: string,
  { keptByBucketDays, ...call }: Call & { readonly keptByBucketDays: number | null },
): Promise<readonly Finding[]> {
  try {
    const settings = await readSettings(connection, bucket, call)
    return judge(bucket, settings, keptByBucketDays)
  } catch (error) {
    call.signal?.throwIfAborted()
    return [notSeen(bucket, error)]
  }
}

const createLine = (bucket: string): string =>
  `gcloud storage buckets create gs://${bucket} --location=LOCATION --uniform-bucket-level-access ` +
  '--public-access-prevention --enable-per-object-retention'

function notSeen(bucket: string, error: unknown): Finding {
  const name = `bucket ${bucket}`
  const meaning = meaningOf(error)
  if (meaning === 'no_bucket' || meaning === 'absent') {
    return { name, state: 'bad', found: 'There is no such bucket', mend: createLine(bucket) }
  }
  if (meaning === 'denied') {
    const mend = 'Give it storage.buckets.get on the bucket, or look as somebody who has it: auricle doctor'
    return { name, state: 'warn', found: 'This identity may not look at the settings of the bucket', mend }
  }
  const mend = 'Look at the network, the endpoint and the credentials of this machine'
  return { name, state: 'away', found: 'Google Cloud Storage cannot be reached', mend }
}

function judge(bucket: string, settings: Settings, keptByBucketDays: number | null): readonly Finding[] {
  const name = `bucket ${bucket}`
  const update = (flag: string): string => `gcloud storage buckets update gs://${bucket} ${flag}`
  const ok = (found: string): Finding => ({ name, state: 'ok', found, mend: null })
  const bad = (found: string, mend: string): Finding => ({ name, state: 'bad', found, mend })
  const warn = (found: string, mend: string): Finding => ({ name, state: 'warn', found, mend })
  const { uniformBucketLevelAccess, publicAccessPrevention } = settings.iamConfiguration
  return [
    ok(`Lies in ${settings.location} (${settings.locationType})`),
    uniformBucketLevelAccess.enabled
      ? ok('Access is by roles on the bucket alone')
      : bad('Objects may have access lists of their own', update('--uniform-bucket-level-access')),
    publicAccessPrevention === 'enforced'
      ? ok('Cannot be made public')
      : bad('Could be made public', update('--public-access-prevention')),
    keptByBucketDays === null
      ? judgeObjectRetention(bucket, settings, { ok, bad })
      : judgeLockedPolicy(bucket, settings, keptByBucketDays, { ok, bad }),
    settings.defaultEventBasedHold === true
      ? bad(
          'New objects get an event-based hold, which no object can have together with a retention',
          update('--no-default-event-based-hold'),
        )
      : ok('New objects get no event-based hold'),
    judgeSoftDelete(settings, { ok, warn }, update),
    settings.versioning?.enabled === true
      ? warn('Keeps versions: what was deleted by others stays as an old version', update('--no-versioning'))
      : ok('Keeps no versions'),
    ...(keptByBucketDays === null ? [judgePolicy(settings, { ok, warn }, update)] : []),
  ]
}

interface OkOrBad {
  readonly ok: (found: string) => Finding
  readonly bad: Make
}

function judgeObjectRetention(bucket: string, { objectRetention }: Settings, { ok, bad }: OkOrBad): Finding {
  if (objectRetention?.mode === 'Enabled') return ok('Objects can be kept until a time of their own')
  return bad(
    'Objects cannot be kept until a time of their own',
    `In the console: Buckets, ${bucket}, Protection, Object retention. By gcloud only a new bucket: ` +
      createLine('NEW-NAME'),
  )
}

/** Of a bucket that is written to once: its own policy keeps all of it, and nobody may take that away. */
function judgeLockedPolicy(
  bucket: string,
  { retentionPolicy }: Settings,
  leastDays: number,
  { ok, bad }: OkOrBad,
): Finding {
  const days = (retentionPolicy?.retentionPeriod ?? 0) / secondsPerDay
  const update = `gcloud storage buckets update gs://${bucket}`
  if (days < leastDays) {
    const found = `Keeps its objects for ${days} days, and must for ${leastDays}`
    return bad(found, `${update} --retention-period=${leastDays}d`)
  }
  const found = `Keeps every object for ${days} days`
  if (retentionPolicy?.isLocked === true) return ok(`${found}, which nobody can shorten`)
  return bad(`${found}, which an administrator could shorten`, `${update} --lock-retention-period`)
}

type Make = (found: string, mend: string) => Finding

function judgeSoftDelete(
  { softDeletePolicy }: Settings,
  { ok, warn }: { readonly ok: (found: string) => Finding; readonly warn: Make },
  update: (flag: string) => string,
): Finding {
  if (softDeletePolicy == null) {
    const found = 'Whether deleted objects are kept for a while is not told'
    return warn(found, update('--soft-delete-duration=7d'))
  }
  const days = softDeletePolicy.retentionDurationSeconds / secondsPerDay
  return ok(
    days === 0 ? 'Deleted objects are gone at once' : `Deleted objects can be restored for ${days} days`,
  )
}

function judgePolicy(
  { retentionPolicy }: Settings,
  { ok, warn }: { readonly ok: (found: string) => Finding; readonly warn: Make },
  update: (flag: string) => string,
): Finding {
  if (retentionPolicy == null) return ok('Has no retention policy of its own: each object has its time')
  const days = retentionPolicy.retentionPeriod / secondsPerDay
  const found = `Keeps every object for ${days} days, also deliveries that are archived by then`
  if (retentionPolicy.isLocked === true)
    return warn(`${found}, and for good`, 'Use a bucket without a locked policy')
  return warn(found, update('--clear-retention-period'))
}
