// A bucket at an emulated Cloud Storage, set as the laws need it, and who one is there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { BucketSettings } from '../emulators/gcs/bucket.ts'
import { type GcsEmulator, type GcsEmulatorOptions, startGcsEmulator } from '../emulators/gcs/server.ts'
import { type MetadataServer, startMetadataServer } from '../emulators/metadata/server.ts'

export const lawfulSettings: BucketSettings = {
  objectRetention: true,
  softDeletePolicy: { retentionDurationSeconds: '0' },
  iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' },
}

export const emulatedBucketName = 'recordings'

export interface EmulatedBucket extends AsyncDisposable {
  readonly gcs: GcsEmulator
  /** Gives tokens to whoever the environment points to it (`googleEnvironment`). */
  readonly metadata: MetadataServer
}

/** `permissions`: what the one caller may do. Default: everything. */
export async function startEmulatedBucket(
  options: GcsEmulatorOptions & {
    readonly permissions?: readonly string[]
    readonly settings?: BucketSettings
  } = {},
): Promise<EmulatedBucket> {
  const { permissions, settings = lawfulSettings, ...rest } = options
  await using stack = new AsyncDisposableStack()
  const callers = permissions === undefined ? null : { caller: { permissions } }
  const gcs = stack.use(await startGcsEmulator({ callers, ...rest }))
  gcs.createBucket(emulatedBucketName, settings)
  const metadata = stack.use(
    await startMetadataServer({ token: 'caller', email: 'caller@auricle-test', rotates: true }),
  )
  const kept = stack.move()
  return { gcs, metadata, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** What a process has to find in its environment to be the caller. */
export const googleEnvironment = (metadataHost: string): Readonly<Record<string, string>> => ({
  GCE_METADATA_HOST: metadataHost,
  METADATA_SERVER_DETECTION: 'assume-present',
})

export interface BucketApart extends AsyncDisposable {
  readonly url: string
  readonly metadataHost: string
}

/** The same in a process of its own: what the service holds is not in our memory. */
export async function startBucketApart(): Promise<BucketApart> {
  const main = fileURLToPath(new URL('../emulators/main.ts', import.meta.url))
  const gcs = `gcs=${JSON.stringify({ buckets: { [emulatedBucketName]: lawfulSettings } })}`
  const metadata = `metadata=${JSON.stringify({ token: 'caller', email: 'caller@auricle-test' })}`
  const child = spawn(process.execPath, [main, gcs, metadata], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const [line] = await once(createInterface(child.stdout), 'line')
  const addresses = JSON.parse(String(line)) as { readonly gcs: string[]; readonly metadata: string[] }
  return {
    url: addresses.gcs[0] ?? '',
    metadataHost: addresses.metadata[0] ?? '',
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
