// A small decade: nothing is wrong with it; and with a mistake planted, something is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runDecade } from './decade.ts'
import { stayInMemory } from './in-memory.ts'
import { withoutHoldCheck } from './work.ts'

stayInMemory()

/** Whoever has less time looks four times a year. */
const quarters = { steps: 1, monthDays: 91.3125 }

test('over ten years every recording meets the end that it should, at its time', async () => {
  const { wrong, states, tally, faults } = await runDecade({
    seed: 6,
    recordings: 240,
    ...quarters,
    months: 40,
  })
  assert.deepEqual(wrong, [])
  assert.ok((states.get('destroyed') ?? 0) > 15, JSON.stringify([...states]))
  for (const what of ['hold placed', 'hold released', 'disposition reviewed, approve', 'version approved'])
    assert.ok(tally.has(what), what)
  assert.ok(faults.has('died'), JSON.stringify([...faults]))
})

test('a destroyer that does not ask about holds is found out', async () => {
  const planted = { plant: withoutHoldCheck, holdsOneIn: 4 }
  const { wrong } = await runDecade({ seed: 7, recordings: 60, ...quarters, months: 12, ...planted })
  assert.ok(
    wrong.some(what => /deletes the \w+ of rec_\w+: it is held$/.test(what)),
    wrong.join('\n'),
  )
})
