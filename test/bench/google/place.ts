// What both sides call: the emulated Cloud Storage and Cloud KMS in a process of their own, and who calls them.
import { Storage } from '@google-cloud/storage'
import { crc32c } from '@node-rs/crc32'
import { lawfulSettings } from '../../harness/emulated-bucket.ts'
import { type EmulatedService, startEmulators } from '../../harness/emulators.ts'

export const bucketName = 'bench'
export const keyRing = 'projects/bench/locations/me-central2/keyRings/bench'

export interface GooglePlace extends AsyncDisposable {
  readonly storageUrl: string
  readonly storage: EmulatedService
  readonly keysEndpoint: { readonly host: string; readonly port: number }
  /** Makes a process the caller, who trusts the emulated Cloud KMS. */
  readonly env: Readonly<Record<string, string>>
}

/** Until it is disposed, the Application Default Credentials of this process come from an emulated metadata server. */
export async function openGooglePlace(): Promise<GooglePlace> {
  await using opening = new AsyncDisposableStack()
  const emulators = opening.use(
    await startEmulators([
      ['gcs', { buckets: { [bucketName]: lawfulSettings } }],
      ['kms', { keyRings: [keyRing] }],
      ['metadata', { token: 'bench', email: 'bench@auricle-test' }],
    ]),
  )
  const { gcs = [], kms = [], metadata = [] } = emulators.addresses
  const root = await emulators.service('kms').command<{ file: string }>('root-certificate')
  const whoAmI = { GCE_METADATA_HOST: metadata[0] ?? '', METADATA_SERVER_DETECTION: 'assume-present' }
  for (const [name, value] of Object.entries(whoAmI)) {
    const before = process.env[name]
    process.env[name] = value
    opening.defer(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
  const opened = opening.move()
  return {
    storageUrl: gcs[0] ?? '',
    storage: emulators.service('gcs'),
    keysEndpoint: { host: 'localhost', port: Number(kms[0]?.split(':')[1]) },
    env: { ...whoAmI, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: root.file },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const checksumBytes = 4

/** As Cloud Storage writes it. */
export function checksumText(sum: number): string {
  const bytes = Buffer.alloc(checksumBytes)
  bytes.writeUInt32BE(sum)
  return bytes.toString('base64')
}

/** For the client's `crc32cGenerator`: the same checksum, native. */
const nativeChecksum = () => {
  let sum = 0
  const text = () => checksumText(sum)
  return {
    update(bytes: Buffer) {
      sum = crc32c(bytes, sum)
    },
    validate: (value: { toString(): string } | string) => String(value) === text(),
    toString: text,
  }
}

export interface PeerClients {
  /** As it comes. */
  readonly plain: Storage
  /** With a native checksum. */
  readonly native: Storage
}

export function openPeers({ storageUrl }: Pick<GooglePlace, 'storageUrl'>): PeerClients {
  const options = { apiEndpoint: storageUrl, useAuthWithCustomEndpoint: true, projectId: 'bench' }
  return {
    plain: new Storage(options),
    native: new Storage({ ...options, crc32cGenerator: nativeChecksum }),
  }
}
