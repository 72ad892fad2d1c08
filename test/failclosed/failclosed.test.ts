// No audit, no audio: whatever fails between the decision and the first byte. `npm run failclosed` is the long one.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openTestVault, type TestVault } from '../vault.ts'
import { judge, readDurable, readKeyUses, usesWithoutEvent } from './judge.ts'
import { kinds } from './seams.ts'
import { everyTime, storm } from './storm.ts'

const lanes = 3
const requestsOfALife = 60

let vault: TestVault

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

test('no byte leaves without a durable event, and whoever got some is in the log with all of them', async () => {
  const { listeners, logStore, met } = await storm(vault, { seed: 1, requests: 300, lanes, requestsOfALife })
  const uses = await readKeyUses(join(vault.folder, 'key-uses'))
  const durable = await readDurable(vault.database.superuserPool, logStore, vault.secrets)
  const found = judge(listeners, durable)
  assert.ok(found.requests >= 300 && found.answered > 30, JSON.stringify(found))
  for (const seam of everyTime)
    for (const kind of kinds) assert.ok(met.has(`${seam} 1 ${kind}`), `${kind} was never met at ${seam}`)
  assert.equal(found.bytesWithoutEvent, 0)
  assert.equal(found.answersWithoutEvent, 0)
  assert.equal(found.bytesNotTold, 0)
  assert.equal(found.withoutEnd, 0)
  assert.equal(found.telling, 0)
  assert.ok(uses.length > 0)
  assert.equal(usesWithoutEvent(uses, durable), 0)
})

test('a way around the log would be found', async () => {
  await using other = await openTestVault()
  const options = { seed: 2, requests: 60, lanes, requestsOfALife, bypass: true }
  const { listeners, logStore } = await storm(other, options)
  const found = judge(listeners, await readDurable(other.database.superuserPool, logStore, other.secrets))
  assert.ok(found.bytesWithoutEvent > 0)
})
