// Making keys and versions of them: one key among many processes, and not more versions than were asked for.
import { setTimeout as sleep } from 'node:timers/promises'
import { protos } from '@google-cloud/kms'
import { KeyError } from '../error.ts'
import type { AnyKeyName } from '../key-service.ts'
import { kindOf } from '../key-text.ts'
import type { Caller } from './call.ts'
import { checksum } from './checksum.ts'
import { alreadyExists, isDenied, isInvalid, isNotFound, statusOf } from './kms-error.ts'
import type { Settings } from './options.ts'
import { mustBeHeldAs } from './protection.ts'
import { keyResource, type KeyResource } from './resource-names.ts'
import { type KeyVersion, keyVersionOf, type Versions } from './versions.ts'

const { CryptoKeyPurpose } = protos.google.cloud.kms.v1.CryptoKey
const { CryptoKeyVersionAlgorithm } = protos.google.cloud.kms.v1.CryptoKeyVersion
type Algorithm = protos.google.cloud.kms.v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm
type CryptoKey = protos.google.cloud.kms.v1.ICryptoKey

const secondsPerDay = 86_400
const msPerDay = 86_400_000
const pollMs = 250

/** In the order in which they are tried: not every location and protection has the first. */
const algorithmsOf: Readonly<Record<ReturnType<typeof kindOf>, readonly Algorithm[]>> = {
  wrap: [CryptoKeyVersionAlgorithm.GOOGLE_SYMMETRIC_ENCRYPTION],
  mac: [CryptoKeyVersionAlgorithm.HMAC_SHA256],
  sign: [CryptoKeyVersionAlgorithm.EC_SIGN_ED25519, CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256],
}
const purposeOf = {
  wrap: CryptoKeyPurpose.ENCRYPT_DECRYPT,
  mac: CryptoKeyPurpose.MAC,
  sign: CryptoKeyPurpose.ASYMMETRIC_SIGN,
}

export interface KeyMaking {
  ensure(name: AnyKeyName, signal?: AbortSignal): Promise<void>
  rotate(name: AnyKeyName, signal?: AbortSignal): Promise<void>
}
