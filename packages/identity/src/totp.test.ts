// Holds one-time codes to RFC 6238, and each step to being used once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IdentityError } from './error.ts'
import { newTotp, verifyTotp } from './totp.ts'

// RFC 6238 appendix B: the 20 ASCII bytes 1234567890 twice.
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
// Its table has eight digits; six digits are the last six (RFC 4226 section 5.3).
const vectors = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
] as const
const at = (seconds: number) => new Date(seconds * 1000)
const stepOf = (seconds: number) => Math.floor(seconds / 30)

for (const [seconds, code] of vectors) {
  test(`RFC 6238 at ${seconds}`, () => {
    const step = stepOf(seconds)
    const check = { secret, code, lastStep: null }
    assert.equal(verifyTotp({ ...check, now: at(seconds), windowSteps: 0 }), step)
    assert.equal(verifyTotp({ ...check, now: at(seconds + 30) }), step)
    assert.equal(verifyTotp({ ...check, now: at(seconds - 30) }), step)
    assert.equal(verifyTotp({ ...check, now: at(seconds + 60) }), null)
    assert.equal(verifyTotp({ ...check, now: at(seconds - 60) }), null)
    assert.equal(verifyTotp({ ...check, now: at(seconds), lastStep: step - 1 }), step)
    assert.equal(verifyTotp({ ...check, now: at(seconds), lastStep: step }), null)
    assert.equal(verifyTotp({ ...check, now: at(seconds), lastStep: step + 1 }), null)
  })
}

test('what is not the six digits is wrong, never an error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^\d{5,8}$/)), code => {
      // The codes of steps 0 and 1, which are the window.
      fc.pre(!['755224', '287082'].includes(code))
      assert.equal(verifyTotp({ secret, code, now: at(29), lastStep: null }), null)
    }),
  )
  for (const code of ['', ' 287082', '287082 ', '28708２', '0287082', '287 082']) {
    assert.equal(verifyTotp({ secret, code, now: at(59), lastStep: null }), null)
  }
})

test('a new secret has 160 bits, and its address says what an app needs', () => {
  const { secret: fresh, uri } = newTotp({ issuer: 'Auricle', account: 'clinic/clinician' })
  assert.match(fresh, /^[A-Z2-7]{32}$/)
  const url = new URL(uri)
  assert.equal(url.protocol, 'otpauth:')
  assert.equal(decodeURIComponent(url.pathname), '/Auricle:clinic/clinician')
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    issuer: 'Auricle',
    secret: fresh,
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  })
  assert.notEqual(newTotp({ issuer: 'Auricle', account: 'a' }).secret, fresh)
  const fixed = newTotp({ issuer: 'Auricle', account: 'a' }, length =>
    Buffer.from('1234567890'.repeat(2)).subarray(0, length),
  )
  assert.equal(fixed.secret, secret)
})

test('a stored secret that cannot be one is an error, not a refusal', () => {
  for (const broken of ['', '!!!!', 'GEZDGNBVGY']) {
    assert.throws(
      () => verifyTotp({ secret: broken, code: '287082', now: at(59), lastStep: null }),
      (error: unknown) => error instanceof IdentityError && error.code === 'bad_secret',
    )
  }
})
