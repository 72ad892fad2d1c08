// The session's cookie among whatever else a browser, or somebody who tosses cookies at it, may send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSessionCookies, sessionCookie, sessionCookieName } from './session-cookie.ts'

const read = (...cookie: string[]) => readSessionCookies({ headersDistinct: { cookie } })

test('it is set for this host alone, until the absolute end', () => {
  const now = new Date('2026-03-01T12:00:00.000Z')
  const expiresAt = new Date(now.getTime() + 43_200_500)
  assert.equal(
    sessionCookie('a.b.c', { expiresAt, now }),
    '__Host-auricle=a.b.c; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=43200',
  )
  assert.match(sessionCookie('a.b.c', { expiresAt: now, now: expiresAt }), /Max-Age=0$/)
})

test('it is read by its exact name, wherever it stands', () => {
  assert.deepEqual(read('a=1; __Host-auricle=x.y.z; b=2'), { values: ['x.y.z'], hasLikeness: false })
  assert.deepEqual(read('__Host-auricle=x=y'), { values: ['x=y'], hasLikeness: false })
  assert.deepEqual(readSessionCookies({ headersDistinct: {} }), { values: [], hasLikeness: false })
  for (const name of ['auricle', '__Secure-auricle', '__host-auricle', '__HOST-AURICLE']) {
    assert.deepEqual(read(`${name}=x`), { values: [], hasLikeness: true }, name)
  }
  for (const text of [
    '__Host-auricle2=x',
    'x__Host-auricle=x',
    '__Host-auricle',
    '=__Host-auricle',
    'a="__Host-auricle=x"',
  ]) {
    assert.deepEqual(read(text), { values: [], hasLikeness: false }, text)
  }
})

test('each one of the name is seen, however it is hidden among others', () => {
  const spaces = fc.constantFrom('', ' ', '\t', '  ')
  const ours = fc
    .tuple(spaces, spaces, fc.constantFrom('x.y.z', '', '"q"'))
    .map(([before, after, value]) => ({
      text: `${before}${sessionCookieName}${after}=${value}`,
      isOurs: true,
    }))
  const others = fc
    .tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[ -:<-~]{0,8}$/))
    .map(([name, value]) => ({ text: `x${name}=${value}`, isOurs: false }))
  fc.assert(
    fc.property(fc.array(fc.array(fc.oneof(ours, others), { minLength: 1 }), { minLength: 1 }), lines => {
      const found = read(...lines.map(line => line.map(({ text }) => text).join(';')))
      assert.equal(found.values.length, lines.flat().filter(({ isOurs }) => isOurs).length)
    }),
  )
})
