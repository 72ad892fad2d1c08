// Holds passwords to real argon2id hashes: right ones pass, wrong ones and nobody's do not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hash } from '@node-rs/argon2'
import { IdentityError, type IdentityErrorCode } from './error.ts'
import { createPasswords } from './password.ts'
import { checkPassword } from './password-rule.ts'

const { hashPassword, verifyPassword, needsRehash } = createPasswords()
const login = 'clinician'
const password = 'six brown mugs on a shelf'
const isCode = (code: IdentityErrorCode) => (error: unknown) =>
  error instanceof IdentityError && error.code === code

test('a password is kept as a salted argon2id hash above the usual minimum', async () => {
  const phc = await hashPassword(password, login)
  assert.match(phc, /^\$argon2id\$v=19\$m=32768,t=3,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(await hashPassword(password, login), phc)
  assert.equal(needsRehash(phc), false)
  assert.equal(await verifyPassword(phc, password), true)
  for (const wrong of ['', `${password} `, password.toUpperCase(), password.slice(1), 'x'.repeat(5000)]) {
    assert.equal(await verifyPassword(phc, wrong), false)
  }
})

test('nobody has no password', async () => {
  for (const guess of ['', password, '\0', 'x'.repeat(5000)])
    assert.equal(await verifyPassword(null, guess), false)
})

test('a password over the limit is wrong even where its beginning is right', async () => {
  const longest = 'long enough '.repeat(100).slice(0, 1024)
  const phc = await hashPassword(longest, login)
  assert.equal(await verifyPassword(phc, longest), true)
  assert.equal(await verifyPassword(phc, `${longest}x`), false)
})

test('what looks the same is the same', async () => {
  const phc = await hashPassword('caf\u00e9 with \ufb01ve mugs', login)
  assert.equal(await verifyPassword(phc, 'cafe\u0301 with five mugs'), true)
})

test('a cheaper hash still verifies and asks to be made anew', async () => {
  const cheap = await hash(password, { algorithm: 2, memoryCost: 8192, timeCost: 1, parallelism: 1 })
  assert.equal(await verifyPassword(cheap, password), true)
  assert.equal(needsRehash(cheap), true)
})

test('a stored hash of another kind, or one that would cost too much, is refused', async () => {
  const argon2i = await hash(password, { algorithm: 1, memoryCost: 8192, timeCost: 1, parallelism: 1 })
  const body = 'AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  for (const phc of [
    argon2i,
    '',
    'plain',
    '$2b$12$abcdefghijklmnopqrstuuO2wq3lZ9zDqFvJ3jW3JqN8n2kQ3v0mK',
    `$argon2id$v=19$m=4194304,t=3,p=1$${body}`,
    `$argon2id$v=19$m=32768,t=4000,p=1$${body}`,
  ]) {
    await assert.rejects(verifyPassword(phc, password), isCode('bad_hash'))
    assert.throws(() => needsRehash(phc), isCode('bad_hash'))
  }
})

test('a flood is refused instead of taking all memory', async () => {
  const { verifyPassword: verifyFew } = createPasswords({ maxRunning: 1, maxWaiting: 2 })
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => verifyFew(null, password)))
  const refused = results.filter(result => result.status === 'rejected')
  assert.equal(refused.length, 17)
  for (const { reason } of refused) assert.ok(isCode('busy')(reason))
})

for (const [name, weak] of [
  ['too short', 'short'],
  ['eleven characters', 'brown mugs!'],
  ['too long', 'long enough '.repeat(100)],
  ['one character', 'a'.repeat(20)],
  ['two characters', 'ab'.repeat(10)],
  ['a sequence up', 'abcdefghijklmnop'],
  ['a sequence down', 'zyxwvutsrqponm'],
  ['the login inside', 'my-CLINICIAN-password'],
  ['the login in wide letters', 'my ｃｌｉｎｉｃｉａｎ password'],
  ['the service inside', 'Auricle password 1'],
  ['a lone surrogate', `six brown mugs \ud800`],
] as const) {
  test(`weak: ${name}`, async () => {
    assert.throws(() => checkPassword(weak, login), isCode('weak_password'))
    await assert.rejects(hashPassword(weak, login), isCode('weak_password'))
  })
}

test('no rule of composition', () => {
  for (const fine of [
    'six brown mugs',
    'twelve-chars',
    '1357924680ab',
    'пять кружек на полке',
    '杯杯杯 three mugs',
  ]) {
    checkPassword(fine, login)
  }
  checkPassword('about six brown mugs', 'ab')
})
