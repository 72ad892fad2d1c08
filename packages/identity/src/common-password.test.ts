// Holds the offline check of common passwords to what people choose, and to passphrases that it must leave alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { commonWords } from './common-words.ts'
import { IdentityError } from './error.ts'
import { checkPassword } from './password-rule.ts'

const login = 'somebody-else'
const isCommon = (error: unknown) =>
  error instanceof IdentityError && error.code === 'weak_password' && error.message.includes('common words')

for (const common of [
  'Password2026!!',
  'Welcome12345',
  'P@ssw0rd2026!',
  'p4$$w0rd!!!!!!',
  'passwordpassword',
  'Passwordddddd',
  'aaaaPasswordaaaa',
  'qwertyuiop12',
  'Qwerty123456!',
  '1q2w3e4r5t6y'.replace('6y', '!!'),
  '1qaz2wsx3edc',
  'letmein-letmein',
  'iloveyou2026',
  'Summer 2026!',
  'November2026',
  'Winter...2026',
  'hospital#2026',
  'Voicemail2026',
  '2026 Spring 2026',
  '123456789012',
  '!!!!dragon!!!!',
  'admin-password',
  'Contraseña2026',
  'пароль-пароль-1',
  'ｐａｓｓｗｏｒｄ１２３４',
  'Monkey\u200b123456',
]) {
  test(`common: ${common}`, () => {
    assert.throws(() => checkPassword(common, login), isCommon)
  })
}

for (const fine of [
  'my password is a small green teapot',
  'november rain over the teapot',
  'qwerty teapots everywhere',
  'welcome back to the boathouse',
  'six brown mugs in summer',
  'correct horse battery staple',
  'passwordtangerineteapot',
  'hospitality2026',
  'dragonfruit crumble',
  '739201846573',
  '1357924680ab',
  'p@ssage of time',
  'bGx9-2kTz-Qm4w',
  '杯杯杯 password mugs',
]) {
  test(`not common: ${fine}`, () => checkPassword(fine, login))
}

test('any common word among digits and signs is refused, however it is written', () => {
  const signs = fc.string({ unit: fc.constantFrom(...'0123456789 !#.,-_?*'), minLength: 12, maxLength: 20 })
  fc.assert(
    fc.property(fc.constantFrom(...commonWords), signs, signs, (word, before, after) => {
      fc.pre(new Set(word + before + after).size >= 5)
      for (const form of [word, word.toUpperCase(), word.replaceAll('a', '4').replaceAll('o', '0')])
        assert.throws(() => checkPassword(before + form + after, login), isCommon)
    }),
  )
})

test('a word that is not common is enough, wherever it stands', () => {
  const part = fc.constantFrom(...commonWords, '2026', '!!', ' ')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), fc.array(part, { maxLength: 5 }), (before, after) => {
      checkPassword(`${before.join('')}jvkw-teuthis${after.join('')}`, login)
    }),
  )
})

test('the longest password is checked as any other', () => {
  const long = 'passwordqwerty'.repeat(73).slice(0, 1024)
  checkPassword(`${long.slice(0, 1020)}jvkw`, login)
  assert.throws(() => checkPassword('password'.repeat(128), login), isCommon)
})

test('the list has each word once, in lower case', () => {
  assert.equal(new Set(commonWords).size, commonWords.length)
  for (const word of commonWords) assert.equal(word.normalize('NFKC').toLowerCase(), word)
})
