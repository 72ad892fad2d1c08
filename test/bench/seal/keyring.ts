// A key service in memory: one AES-256-GCM call a wrap, so that what is measured is sealing and no key service.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, randomFillSync } from 'node:crypto'
import type { KeyUnwrapper, KeyWrapper } from '@auricle/sealed'

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const created = '2026-01-02T03:04:05Z'

export function createMemoryKeyring(): KeyWrapper & KeyUnwrapper {
  const key = createSecretKey(randomBytes(keyBytes))
  return {
    async wrap(dataKey, aad) {
      const wrapped = Buffer.allocUnsafe(nonceBytes + keyBytes + tagBytes)
      const nonce = randomFillSync(wrapped, 0, nonceBytes).subarray(0, nonceBytes)
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(aad)
      wrapped.set(cipher.update(dataKey), nonceBytes)
      cipher.final()
      wrapped.set(cipher.getAuthTag(), nonceBytes + keyBytes)
      return {
        kms: 'local',
        key: 'bench/recordings',
        keyVersion: 'bench/recordings/1',
        protection: 'SOFTWARE',
        aad: 1,
        wrapped: wrapped.toString('base64url'),
        createdAt: created,
      }
    },
    async unwrap(wrap, aad) {
      const bytes = Buffer.from(wrap.wrapped, 'base64url')
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(aad).setAuthTag(bytes.subarray(-tagBytes))
      const dataKey = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
      decipher.final()
      return dataKey
    },
  }
}
