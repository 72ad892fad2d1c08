import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSameSecret } from './same-secret.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('the same bytes are the same secret, and nothing else is', () => {
  fc.assert(
    fc.property(hash, hash, (held, other) => {
      assert.equal(isSameSecret(held, Uint8Array.from(held)), true)
      assert.equal(isSameSecret(held, other), Buffer.compare(held, other) === 0)
      assert.equal(isSameSecret(held, held.subarray(1)), false)
    }),
  )
})

test('a signed token is none of a row with a hash, nor an opaque one of a row without', () => {
  fc.assert(
    fc.property(hash, bytes => {
      assert.equal(isSameSecret(bytes, null), false)
      assert.equal(isSameSecret(null, bytes), false)
    }),
  )
  assert.equal(isSameSecret(null, null), true)
})
