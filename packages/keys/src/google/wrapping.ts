// Wrapping and unwrapping data keys: one call each, bound to its additional data, believed only when every check holds.
import type { Wrap } from '@auricle/contract'
import type { CallOptions, KeyUnwrapper, KeyWrapper } from '@auricle/sealed'
import { dataKeyBytes, notAuthentic } from '../wrapped-bytes.ts'
import type { Caller } from './call.ts'
import { checkedBytes, checksum, mustHold } from './checksum.ts'
import { isInvalid } from './kms-error.ts'
import type { Settings } from './options.ts'
import { heldAs, mustBeHeldAs } from './protection.ts'
import { type KeyResource, versionNumber } from './resource-names.ts'

const kms = 'gcp'

export function wrappingKey(
  key: KeyResource,
  { call }: Caller,
  { protection, now }: Pick<Settings, 'protection' | 'now'>,
): KeyWrapper & KeyUnwrapper {
  return {
    async wrap(dataKey, aad, { signal } = {}): Promise<Wrap> {
      signal?.throwIfAborted()
      if (dataKey.length !== dataKeyBytes) throw new RangeError(`A data key has ${dataKeyBytes} bytes`)
      const request = {
        name: key.name,
        plaintext: dataKey,
        plaintextCrc32c: checksum(dataKey),
        additionalAuthenticatedData: aad,
        additionalAuthenticatedDataCrc32c: checksum(aad),
      }
      return await call({
        what: 'wrap',
        signal,
        async ask(client, options) {
          const [answer] = await client.encrypt(request, options)
          mustHold(answer.verifiedPlaintextCrc32c === true, 'the data key was not verified')
          mustHold(answer.verifiedAdditionalAuthenticatedDataCrc32c === true, 'the context was not verified')
          const keyVersion = answer.name ?? ''
          mustHold(versionNumber(key, keyVersion) !== null, 'another key answered')
          const ciphertext = checkedBytes(answer.ciphertext, answer.ciphertextCrc32c, 'the wrap differs')
          mustBeHeldAs(protection, answer.protectionLevel)
          return {
            kms,
            key: key.name,
            keyVersion,
            protection,
            aad: 1,
            wrapped: Buffer.from(ciphertext).toString('base64url'),
            createdAt: new Date(now()).toISOString(),
          }
        },
      })
    },

    async unwrap(wrap: Wrap, aad: Uint8Array, { signal }: CallOptions = {}): Promise<Uint8Array> {
      signal?.throwIfAborted()
      const ciphertext = ciphertextOf(key, wrap)
      const request = {
        name: key.name,
        ciphertext,
        ciphertextCrc32c: checksum(ciphertext),
        additionalAuthenticatedData: aad,
        additionalAuthenticatedDataCrc32c: checksum(aad),
      }
      return await call({
        what: 'unwrap',
        signal,
        explain: error => (isInvalid(error) ? notAuthentic(error) : null),
        async ask(client, options) {
          const [answer] = await client.decrypt(request, options)
          const received = answer.plaintext
          try {
            const dataKey = checkedBytes(received, answer.plaintextCrc32c, 'the data key differs')
            if (heldAs(answer.protectionLevel) === wrap.protection && dataKey.length === dataKeyBytes) {
              return dataKey
            }
            dataKey.fill(0)
            throw notAuthentic()
          } finally {
            if (received instanceof Uint8Array) received.fill(0)
          }
        },
      })
    },
  }
}

/** Throws `not_authentic` for a wrap that is not of this key, before anybody is asked. */
function ciphertextOf(key: KeyResource, wrap: Wrap): Buffer {
  const isOurs = wrap.kms === kms && wrap.key === key.name && versionNumber(key, wrap.keyVersion) !== null
  const bytes = Buffer.from(wrap.wrapped, 'base64url')
  // Decoding skips what it does not know, so only the one text that encodes these bytes is taken.
  if (!isOurs || bytes.length === 0 || bytes.toString('base64url') !== wrap.wrapped) throw notAuthentic()
  return bytes
}
