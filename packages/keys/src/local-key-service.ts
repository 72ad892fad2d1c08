// Keys in a file of this machine, shared by the processes that may read it.
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Wrap } from '@auricle/contract'
import type { CallOptions, KeyUnwrapper, KeyWrapper } from '@auricle/sealed'
import { KeyError, unavailable } from './error.ts'
import { inspectKeyring } from './inspect-keyring.ts'
import type { KeyService, MacKey, Signer } from './key-service.ts'
import { keyText } from './key-text.ts'
import { emptyKeyring, type Keyring, keyringText, parseKeyring, withNewVersion } from './keyring.ts'
import { hasPrevious, makeFolderOf, readKeyringFile, replaceKeyringFile, stampOf } from './keyring-file.ts'
import { lockFile } from './lock.ts'
import { newGuard } from './protection.ts'
import { isMacOf, macOf, mustBeSignable, signatureOf, spkiOf } from './signed-bytes.ts'
import {
  dataKeyBytes,
  notAuthentic,
  openDataKey,
  parseWrapped,
  type RandomBytes,
  sealDataKey,
  type VersionedKey,
} from './wrapped-bytes.ts'

export interface LocalKeyServiceOptions {
  /** The keyring file; beside it stand `.previous` and, for moments, `.lock`. Losing it loses everything sealed. */
  readonly file: string
  /** Null or absent: the key material in the file is readable to whoever may read the file. */
  readonly passphrase?: string | null | undefined
  /** `refuse` throws `unavailable` where there is no file: for deployments that have keys. Default: `create`. */
  readonly ifMissing?: 'create' | 'refuse' | undefined
  /** Default: the system's. */
  readonly random?: RandomBytes | undefined
  /** Unix milliseconds. Default: the system's clock. */
  readonly now?: (() => number) | undefined
  /** How long to wait for other processes that change the file. Default: 10,000. */
  readonly lockTimeoutMs?: number | undefined
}

const kms = 'local'
const protection = 'SOFTWARE'
const algorithm = 'ed25519'
const defaultLockTimeoutMs = 10_000
/** How long a process may go on wrapping under a version that another has replaced. */
const refreshMs = 2000

/**
 * Opens the keyring, or makes it. Throws `bad_passphrase`, `unsafe_file`, `damaged` and `unavailable`; a file
 * that is there and cannot be understood is never written to.
 */
