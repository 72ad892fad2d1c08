// Holds the codes that people type to what people do when they type: case, dashes, look-alikes, slips.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { emergencyCodeHash, newEmergencyCode, parseEmergencyCode } from './emergency-code.ts'
import { IdentityError } from './error.ts'
import { newRecoveryCodes, parseRecoveryCode, recoveryCodeHash } from './recovery-code.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const countingUp = (length: number) => Uint8Array.from({ length }, (_, i) => i)
const sha256 = (text: string) => Uint8Array.from(createHash('sha256').update(text).digest())
const isMalformed = (error: unknown) => error instanceof IdentityError && error.code === 'malformed'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const recovery = bytes(16).map(random => newRecoveryCodes(() => random)[0] ?? '')
const emergency = bytes(26).map(random => newEmergencyCode(() => random))
const kinds = [
  { name: 'recovery', code: recovery, parse: parseRecoveryCode, hash: recoveryCodeHash, characters: 16 },
  { name: 'emergency', code: emergency, parse: parseEmergencyCode, hash: emergencyCodeHash, characters: 28 },
] as const

test('ten recovery codes of 80 bits, all different', () => {
  const codes = newRecoveryCodes()
  assert.equal(new Set(codes).size, 10)
  const group = '[0-9A-HJKMNP-TV-Z]{4}'
  for (const code of codes) assert.match(code, new RegExp(`^${group}-${group}-${group}-${group}$`))
  assert.deepEqual(newRecoveryCodes(countingUp)[0], '0123-4567-89AB-CDEF')
  // All 256 bytes: every character eight times, none more likely than another.
  const all = newRecoveryCodes(countingUp.bind(null, 256))[0] ?? ''
  const counts = [...alphabet].map(character => all.replaceAll('-', '').split(character).length - 1)
  assert.deepEqual(new Set(counts), new Set([8]))
})

test('an emergency code of 130 bits and two check symbols', () => {
  assert.match(newEmergencyCode(), /^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/)
  assert.notEqual(newEmergencyCode(), newEmergencyCode())
  const code = newEmergencyCode(countingUp)
  const secret = '0123456789ABCDEFGHJKMNPQRS'
  const value = [...secret].reduce((sum, character) => sum * 32n + BigInt(alphabet.indexOf(character)), 0n)
  const check = Number(value % 1021n)
  const symbols = alphabet.charAt(Math.floor(check / 32)) + alphabet.charAt(check % 32)
  assert.equal(code.replaceAll('-', ''), secret + symbols)
})

test('what is hashed, to the byte: the vectors of docs/sign-in.md', () => {
  const hex = (hash: Uint8Array) => Buffer.from(hash).toString('hex')
  assert.equal(
    hex(recoveryCodeHash('0123-4567-89AB-CDEF')),
    '242547918f7cebdf0214197b3429708d6c9ef6d00087113812a632feed5da2dd',
  )
  assert.equal(
    hex(emergencyCodeHash('0123-4567-89AB-CDEF-GHJK-MNPQ-RSJR')),
    'c20110d0fa9c5e46b5114046ab9d75e215d1c9512362c0bb1bcfa16cf9c3a269',
  )
  assert.deepEqual(
    recoveryCodeHash('0123-4567-89ab-cdef'),
    sha256('auricle recovery code 1\x000123456789ABCDEF'),
  )
  const code = newEmergencyCode(countingUp)
  assert.deepEqual(emergencyCodeHash(code), sha256(`auricle emergency code 1\x00${code.replaceAll('-', '')}`))
})

for (const { name, code, parse, hash, characters } of kinds) {
  test(`${name}: any way to type a code is that code`, () => {
    const dressing = fc.constantFrom('', '', '', '-', ' ', '\u2013', '\u2011', '\t', '\u00a0')
    const style = fc.array(fc.tuple(fc.nat(5), dressing), { minLength: characters, maxLength: characters })
    fc.assert(
      fc.property(code, style, (fresh, styles) => {
        const canonical = fresh.replaceAll('-', '')
        assert.equal(parse(fresh), canonical)
        const typed = [...canonical].map((character, i) => {
          const [variant, after] = styles[i] ?? [0, '']
          const forms = { '0': '0oO', '1': '1iIlL' }[character] ?? character + character.toLowerCase()
          return forms.charAt(variant % forms.length) + after
        })
        assert.equal(parse(typed.join('')), canonical)
        assert.deepEqual(hash(typed.join('')), hash(fresh))
        assert.equal(hash(fresh).byteLength, 32)
      }),
    )
  })

  test(`${name}: what is no code is null, and has no hash`, () => {
    const not = [
      '',
      '-',
      '0'.repeat(characters - 1),
      '0'.repeat(characters + 1),
      'U'.repeat(characters),
      'ı'.repeat(characters),
      '０'.repeat(characters),
      `${'ß'.repeat(characters / 2)}`,
      `${'0'.repeat(characters - 1)}*`,
      `${' '.repeat(200)}${'0'.repeat(characters)}`,
    ]
    for (const text of not) {
      assert.equal(parse(text), null, text)
      assert.throws(() => hash(text), isMalformed)
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
        const parsed = parse(text)
        if (parsed !== null) assert.match(parsed, /^[0-9A-HJKMNP-TV-Z]+$/)
        else assert.throws(() => hash(text), isMalformed)
      }),
    )
  })
}

test('an emergency code with one wrong character, or any two exchanged, is known to be mistyped', () => {
  const at = fc.nat(27)
  fc.assert(
    fc.property(emergency, at, at, fc.constantFrom(...alphabet), (fresh, i, j, other) => {
      const characters = [...fresh.replaceAll('-', '')]
      const wrong = characters.with(i, other).join('')
      if (characters[i] !== other) assert.equal(parseEmergencyCode(wrong), null)
      const exchanged = characters.with(i, characters[j] ?? '').with(j, characters[i] ?? '')
      // Of the check symbols, only with each other or both at home.
      if (characters[i] !== characters[j] && i < 26 === j < 26)
        assert.equal(parseEmergencyCode(exchanged.join('')), null)
    }),
    { numRuns: 2000 },
  )
})
