// Making keys and versions of them: one key among many processes, and not more versions than were asked for.
import { setTimeout as sleep } from 'node:timers/promises'
import { protos } from '@google-cloud/kms'
import { KeyError } from '../error.ts'
import type { AnyKeyName } from '../key-service.ts'
import { type KeyKind, kindOf } from '../key-text.ts'
import type { Caller } from './call.ts'
import { checksum } from './checksum.ts'
import { alreadyExists, isDenied, isInvalid, isNotFound } from './kms-error.ts'
import type { Settings } from './options.ts'
import { heldAs, mustBeHeldAs } from './protection.ts'
import { type KeyResource, keyResource } from './resource-names.ts'
import { type KeyVersion, keyVersionOf, type Versions } from './versions.ts'

const { CryptoKeyPurpose } = protos.google.cloud.kms.v1.CryptoKey
const { CryptoKeyVersionAlgorithm } = protos.google.cloud.kms.v1.CryptoKeyVersion
const { ProtectionLevel } = protos.google.cloud.kms.v1
type Algorithm = protos.google.cloud.kms.v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm
type CryptoKey = protos.google.cloud.kms.v1.ICryptoKey

const secondsPerDay = 86_400
const msPerSecond = 1000
const pollMs = 250

const purposeOf: Readonly<Record<KeyKind, number>> = {
  wrap: CryptoKeyPurpose.ENCRYPT_DECRYPT,
  mac: CryptoKeyPurpose.MAC,
  sign: CryptoKeyPurpose.ASYMMETRIC_SIGN,
}

/** In the order in which they are tried: not every location and protection has the first. */
const algorithmsOf: Readonly<Record<KeyKind, readonly Algorithm[]>> = {
  wrap: [CryptoKeyVersionAlgorithm.GOOGLE_SYMMETRIC_ENCRYPTION],
  mac: [CryptoKeyVersionAlgorithm.HMAC_SHA256],
  sign: [CryptoKeyVersionAlgorithm.EC_SIGN_ED25519, CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256],
}
/** Certificates are longer than what every service signs whole, so their digest is signed. */
const algorithmsFor = (name: AnyKeyName): readonly Algorithm[] =>
  name.purpose === 'certificates'
    ? [CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256]
    : algorithmsOf[kindOf(name)]

export interface KeyMaking {
  ensure(name: AnyKeyName, signal?: AbortSignal): Promise<void>
  rotate(name: AnyKeyName, signal?: AbortSignal): Promise<void>
}

/** The refusal of what the location, the protection or the settings do not allow. */
interface NotOffered {
  readonly notOffered: unknown
}

