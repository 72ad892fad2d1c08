// Holds base64 and decimal numbers to one text for each value, and the hash to another implementation of it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, equalBytes, fromBase64, hashFromBase64, isPlainText, sha256, toBase64 } from './bytes.ts'
import { parseDecimal } from './decimal.ts'

test('the hash is the SHA-256 of another implementation, at every length', () => {
  for (let length = 0; length < 300; length++) {
    const bytes = new Uint8Array(length).fill(length)
    assert.ok(equalBytes(sha256(bytes), createHash('sha256').update(bytes).digest()))
  }
})

test('base64 is what another implementation writes, and comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'))
      assert.deepEqual(fromBase64(toBase64(bytes)), concat(bytes))
    }),
  )
  const large = new Uint8Array(3_000_000).fill(255)
  assert.equal(fromBase64(toBase64(large))?.length, large.length)
})

test('other spellings of base64 are none', () => {
  const refused = [
    'A',
    'AA',
    'AAA',
    'AA=',
    'AAA==',
    'AA===',
    'A===',
    '====',
    '=',
    '==',
    'AB==',
    'AAB=',
    'AA==AAAA',
    'AA=A',
  ]
  for (const text of [
    ...refused,
    ' AAAA',
    'AAAA\n',
    'AA AA',
    'AA-_',
    'AAA\u0100',
    'AAAAAA==\n',
    'ＡＡＡＡ',
  ]) {
    assert.equal(fromBase64(text), null, text)
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom('A', 'Q', 'g', '=', '/', '+', '-', '\n')), characters => {
      const text = characters.join('')
      const bytes = fromBase64(text)
      if (bytes !== null) assert.equal(toBase64(bytes), text)
    }),
  )
  assert.equal(hashFromBase64(toBase64(new Uint8Array(31))), null)
  assert.equal(hashFromBase64(toBase64(new Uint8Array(33))), null)
  assert.equal(hashFromBase64(toBase64(new Uint8Array(32)))?.length, 32)
})

test('a number has one text', () => {
  fc.assert(fc.property(fc.maxSafeNat(), number => assert.equal(parseDecimal(String(number)), number)))
  for (const text of [
    '',
    '00',
    '01',
    '-0',
    '+1',
    '1.',
    '1e3',
    ' 1',
    '1\n',
    '0x1',
    '٣',
    '9007199254740992',
    '1'.repeat(40),
  ]) {
    assert.equal(parseDecimal(text), null, text)
  }
})

test('plain text has no control characters but line feeds, and no half characters', () => {
  for (const text of ['', 'a\nb', '\u2014 é 😀', '\u007f\u0085']) assert.ok(isPlainText(text), text)
  for (const text of ['a\r\n', '\t', '\u0000', '\u001f', '\ud83d', '\ude00\ud83d'])
    assert.ok(!isPlainText(text), text)
})
