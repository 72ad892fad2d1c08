// Google and Redis as the product meets them: emulated buckets and keys with rights by caller, and a real redis-server.

import type { ObjectStore } from '@auricle/objects'
import { createGoogleStore } from '@auricle/objects/google'
import { trustCertificate } from '../emulators/kms/identity.ts'
import { type OwnRedis, startRedis } from '../redis.ts'
import { type EmulatedService, startEmulators } from './emulators.ts'
import { type GoogleIdentity, readCallers } from './rights.ts'

const places = {
  recordings: 'clinic-recordings',
  recovery: 'clinic-recovery',
  log: 'clinic-log',
  keyRing: 'projects/clinic-keys/locations/europe-west3/keyRings/auricle',
} as const

const identities: readonly GoogleIdentity[] = ['ingest', 'worker', 'api', 'operator']

/** A caller who may do everything: it looks behind the curtain, no part of the product is it. */
const curtain = 'behind-the-curtain'

const softDeleteSeconds = 604_800

/** As terraform/modules/bucket makes them. */
const bucketSettings = (location: string) => ({
  location,
  objectRetention: true,
  iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' },
  versioning: { enabled: false },
  softDeletePolicy: { retentionDurationSeconds: softDeleteSeconds },
})

export interface Google extends AsyncDisposable {
  readonly places: typeof places
  readonly storageUrl: string
  /** Cloud KMS, by TLS. */
  readonly keysEndpoint: { readonly host: string; readonly port: number }
  readonly storage: EmulatedService
  readonly keys: EmulatedService
  readonly redis: OwnRedis
  /** What a process of that identity is told. */
  env(identity: GoogleIdentity): Readonly<Record<string, string>>
  /** This process is the one who may do everything while `work` runs. */
  behindTheCurtain<T>(work: () => Promise<T>): Promise<T>
}

export interface GoogleOptions {
  /** Decides which requests faults strike. */
  readonly seed: number
  /** A folder in which everything that reaches Redis and Cloud KMS is written down. Default: null, nothing is. */
  readonly recordTo?: string | null
}

/** Until it is disposed, this process is the operator and trusts the emulated KMS. */
export async function startGoogle({ seed, recordTo = null }: GoogleOptions): Promise<Google> {
  await using opening = new AsyncDisposableStack()
  const callers = { ...(await readCallers(places)), [curtain]: everything }
  const { recordings, recovery, keyRing } = places
  const buckets = {
    [recordings]: bucketSettings('EUROPE-WEST3'),
    [recovery]: bucketSettings('EUROPE-WEST1'),
  }
  const emulators = opening.use(
    await startEmulators([
      ['gcs', { callers, seed, buckets }],
      ['kms', { callers, seed, keyRings: [keyRing], ...(recordTo === null ? {} : { recordTo }) }],
      ...[...identities, curtain].map(
        identity =>
          ['metadata', { token: identity, email: `${identity}@clinic.example`, rotates: true }] as const,
      ),
    ]),
  )
  const redis = opening.use(
    await startRedis({
      'maxmemory-policy': 'noeviction',
      ...(recordTo === null ? {} : everyCommand(recordTo)),
    }),
  )
  const keys = emulators.service('kms')
  const root = await keys.command<{ text: string; file: string }>('root-certificate')
  const [storageUrl = ''] = emulators.addresses['gcs'] ?? []
  const [keysAddress = ''] = emulators.addresses['kms'] ?? []
  const keysPort = Number(keysAddress.split(':')[1])

  const metadata = new Map(
    [...identities, curtain].map((name, place) => [name, emulators.addresses['metadata']?.[place] ?? '']),
  )
  const whoAmI = (name: string) => ({
    GCE_METADATA_HOST: metadata.get(name) ?? '',
    METADATA_SERVER_DETECTION: 'assume-present',
  })
  trustCertificate({ rootCertificate: root.text })
  opening.use(variables(whoAmI('operator')))
  const opened = opening.move()
  return {
    places,
    storageUrl,
    keysEndpoint: { host: 'localhost', port: keysPort },
    storage: emulators.service('gcs'),
    keys,
    redis,
    env: identity => ({
      ...whoAmI(identity),
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: root.file,
      AURICLE_OBJECTS: `gs://${recordings}`,
      AURICLE_OBJECTS_ENDPOINT: storageUrl,
      AURICLE_OBJECTS_RETENTION: 'locked',
      // Only these two are granted anything there.
      ...(identity === 'worker' || identity === 'operator'
        ? { AURICLE_RECOVERY: `gs://${recovery}`, AURICLE_RECOVERY_ENDPOINT: storageUrl }
        : {}),
      AURICLE_KMS: `gcp-kms://${keyRing}`,
      AURICLE_KMS_ENDPOINT: `localhost:${keysPort}`,
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    }),
    async behindTheCurtain(work) {
      using _ = variables(whoAmI(curtain))
      return await work()
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Variables of this process, as they were when disposed. */
function variables(values: Readonly<Record<string, string>>): Disposable {
  const before = Object.keys(values).map(name => [name, process.env[name]] as const)
  Object.assign(process.env, values)
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    },
  }
}

/** A log of every command as it came, that is never summed up. */
const everyCommand = (dir: string) => ({ dir, appendonly: 'yes', 'auto-aof-rewrite-percentage': '0' })

const everything = {
  permissions: [
    'storage.buckets.get',
    ...['create', 'get', 'list', 'update', 'setRetention', 'delete'].map(verb => `storage.objects.${verb}`),
  ],
}

/** Both buckets through our own adapter, as a caller who may do everything. */
export async function openStoresOf(google: Google): Promise<{ objects: ObjectStore; recovery: ObjectStore }> {
  const open = (bucket: string) =>
    createGoogleStore({ bucket, retentionMode: 'Locked', endpoint: google.storageUrl })
  const stores = { objects: open(places.recordings), recovery: open(places.recovery) }
  // The token that the first call fetches is used for as long as it lasts, whoever this process is then.
  await google.behindTheCurtain(() => Promise.all(Object.values(stores).map(store => store.head('nothing'))))
  return stores
}
