// Holds the private part to its commitment: the same bytes give the same hash, no other bytes are taken.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { AuditError } from './error.ts'
import { commitPrivate, decodePrivate, encodePrivate, newPrivatePart } from './private-part.ts'

const salt = Uint8Array.from({ length: 16 }, (_, index) => index)
const refused = (run: () => unknown) =>
  assert.throws(run, (error: unknown) => error instanceof AuditError && error.code === 'bad_private')

test('the commitment is SHA-256 over salt and canonical JSON', async () => {
  const part = newPrivatePart({ userAgent: 'curl/8', ip: '203.0.113.9' })
  const expected = createHash('sha256')
    .update(salt)
    .update('{"ip":"203.0.113.9","userAgent":"curl/8"}')
    .digest('hex')
  assert.equal(await commitPrivate(part, salt), `sha256:${expected}`)
  assert.equal(createHash('sha256').update(encodePrivate(part, salt)).digest('hex'), expected)
})

test('any facts become a part that comes back as it was', () => {
  const anyText = fc.option(fc.string({ unit: 'binary', maxLength: 2000 }))
  const brokenText = fc.array(fc.integer({ min: 0, max: 0xffff })).map(units => String.fromCharCode(...units))
  fc.assert(
    fc.property(
      fc.record({
        ip: anyText,
        userAgent: fc.oneof(anyText, brokenText),
        login: brokenText,
        number: anyText,
        query: brokenText,
        reason: anyText,
      }),
      facts => {
        const part = newPrivatePart(facts)
        const decoded = decodePrivate(encodePrivate(part, salt))
        assert.deepEqual(decoded.part, part)
        assert.deepEqual(decoded.salt, salt)
      },
    ),
  )
})

test('what is empty or unknown is left out', () => {
  assert.deepEqual(newPrivatePart({ ip: '', userAgent: null, login: undefined }), {})
  assert.deepEqual(encodePrivate({ ip: undefined }, salt), encodePrivate({}, salt))
})

test('other bytes are refused', () => {
  const bytes = (text: string) => Uint8Array.from([...salt, ...new TextEncoder().encode(text)])
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '{"ip":""}',
    '{"ip": "a"}',
    '{"who":"a"}',
    '{"ip":"a","ip":"a"}',
  ]) {
    refused(() => decodePrivate(bytes(text)))
  }
  refused(() => decodePrivate(salt.subarray(0, 9)))
  refused(() => encodePrivate({}, salt.subarray(1)))
  refused(() => encodePrivate({ ip: 'x'.repeat(65) }, salt))
})
