// The gRPC service of Cloud KMS as its own client's package describes it, and the messages of it that are spoken here.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

/** An `Int64Value` as it comes off the wire. Null where the field is absent. */
export type Int64Value = { readonly value: string } | null
export interface Timestamp {
  readonly seconds: string
  readonly nanos: number
}
export type Duration = Timestamp

export interface VersionTemplate {
  readonly protectionLevel: string
  readonly algorithm: string
}

export interface CryptoKeyMessage {
  readonly name: string
  readonly purpose: string
  readonly primary: VersionMessage | null
  readonly createTime: Timestamp | null
  readonly nextRotationTime: Timestamp | null
  readonly rotationPeriod: Duration | null
  readonly destroyScheduledDuration: Duration | null
  readonly versionTemplate: VersionTemplate | null
  readonly labels: Readonly<Record<string, string>>
}

export interface VersionMessage {
  readonly name: string
  readonly state: string
  readonly protectionLevel: string
  readonly algorithm: string
  readonly createTime: Timestamp | null
  readonly generateTime: Timestamp | null
  readonly destroyTime: Timestamp | null
  readonly destroyEventTime: Timestamp | null
}

export interface EncryptRequest {
  readonly name: string
  readonly plaintext: Buffer
  readonly additionalAuthenticatedData: Buffer
  readonly plaintextCrc32c: Int64Value
  readonly additionalAuthenticatedDataCrc32c: Int64Value
}

export interface DecryptRequest {
  readonly name: string
  readonly ciphertext: Buffer
  readonly additionalAuthenticatedData: Buffer
  readonly ciphertextCrc32c: Int64Value
  readonly additionalAuthenticatedDataCrc32c: Int64Value
}

export interface MacSignRequest {
  readonly name: string
  readonly data: Buffer
  readonly dataCrc32c: Int64Value
}

export interface MacVerifyRequest extends MacSignRequest {
  readonly mac: Buffer
  readonly macCrc32c: Int64Value
}

export interface AsymmetricSignRequest {
  readonly name: string
  readonly digest: { readonly sha256?: Buffer } | null
  readonly digestCrc32c: Int64Value
  readonly data: Buffer
  readonly dataCrc32c: Int64Value
}

export interface FieldMask {
  readonly paths: readonly string[]
}

export interface ListRequest {
  readonly parent: string
  readonly pageSize: number
  readonly pageToken: string
}

/** Names as the service writes them, such as `Encrypt`; values as the options below make them. */
export function loadService(): ServiceDefinition {
  const require = createRequire(import.meta.url)
  const kmsPackage = require.resolve('@google-cloud/kms/package.json')
  const kmsProtos = join(dirname(kmsPackage), 'build', 'protos')
  // The package lists its entry alone, which lies in build/src.
  const gaxProtos = join(dirname(dirname(createRequire(kmsPackage).resolve('google-gax'))), 'protos')
  const definitions = loadSync('google/cloud/kms/v1/service.proto', {
    includeDirs: [kmsProtos, gaxProtos],
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
    keepCase: false,
  })
  const service = definitions['google.cloud.kms.v1.KeyManagementService']
  if (service === undefined || 'format' in service) throw new Error('The package has no such service')
  return service
}

const msPerSecond = 1000
const nanosPerMs = 1_000_000

export const timestampOf = (ms: number): Timestamp => ({
  seconds: String(Math.floor(ms / msPerSecond)),
  nanos: (ms % msPerSecond) * nanosPerMs,
})

/** Milliseconds of a timestamp or a duration. */
export const msOf = ({ seconds, nanos }: Timestamp): number =>
  Number(seconds) * msPerSecond + Math.floor(nanos / nanosPerMs)
