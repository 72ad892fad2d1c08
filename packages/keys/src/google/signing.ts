// MACs and signatures by Cloud KMS: the version is named in every call, and every answer is checked like a wrap.
import { createHash, createPublicKey } from 'node:crypto'
import { KeyError } from '../error.ts'
import {
  type MacKey,
  maxSignedBytes,
  type PublicKey,
  type SignatureAlgorithm,
  type Signer,
  type SignerName,
} from '../key-service.ts'
import { mustBeSignable } from '../signed-bytes.ts'
import type { Caller } from './call.ts'
import { checkedBytes, checksum, mustHold } from './checksum.ts'
import type { Settings } from './options.ts'
import { mustBeHeldAs } from './protection.ts'
import { type KeyResource, versionNumber } from './resource-names.ts'
import { type KeyVersion, keyVersionOf, type Versions } from './versions.ts'

const macBytes = 32

const algorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  EC_SIGN_ED25519: 'ed25519',
  EC_SIGN_P256_SHA256: 'p256-sha256',
}

interface Parts {
  readonly caller: Caller
  readonly versions: Versions
  readonly settings: Pick<Settings, 'protection'>
}

export function macKey(key: KeyResource, { caller: { call }, versions, settings }: Parts): MacKey {
  const sign = (name: string, data: Uint8Array, signal?: AbortSignal) =>
    call({
      what: 'sign',
      signal,
      async ask(client, options) {
        const [answer] = await client.macSign({ name, data, dataCrc32c: checksum(data) }, options)
        mustHold(answer.verifiedDataCrc32c === true, 'the data was not verified')
        mustHold(answer.name === name, 'another key answered')
        const mac = checkedBytes(answer.mac, answer.macCrc32c, 'the MAC differs')
        mustBeHeldAs(settings.protection, answer.protectionLevel)
        mustHold(mac.length === macBytes, 'the MAC is of another kind')
        return { mac, keyVersion: name }
      },
    })

  return {
    async sign(data, { keyVersion = null, signal } = {}) {
      signal?.throwIfAborted()
      mustBeSignable(data, 'search')
      if (keyVersion !== null) return await sign(ownVersion(key, keyVersion), data, signal)
      return await withCurrent(key, versions, signal, ({ name }) => sign(name, data, signal))
    },

    async verify(data, mac, keyVersion = null, { signal } = {}) {
      signal?.throwIfAborted()
      mustBeSignable(data, 'search')
      const named = keyVersion === null ? null : ownVersion(key, keyVersion)
      if (mac.length !== macBytes) return false
      const verify = (name: string) =>
        call({
          what: 'verify',
          signal,
          async ask(client, options) {
            const sums = { dataCrc32c: checksum(data), macCrc32c: checksum(mac) }
            const [answer] = await client.macVerify({ name, data, mac, ...sums }, options)
            mustHold(answer.verifiedDataCrc32c === true, 'the data was not verified')
            mustHold(answer.verifiedMacCrc32c === true, 'the MAC was not verified')
            mustHold(answer.name === name, 'another key answered')
            const isMac = answer.success === true
            mustHold((answer.verifiedSuccessIntegrity === true) === isMac, 'the verdict differs')
            mustBeHeldAs(settings.protection, answer.protectionLevel)
            return isMac
          },
        })
      if (named !== null) return await verify(named)
      return await withCurrent(key, versions, signal, ({ name }) => verify(name))
    },
  }
}

