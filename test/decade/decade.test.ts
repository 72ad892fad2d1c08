// A small decade: nothing is wrong with it; and with a mistake planted, something is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runDecade } from './decade.ts'
import { stayInMemory } from './in-memory.ts'
import { withoutHoldCheck } from './work.ts'

stayInMemory()

test('over ten years every recording meets the end that it should, at its time', async () => {
  const { wrong, states, tally, faults } = await runDecade({ seed: 6, recordings: 240, steps: 1 })
  assert.deepEqual(wrong, [])
  assert.ok((states.get('destroyed') ?? 0) > 60, JSON.stringify([...states]))
  for (const what of ['hold placed', 'hold released', 'disposition reviewed, approve', 'version approved'])
    assert.ok(tally.has(what), what)
  for (const what of ['died', 'commit after', 'event before', 'delete refused', 'told to stop'])
    assert.ok(faults.has(what), what)
})

test('a destroyer that does not ask about holds is found out', async () => {
  const planted = { plant: withoutHoldCheck, holdsOneIn: 4 }
  const { wrong } = await runDecade({ seed: 7, recordings: 80, steps: 1, months: 40, ...planted })
  assert.ok(
    wrong.some(what => /deletes the \w+ of rec_\w+: it is held$/.test(what)),
    wrong.join('\n'),
  )
})