export function createKeyMaking({ call }: Caller, versions: Versions, settings: Settings): KeyMaking {
  const { keyRing, protection, rotationDays, destroyDays, readyTimeoutMs, now } = settings
  const ensured = new Set<string>()

  const find = (key: KeyResource, signal?: AbortSignal) =>
    call<CryptoKey | 'missing' | 'denied'>({
      what: 'look at the key',
      signal,
      async ask(client, options) {
        try {
          return (await client.getCryptoKey({ name: key.name }, options))[0]
        } catch (error) {
          if (isNotFound(error)) return 'missing'
          if (isDenied(error)) return 'denied'
          throw error
        }
      },
    })

  /** Asked again after a lost answer, it finds that the key exists, which is as good. */
  const create = (key: KeyResource, kind: KeyKind, algorithm: Algorithm, signal?: AbortSignal) =>
    call<CryptoKey | 'exists' | 'denied' | NotOffered>({
      what: 'make the key',
      signal,
      async ask(client, options) {
        const rotation = {
          rotationPeriod: { seconds: rotationDays * secondsPerDay },
          nextRotationTime: { seconds: Math.floor(now() / msPerSecond) + rotationDays * secondsPerDay },
        }
        const cryptoKey = {
          purpose: purposeOf[kind],
          versionTemplate: { algorithm, protectionLevel: ProtectionLevel[protection] },
          destroyScheduledDuration: { seconds: destroyDays * secondsPerDay },
          labels: { application: 'auricle' },
          ...(kind === 'wrap' ? rotation : {}),
        }
        try {
          const request = { parent: key.ring, cryptoKeyId: key.id, cryptoKey }
          return (await client.createCryptoKey(request, options))[0]
        } catch (error) {
          if (alreadyExists(error)) return 'exists'
          if (isDenied(error)) return 'denied'
          if (isInvalid(error)) return { notOffered: error }
          throw error
        }
      },
    })

  /** Makes it under the first algorithm that the location offers. */
  async function createFirstOffered(key: KeyResource, name: AnyKeyName, signal?: AbortSignal) {
    let cause: unknown
    for (const algorithm of algorithmsFor(name)) {
      const made = await create(key, kindOf(name), algorithm, signal)
      if (typeof made === 'string' || !('notOffered' in made)) return made
      cause = made.notOffered
    }
    throw new KeyError(
      'wrong_protection',
      `Cloud KMS refuses to make such a key: ${protection}, versions kept ${destroyDays} days, rotated after ${rotationDays}`,
      { cause },
    )
  }

  /** Who may neither look at a key nor make one may still be one who wraps under it. */
  const isThereToWrap = (key: KeyResource, signal?: AbortSignal) =>
    call<boolean>({
      what: 'look whether the key is there',
      signal,
      async ask(client, options) {
        const plaintext = new Uint8Array(1)
        const request = { name: key.name, plaintext, plaintextCrc32c: checksum(plaintext) }
        try {
          await client.encrypt(request, options)
          return true
        } catch (error) {
          if (isDenied(error) || isNotFound(error)) return false
          throw error
        }
      },
    })

  /** Until a version can be used. A key whose versions somebody disabled is made, and left as it is. */
  async function untilReady(key: KeyResource, kind: KeyKind, signal?: AbortSignal): Promise<void> {
    await until(readyTimeoutMs, signal, async () => {
      if (kind !== 'wrap') {
        const all = await versions.list(key, signal)
        return all.some(({ state }) => state === 'ENABLED') || !all.some(isPending)
      }
      const found = await find(key, signal)
      if (typeof found === 'string') return true
      const primary = keyVersionOf(key, found.primary ?? {})
      return primary !== null && !isPending(primary)
    })
  }

  async function newest(key: KeyResource, signal?: AbortSignal): Promise<number> {
    return (await versions.list(key, signal))[0]?.number ?? 0
  }

  /** Only the first attempt makes one blindly: after a lost answer the version may be there. */
  async function createVersion(key: KeyResource, signal?: AbortSignal): Promise<KeyVersion> {
    const before = await newest(key, signal)
    let isRepeated = false
    const made = await call({
      what: 'make a version',
      signal,
      async ask(client, options) {
        if (isRepeated) {
          const [found] = await client.listCryptoKeyVersions({ parent: key.name }, options)
          const later = found
            .map(version => keyVersionOf(key, version))
            .find(version => version !== null && version.number > before)
          if (later != null) return later
        }
        isRepeated = true
        const [version] = await client.createCryptoKeyVersion({ parent: key.name }, options)
        return keyVersionOf(key, version)
      },
    })
    if (made === null) throw new KeyError('corrupted', 'Cloud KMS answered with a version of another key')
    return made
  }

  const makePrimary = (key: KeyResource, version: KeyVersion, signal?: AbortSignal) =>
    call({
      what: 'make the version primary',
      signal,
      async ask(client, options) {
        const request = { name: key.name, cryptoKeyVersionId: String(version.number) }
        await client.updateCryptoKeyPrimaryVersion(request, options)
      },
    })

  return {
    async ensure(name, signal) {
      signal?.throwIfAborted()
      const [key, kind] = [keyResource(keyRing, name), kindOf(name)]
      if (ensured.has(key.name)) return
      let found: CryptoKey | 'missing' | 'denied' | 'exists' = await find(key, signal)
      const couldLook = found !== 'denied'
      if (typeof found === 'string') found = await createFirstOffered(key, name, signal)
      if (found === 'denied' && !couldLook && kind === 'wrap' && (await isThereToWrap(key, signal))) return
      if (found === 'denied') {
        throw new KeyError('denied', 'The key does not exist, and this identity may not make it')
      }
      if (typeof found !== 'string') mustBeHeldAs(protection, heldAs(found.versionTemplate?.protectionLevel))
      await untilReady(key, kind, signal)
      ensured.add(key.name)
    },

    async rotate(name, signal) {
      signal?.throwIfAborted()
      const [key, kind] = [keyResource(keyRing, name), kindOf(name)]
      const made = await createVersion(key, signal)
      await until(readyTimeoutMs, signal, async () => {
        const all = await versions.list(key, signal)
        return all.some(({ number, state }) => number === made.number && state === 'ENABLED')
      })
      if (kind === 'wrap') await makePrimary(key, made, signal)
      versions.forget(key)
    },
  }
}

const isPending = ({ state }: KeyVersion): boolean => state === 'PENDING_GENERATION'

/** Throws `unavailable` when it takes too long: the version is made, and will be ready later. */
async function until(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isSo())) {
    if (performance.now() > deadline) {
      throw new KeyError('unavailable', 'Cloud KMS is still making the key; try again in a minute')
    }
    signal?.throwIfAborted()
    await sleep(pollMs, undefined, { signal }).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw error
    })
  }
}
