// Every attack on the log gives its finding, in steps; without one nothing is found. `npm run attacks` measures the times.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { monitorTimes } from '@auricle/vault'
import { attacks } from './attacks/attacks.ts'
import { passTime, step, tryInSteps } from './attacks/try-attack.ts'
import { openWorld } from './attacks/world.ts'

describe('an attack is found', { concurrency: 2 }, () => {
  for (const attack of attacks) {
    test(attack.name, async () => {
      const { finding, before } = await tryInSteps(attack)
      assert.deepEqual(before, [], 'nothing is found before it')
      assert.ok(finding !== null, `none of ${attack.finds.join(', ')} in the time allowed`)
    })
  }
})

test('a vault that nobody attacks gives no finding, for a day', async () => {
  await using world = await openWorld(monitorTimes)
  for (let count = 0; count < 40; count++) {
    await step(world)
    assert.deepEqual(world.found(), [], `after ${count} steps`)
    passTime(world, 36 * 60_000)
  }
})
