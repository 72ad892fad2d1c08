// The methods that make keys and change what becomes of them.
import {
  type CryptoKeySettings,
  type Keys,
  messageOfKey,
  messageOfVersion,
  type VersionState,
} from './keys.ts'
import { type CryptoKeyMessage, type FieldMask, type ListRequest, timestampOf } from './protocol.ts'
import { invalid } from './status.ts'

const defaultPage = 100
const largestPage = 1000

interface Named {
  readonly name: string
}

export function administrationOf(keys: Keys) {
  const ringMessage = (name: string) => ({ name, createTime: timestampOf(keys.ring(name).createdAt) })
  return {
    CreateKeyRing({ parent, keyRingId }: { readonly parent: string; readonly keyRingId: string }) {
      const name = `${parent}/keyRings/${keyRingId}`
      keys.createRing(name)
      return ringMessage(name)
    },

    GetKeyRing: ({ name }: Named) => ringMessage(name),

    CreateCryptoKey(request: {
      readonly parent: string
      readonly cryptoKeyId: string
      readonly cryptoKey: CryptoKeySettings | null
    }) {
      if (request.cryptoKey === null) throw invalid('The request has errors: crypto_key')
      return messageOfKey(keys.createKey(request.parent, request.cryptoKeyId, request.cryptoKey))
    },

    GetCryptoKey: ({ name }: Named) => messageOfKey(keys.key(name)),

    ListCryptoKeys({ parent, ...request }: ListRequest) {
      const { items, nextPageToken, totalSize } = page(keys.keysOf(parent), request)
      return { cryptoKeys: items.map(messageOfKey), nextPageToken, totalSize }
    },

    UpdateCryptoKey(request: {
      readonly cryptoKey: CryptoKeyMessage | null
      readonly updateMask: FieldMask | null
    }) {
      const { cryptoKey, updateMask } = request
      if (cryptoKey === null || updateMask === null) throw invalid('The request has errors: update_mask')
      return messageOfKey(keys.updateKey(cryptoKey.name, updateMask.paths, cryptoKey))
    },

    CreateCryptoKeyVersion: ({ parent }: { readonly parent: string }) =>
      messageOfVersion(keys.addVersion(parent)),

    GetCryptoKeyVersion: ({ name }: Named) => messageOfVersion(keys.version(name)),

    ListCryptoKeyVersions({ parent, ...request }: ListRequest) {
      const { items, nextPageToken, totalSize } = page(keys.key(parent).versions, request)
      return { cryptoKeyVersions: items.map(messageOfVersion), nextPageToken, totalSize }
    },

    UpdateCryptoKeyVersion(request: {
      readonly cryptoKeyVersion: { readonly name: string; readonly state: VersionState } | null
      readonly updateMask: FieldMask | null
    }) {
      const { cryptoKeyVersion, updateMask } = request
      if (cryptoKeyVersion === null || updateMask?.paths.join() !== 'state') {
        throw invalid('The request has errors: update_mask')
      }
      const version = keys.version(cryptoKeyVersion.name)
      keys.setEnabled(version, cryptoKeyVersion.state)
      return messageOfVersion(version)
    },

    UpdateCryptoKeyPrimaryVersion: (request: Named & { readonly cryptoKeyVersionId: string }) =>
      messageOfKey(keys.setPrimary(request.name, request.cryptoKeyVersionId)),

    DestroyCryptoKeyVersion({ name }: Named) {
      const version = keys.version(name)
      keys.scheduleDestroy(version)
      return messageOfVersion(version)
    },

    RestoreCryptoKeyVersion({ name }: Named) {
      const version = keys.version(name)
      keys.restore(version)
      return messageOfVersion(version)
    },
  }
}

function page<Item>(all: readonly Item[], { pageSize, pageToken }: Omit<ListRequest, 'parent'>) {
  const size = Math.min(pageSize > 0 ? pageSize : defaultPage, largestPage)
  const from = pageToken === '' ? 0 : Number(pageToken)
  if (!Number.isInteger(from) || from < 0) throw invalid('The page token is invalid.')
  const next = from + size
  return {
    items: all.slice(from, next),
    nextPageToken: next < all.length ? String(next) : '',
    totalSize: all.length,
  }
}
