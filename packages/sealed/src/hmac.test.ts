import assert from 'node:assert/strict'
import { createHmac, hkdfSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { hkdfExpand, hkdfExtract, hmac } from './hmac.ts'

const name = fc.constantFrom('sha1' as const, 'sha256' as const, 'sha512' as const)
const bytes = (maxLength: number) => fc.uint8Array({ maxLength })

test('hmac is that of Node, for keys and messages of any length', () => {
  fc.assert(
    fc.property(name, bytes(300), fc.array(bytes(300), { maxLength: 4 }), (hash, key, parts) => {
      const expected = createHmac(hash, key).update(Buffer.concat(parts)).digest()
      assert.deepEqual(Buffer.from(hmac(hash, key, ...parts)), expected)
    }),
  )
})

test('hkdf is that of Node, as far as Node goes', () => {
  const length = fc.integer({ min: 1, max: 400 })
  fc.assert(
    fc.property(name, bytes(100), bytes(100), bytes(1024), length, (hash, key, salt, info, lengthBytes) => {
      const expected = Buffer.from(hkdfSync(hash, key, salt, info, lengthBytes))
      const output = hkdfExpand(hash, hkdfExtract(hash, salt, key), [info], lengthBytes)
      assert.deepEqual(Buffer.from(output), expected)
    }),
  )
})

test('RFC 5869, test case 1', () => {
  const salt = Buffer.from('000102030405060708090a0b0c', 'hex')
  const secret = hkdfExtract('sha256', salt, Buffer.alloc(22, 0x0b))
  const info = Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex')
  assert.equal(
    Buffer.from(hkdfExpand('sha256', secret, [info], 42)).toString('hex'),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  )
})