export function signer(
  key: KeyResource,
  purpose: SignerName['purpose'],
  { caller: { call }, versions, settings }: Parts,
): Signer {
  /** Never change, and are few. */
  const publicKeys = new Map<string, PublicKey>()

  async function publicKeyOf(name: string, signal?: AbortSignal): Promise<PublicKey> {
    const known = publicKeys.get(name)
    if (known !== undefined) return known
    const publicKey = await call({
      what: 'public key',
      signal,
      async ask(client, options) {
        const [answer] = await client.getPublicKey({ name }, options)
        mustHold(answer.name === name, 'another key answered')
        const pem = checkedBytes(answer.pem, answer.pemCrc32c, 'the public key differs')
        mustBeHeldAs(settings.protection, answer.protectionLevel)
        const version = keyVersionOf(key, { name, algorithm: answer.algorithm ?? null })
        return { algorithm: algorithmOf(version), spki: spkiOf(pem), keyVersion: name }
      },
    })
    publicKeys.set(name, publicKey)
    return publicKey
  }

  const sign = (version: KeyVersion, data: Uint8Array, signal?: AbortSignal) => {
    const { name } = version
    const algorithm = algorithmOf(version)
    // A digest is as long whatever it is of; Ed25519 signs the data itself.
    if (algorithm === 'ed25519' && data.length > maxSignedBytes) {
      throw new KeyError('wrong_protection', 'A key that signs as much as this has to be of ECDSA on P-256')
    }
    const digest = createHash('sha256').update(data).digest()
    const request =
      algorithm === 'ed25519'
        ? { name, data, dataCrc32c: checksum(data) }
        : { name, digest: { sha256: digest }, digestCrc32c: checksum(digest) }
    return call({
      what: 'sign',
      signal,
      async ask(client, options) {
        const [answer] = await client.asymmetricSign(request, options)
        const isVerified = algorithm === 'ed25519' ? answer.verifiedDataCrc32c : answer.verifiedDigestCrc32c
        mustHold(isVerified === true, 'the data was not verified')
        mustHold(answer.name === name, 'another key answered')
        const signature = checkedBytes(answer.signature, answer.signatureCrc32c, 'the signature differs')
        mustBeHeldAs(settings.protection, answer.protectionLevel)
        return { signature, algorithm, keyVersion: name }
      },
    })
  }

  return {
    async publicKey({ keyVersion = null, signal } = {}) {
      signal?.throwIfAborted()
      if (keyVersion !== null) return await publicKeyOf(ownVersion(key, keyVersion), signal)
      return await withCurrent(key, versions, signal, ({ name }) => publicKeyOf(name, signal))
    },

    async publicKeys({ signal } = {}) {
      signal?.throwIfAborted()
      const found: PublicKey[] = []
      for (const { name, state } of await versions.list(key, signal))
        if (state === 'ENABLED') found.push(await publicKeyOf(name, signal))
      return found
    },

    async sign(data, { signal } = {}) {
      signal?.throwIfAborted()
      mustBeSignable(data, purpose)
      return await withCurrent(key, versions, signal, version => sign(version, data, signal))
    },
  }
}

/** Looks once more for the version that signs when the one that was kept has been disabled since. */
async function withCurrent<T>(
  key: KeyResource,
  versions: Versions,
  signal: AbortSignal | undefined,
  use: (version: KeyVersion) => Promise<T>,
): Promise<T> {
  const version = await versions.current(key, signal)
  try {
    return await use(version)
  } catch (error) {
    if (!(error instanceof KeyError) || error.code !== 'disabled') throw error
    versions.forget(key)
    const now = await versions.current(key, signal)
    if (now.name === version.name) throw error
    return await use(now)
  }
}

function ownVersion(key: KeyResource, keyVersion: string): string {
  if (versionNumber(key, keyVersion) !== null) return keyVersion
  throw new KeyError('unknown_key', 'There is no such version of this key')
}

function algorithmOf(version: KeyVersion | null): SignatureAlgorithm {
  const algorithm = algorithms[version?.algorithm ?? '']
  if (algorithm !== undefined) return algorithm
  throw new KeyError(
    'wrong_protection',
    'A signing key has an algorithm that is not Ed25519 or ECDSA on P-256',
  )
}

function spkiOf(pem: Uint8Array): Uint8Array {
  return createPublicKey(Buffer.from(pem).toString()).export({ type: 'spki', format: 'der' })
}
