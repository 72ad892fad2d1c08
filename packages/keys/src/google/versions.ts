// Versions of HMAC and signing keys, which have no primary: the newest that is enabled signs, and is kept for a while.
import { protos } from '@google-cloud/kms'
import { KeyError } from '../error.ts'
import type { Caller } from './call.ts'
import type { Settings } from './options.ts'
import { type KeyResource, versionNumber } from './resource-names.ts'

const { CryptoKeyVersionState, CryptoKeyVersionAlgorithm } = protos.google.cloud.kms.v1.CryptoKeyVersion

export interface KeyVersion {
  readonly name: string
  readonly number: number
  /** As KMS has them: `ENABLED`, `EC_SIGN_ED25519`. */
  readonly state: string
  readonly algorithm: string
}

export interface Versions {
  /** Newest first. Throws `unknown_key`, and `denied` without `cloudkms.cryptoKeyVersions.list`. */
  list(key: KeyResource, signal?: AbortSignal): Promise<readonly KeyVersion[]>
  /** The one that signs now. Throws `disabled` when none is enabled, `unavailable` while the first is being made. */
  current(key: KeyResource, signal?: AbortSignal): Promise<KeyVersion>
  /** The next call of `current` looks again. */
  forget(key: KeyResource): void
}

export function createVersions(
  { call }: Caller,
  { versionKeptMs }: Pick<Settings, 'versionKeptMs'>,
): Versions {
  const kept = new Map<string, { readonly version: KeyVersion; readonly until: number }>()

  const list: Versions['list'] = (key, signal) =>
    call({
      what: 'list versions',
      signal,
      async ask(client, options) {
        const [found] = await client.listCryptoKeyVersions({ parent: key.name }, options)
        return found
          .map(version => keyVersionOf(key, version))
          .filter(version => version !== null)
          .toSorted((one, other) => other.number - one.number)
      },
    })

  return {
    list,

    async current(key, signal) {
      const known = kept.get(key.name)
      if (known !== undefined && performance.now() < known.until) return known.version
      const all = await list(key, signal)
      const version = all.find(({ state }) => state === 'ENABLED')
      if (version === undefined) throw noneEnabled(all)
      kept.set(key.name, { version, until: performance.now() + versionKeptMs })
      return version
    },

    forget(key) {
      kept.delete(key.name)
    },
  }
}

/** Null for what is not a version of this key. */
export function keyVersionOf(
  key: KeyResource,
  { name, state, algorithm }: protos.google.cloud.kms.v1.ICryptoKeyVersion,
): KeyVersion | null {
  const number = versionNumber(key, name ?? '')
  if (number === null) return null
  return {
    name: name ?? '',
    number,
    state: typeof state === 'number' ? (CryptoKeyVersionState[state] ?? '') : (state ?? ''),
    algorithm:
      typeof algorithm === 'number' ? (CryptoKeyVersionAlgorithm[algorithm] ?? '') : (algorithm ?? ''),
  }
}

function noneEnabled(all: readonly KeyVersion[]): KeyError {
  if (all.some(({ state }) => state === 'PENDING_GENERATION')) {
    return new KeyError('unavailable', 'The first version of this key is still being made')
  }
  return new KeyError('disabled', 'No version of this key is enabled')
}