export async function createLocalKeyService(
  options: LocalKeyServiceOptions,
  { signal }: CallOptions = {},
): Promise<KeyService> {
  const { passphrase = null, ifMissing = 'create', random = randomBytes, now = Date.now } = options
  const { lockTimeoutMs = defaultLockTimeoutMs } = options
  const path = resolve(options.file)
  let loaded: { readonly keyring: Keyring; readonly stamp: string } | null = null
  let checkedAt = Number.NEGATIVE_INFINITY

  let turn: Promise<unknown> = Promise.resolve()

  /** Reads the file again if it is another than the one read last. Throws `unavailable` where it is gone. */
  function refresh(): Promise<Keyring> {
    // One after the other, so that a slow reading of an older file never replaces a newer one.
    const refreshed = turn.then(load, load)
    turn = refreshed.catch(() => undefined)
    return refreshed
  }

  async function load(): Promise<Keyring> {
    const stamp = await stampOf(path)
    if (stamp === null) throw missing()
    if (loaded?.stamp !== stamp) {
      const content = await readKeyringFile(path)
      if (content === null) throw missing()
      const keyring = await parseKeyring(content.text, passphrase, random, loaded?.keyring.guard ?? null)
      loaded = { keyring, stamp: content.stamp }
    }
    checkedAt = performance.now()
    return loaded.keyring
  }

  /** Changes the file under its lock, from what it says now. `change` gives null to leave it. */
  async function update(change: (keyring: Keyring) => Keyring | null, signal?: AbortSignal): Promise<void> {
    try {
      await using _lock = await lockFile(`${path}.lock`, lockTimeoutMs, signal)
      const changed = change(await refresh())
      signal?.throwIfAborted()
      if (changed !== null) await replaceKeyringFile(path, keyringText(changed))
    } catch (error) {
      signal?.throwIfAborted()
      throw unavailable(error)
    }
    await refresh()
  }

  async function create(): Promise<void> {
    if (ifMissing === 'refuse') throw missing()
    const guard = await newGuard(passphrase, random)
    await makeFolderOf(path)
    try {
      await using _lock = await lockFile(`${path}.lock`, lockTimeoutMs, signal)
      if ((await stampOf(path)) !== null) return
      if (await hasPrevious(path)) {
        throw new KeyError(
          'damaged',
          'The keyring is gone but its .previous is there: restore it, lest data be lost',
        )
      }
      await replaceKeyringFile(path, keyringText(emptyKeyring(guard)))
    } catch (error) {
      signal?.throwIfAborted()
      throw unavailable(error)
    }
  }

  const fresh = async (): Promise<Keyring> => {
    if (loaded !== null && performance.now() - checkedAt < refreshMs) return loaded.keyring
    return await refresh()
  }

  async function primaryOf(text: string): Promise<VersionedKey> {
    const named = (await fresh()).keys.get(text) ?? (await refresh()).keys.get(text)
    const key = named?.versions.get(named.primary)
    if (named === undefined || key === undefined) throw unknownKey()
    return { version: named.primary, key }
  }

  // What was read once is enough, so recordings stay readable while the file cannot be reached.
  async function versionOf(text: string, version: number): Promise<VersionedKey> {
    const known = loaded?.keyring.keys.get(text)?.versions.get(version)
    const key = known ?? (await refresh()).keys.get(text)?.versions.get(version)
    if (key === undefined) throw unknownKey()
    return { version, key }
  }

  /** The version that a caller names, else the primary. */
  async function chosen(text: string, keyVersion: string | null = null): Promise<VersionedKey> {
    if (keyVersion === null) return await primaryOf(text)
    if (!/^[1-9][0-9]{0,9}$/.test(keyVersion)) throw unknownKey()
    return await versionOf(text, Number(keyVersion))
  }

  async function wrap(text: string, dataKey: Uint8Array, aad: Uint8Array): Promise<Wrap> {
    if (dataKey.length !== dataKeyBytes) throw new RangeError(`A data key has ${dataKeyBytes} bytes`)
    const primary = await primaryOf(text)
    return {
      kms,
      key: text,
      keyVersion: String(primary.version),
      protection,
      aad: 1,
      wrapped: sealDataKey(primary, dataKey, aad, random),
      createdAt: new Date(now()).toISOString(),
    }
  }

  async function unwrap(text: string, wrap: Wrap, aad: Uint8Array): Promise<Uint8Array> {
    if (wrap.kms !== kms || wrap.key !== text || wrap.protection !== protection) throw notAuthentic()
    const { bytes, version } = parseWrapped(wrap.wrapped)
    if (wrap.keyVersion !== String(version)) throw notAuthentic()
    const { key } = await versionOf(text, version)
    return openDataKey(key, bytes, aad)
  }

  if ((await stampOf(path)) === null) await create()
  await refresh()

  return {
    async ensure(name, { signal } = {}) {
      signal?.throwIfAborted()
      const text = keyText(name)
      if ((await fresh()).keys.has(text)) return
      await update(ring => (ring.keys.has(text) ? null : withNewVersion(ring, text, random, now())), signal)
    },

    async rotate(name, { signal } = {}) {
      signal?.throwIfAborted()
      const text = keyText(name)
      await update(ring => {
        if (!ring.keys.has(text)) throw unknownKey()
        return withNewVersion(ring, text, random, now())
      }, signal)
    },

    key(name): KeyWrapper & KeyUnwrapper {
      const text = keyText(name)
      return {
        async wrap(dataKey, aad, { signal } = {}) {
          signal?.throwIfAborted()
          return await wrap(text, dataKey, aad)
        },
        async unwrap(wrapped, aad, { signal } = {}) {
          signal?.throwIfAborted()
          return await unwrap(text, wrapped, aad)
        },
      }
    },

    mac(name): MacKey {
      const text = keyText(name)
      return {
        async sign(data, { keyVersion, signal } = {}) {
          signal?.throwIfAborted()
          mustBeSignable(data, name.purpose)
          const { version, key } = await chosen(text, keyVersion)
          return { mac: macOf(key, data), keyVersion: String(version) }
        },
        async verify(data, mac, keyVersion, { signal } = {}) {
          signal?.throwIfAborted()
          mustBeSignable(data, name.purpose)
          const { key } = await chosen(text, keyVersion)
          return isMacOf(key, data, mac)
        },
      }
    },

    signer(name): Signer {
      const text = keyText(name)
      return {
        async publicKey({ keyVersion, signal } = {}) {
          signal?.throwIfAborted()
          const { version, key } = await chosen(text, keyVersion)
          return { algorithm, spki: spkiOf(key), keyVersion: String(version) }
        },
        async publicKeys({ signal } = {}) {
          signal?.throwIfAborted()
          const named = (await refresh()).keys.get(text)
          if (named === undefined) throw unknownKey()
          return [...named.versions]
            .toSorted(([one], [other]) => other - one)
            .map(([version, key]) => ({ algorithm, spki: spkiOf(key), keyVersion: String(version) }))
        },
        async sign(data, { signal } = {}) {
          signal?.throwIfAborted()
          mustBeSignable(data, name.purpose)
          const { version, key } = await primaryOf(text)
          return { signature: signatureOf(key, data), algorithm, keyVersion: String(version) }
        },
      }
    },

    async inspect({ signal } = {}) {
      signal?.throwIfAborted()
      return await inspectKeyring(path, refresh)
    },
  }
}

const missing = (): KeyError => new KeyError('unavailable', 'The keyring file is not there')
const unknownKey = (): KeyError =>
  new KeyError('unknown_key', 'There is no such key, or no such version of it')
