// Pins what groups stand for, above all that nobody gets in by a group that no rule names.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mapGroups } from './map-groups.ts'

const rules = [
  { group: 'clinic', roles: ['clinician'], teams: ['surgery'] },
  { group: 'office', roles: ['administrator', 'clinician'], teams: [] },
  { group: 'clinic', roles: [], teams: ['surgery', 'nights'] },
  { group: 'guests', roles: [], teams: [] },
]

test('matching rules add up, each role and team once', () => {
  assert.deepEqual(mapGroups(['office', 'clinic', 'clinic', 'unknown'], rules), {
    roles: ['clinician', 'administrator'],
    teams: ['surgery', 'nights'],
  })
  assert.deepEqual(mapGroups(['guests'], rules), { roles: [], teams: [] })
})

test('nobody is admitted by what only looks like a group', () => {
  for (const group of ['', 'Clinic', 'clinic ', 'clini', 'clinic2', '*', '__proto__', 'constructor'])
    assert.equal(mapGroups([group], rules), null)
  assert.equal(mapGroups([], rules), null)
  assert.equal(mapGroups(['clinic'], []), null)
})

test('every role comes from a rule for a group that is held', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd')
  const rule = fc.record({ group: name, roles: fc.array(name), teams: fc.array(name) })
  fc.assert(
    fc.property(fc.array(name), fc.array(rule), (groups, some) => {
      const admission = mapGroups(groups, some)
      const held = some.filter(({ group }) => groups.includes(group))
      assert.equal(admission === null, held.length === 0)
      assert.deepEqual(new Set(admission?.roles), new Set(held.flatMap(({ roles }) => roles)))
      assert.deepEqual(new Set(admission?.teams), new Set(held.flatMap(({ teams }) => teams)))
    }),
  )
})
