// Google and Redis as the product meets them: emulated buckets and keys with rights by caller, and a real redis-server.

import type { ObjectStore } from '@auricle/objects'
import { createGoogleStore } from '@auricle/objects/google'
import { identityWith, trustCertificate } from '../emulators/kms/identity.ts'
import { type OwnRedis, startRedis } from '../redis.ts'
import { type EmulatedService, startEmulators } from './emulators.ts'
import { type GoogleIdentity, readCallers } from './rights.ts'

const places = {
  recordings: 'clinic-recordings',
  recovery: 'clinic-recovery',
  keyRing: 'projects/clinic-keys/locations/europe-west3/keyRings/auricle',
} as const

const identities: readonly GoogleIdentity[] = ['ingest', 'worker', 'api', 'operator']

/** A caller who may do everything: it looks behind the curtain, no part of the product has it. */
export const curtainToken = 'behind-the-curtain'

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
}

/** `seed` decides which requests faults strike. Until it is disposed, this process is the operator and trusts the emulated KMS. */
export async function startGoogle({ seed }: { readonly seed: number }): Promise<Google> {
  await using opening = new AsyncDisposableStack()
  const callers = { ...(await readCallers(places)), [curtainToken]: everything }
  const { recordings, recovery, keyRing } = places
  const buckets = {
    [recordings]: bucketSettings('EUROPE-WEST3'),
    [recovery]: bucketSettings('EUROPE-WEST1'),
  }
  const emulators = opening.use(
    await startEmulators([
      ['gcs', { callers, seed, buckets }],
      ['kms', { callers, seed, keyRings: [keyRing] }],
      ...identities.map(
        identity =>
          ['metadata', { token: identity, email: `${identity}@clinic.example`, rotates: true }] as const,
      ),
    ]),
  )
  const redis = opening.use(await startRedis({ 'maxmemory-policy': 'noeviction' }))
  const keys = emulators.service('kms')
  const root = await keys.command<{ text: string; file: string }>('root-certificate')
  const [storageUrl = ''] = emulators.addresses['gcs'] ?? []
  const [keysAddress = ''] = emulators.addresses['kms'] ?? []
  const keysPort = Number(keysAddress.split(':')[1])

  const whoAmI = (identity: GoogleIdentity) => ({
    GCE_METADATA_HOST: emulators.addresses['metadata']?.[identities.indexOf(identity)] ?? '',
    METADATA_SERVER_DETECTION: 'assume-present',
  })
  trustCertificate({ rootCertificate: root.text })
  for (const [name, value] of Object.entries(whoAmI('operator'))) {
    const before = process.env[name]
    process.env[name] = value
    opening.defer(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
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
      AURICLE_RECOVERY: `gs://${recovery}`,
      AURICLE_RECOVERY_ENDPOINT: storageUrl,
      AURICLE_KMS: `gcp-kms://${keyRing}`,
      AURICLE_KMS_ENDPOINT: `localhost:${keysPort}`,
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const everything = {
  permissions: [
    'storage.buckets.get',
    ...['create', 'get', 'list', 'update', 'setRetention', 'delete'].map(verb => `storage.objects.${verb}`),
  ],
}

/** Both buckets through our own adapter, as a caller who may do everything. */
export function openStoresOf({ storageUrl }: Google): { objects: ObjectStore; recovery: ObjectStore } {
  const open = (bucket: string) =>
    createGoogleStore({
      bucket,
      retentionMode: 'Locked',
      endpoint: storageUrl,
      authClient: identityWith(() => curtainToken),
    })
  return { objects: open(places.recordings), recovery: open(places.recovery) }
}
