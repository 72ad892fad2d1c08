// What a live run is to work on: buckets and a key ring of a real project, from the vault's own settings.
import { readConfig } from '@auricle/runtime'

export interface LiveBucket {
  /** For people: `recordings`, `recovery`. */
  readonly name: string
  readonly bucket: string
  /** Everything that the run makes has this in front, and nothing else has. Without a slash at its ends. */
  readonly prefix: string
  readonly endpoint: string | null
  readonly retentionMode: 'Unlocked' | 'Locked'
}

export interface LiveKeyRing {
  readonly keyRing: string
  readonly endpoint: { readonly host: string; readonly port: number } | null
  readonly protection: 'SOFTWARE' | 'HSM'
  readonly rotationDays: number
  readonly destroyDays: number
}

export interface LivePlan {
  readonly buckets: readonly LiveBucket[]
  readonly keys: LiveKeyRing | null
  /** Only cases whose name matches; null for all. */
  readonly only: string | null
}

export const needs =
  'It needs AURICLE_OBJECTS=gs://bucket[/prefix] or AURICLE_KMS=gcp-kms://projects/.../keyRings/..., and Application Default Credentials (gcloud auth application-default login).'

/** `name`: of this run alone. Throws `bad_config`. */
export function planOf(
  env: Readonly<Record<string, string | undefined>>,
  {
    name,
    isLocked,
    only,
  }: { readonly name: string; readonly isLocked: boolean; readonly only: string | null },
): LivePlan {
  const { objects, recovery, keys } = readConfig(env).config
  const buckets = [
    { name: 'recordings', place: objects },
    { name: 'recovery', place: recovery },
  ].flatMap(({ name: which, place }): LiveBucket[] => {
    if (place?.kind !== 'bucket') return []
    const { bucket, endpoint } = place
    const prefix = place.prefix === '' ? name : `${place.prefix}/${name}`
    return [{ name: which, bucket, prefix, endpoint, retentionMode: isLocked ? 'Locked' : 'Unlocked' }]
  })
  return { buckets, keys: keys.kind === 'gcp-kms' ? keys : null, only }
}

/** What will be done and what it costs, before anything is. */
export function announce({ buckets, keys, only }: LivePlan): string {
  const lines = buckets.map(
    ({ name, bucket, prefix, retentionMode }) =>
      `${name}: makes and removes objects under gs://${bucket}/${prefix}, about 250 MB and a thousand requests; kept ${retentionMode} for seconds`,
  )
  if (keys !== null) {
    lines.push(
      `keys: uses the ${keys.protection} keys of three test tenants and the signing keys in ${keys.keyRing}, making those that are missing, a few hundred calls`,
      'keys stay, since Cloud KMS does not delete them: each has one version in use, which costs cents a month; the versions of this run before the last are destroyed',
    )
  }
  if (buckets.some(({ retentionMode }) => retentionMode === 'Locked')) {
    lines.push(
      'WARNING --locked: until its seconds are over nobody can delete or shorten what this run keeps, not even you; if it is killed, clean up by hand afterwards',
    )
  }
  if (only !== null) lines.push(`only cases that match ${only}`)
  lines.push(
    'costs cents at list prices; in a bucket with soft deletion what is removed is billed until that is over',
  )
  return `Live run against Google Cloud\n${lines.map(line => `  ${line}\n`).join('')}`
}
