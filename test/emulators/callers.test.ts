import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIdentities } from './callers.ts'

const ring = 'projects/p.q/locations/l/keyRings/r'

test('an asterisk stands for any characters but a slash, and a full stop for itself', () => {
  const callers = { door: { permissions: [], on: { [`${ring}/cryptoKeys/*-recordings`]: ['use'] } } }
  const door = createIdentities(callers).identify('door.3')
  for (const [resource, expected] of [
    [`${ring}/cryptoKeys/tenants-a-recordings`, true],
    [`${ring}/cryptoKeys/tenants-a-recordings/cryptoKeyVersions/1`, true],
    [`${ring}/cryptoKeys/tenants-a-recordings-old`, false],
    [`${ring}/cryptoKeys/tenants-a-connectors`, false],
    [`${ring}/cryptoKeys/a/b-recordings`, false],
    [`${ring.replace('.', 'x')}/cryptoKeys/tenants-a-recordings`, false],
    [ring, false],
  ] as const) {
    assert.equal(door?.may('use', resource), expected, resource)
  }
})

test('what was needed is noted by caller, whichever of their tokens it was', () => {
  const identities = createIdentities({ one: { permissions: ['read'] }, other: { permissions: [] } })
  for (const [token, permission] of [
    ['one', 'read'],
    ['one.2', 'read'],
    ['one.3', 'write'],
    ['other', 'read'],
  ] as const) {
    identities.identify(token)?.use(permission, 'it')
  }
  identities.identify('one')?.may('look', 'it')
  assert.deepEqual(identities.uses, {
    one: { read: { granted: 2, refused: 0 }, write: { granted: 0, refused: 1 } },
    other: { read: { granted: 0, refused: 1 } },
  })
})
