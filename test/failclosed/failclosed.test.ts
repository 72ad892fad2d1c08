// No audit, no audio: whatever fails between the decision and the first byte. `npm run failclosed` is the long one.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openTestVault, type TestVault } from '../vault.ts'
import { judge, readDurable, usesWithoutEvent } from './judge.ts'
import { storm } from './storm.ts'

const lanes = 3
const requestsOfALife = 60

let vault: TestVault

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

test('no byte leaves without a durable event, and whoever got some is in the log with all of them', async () => {
  const { listeners, logStore, met } = await storm(vault, { seed: 1, requests: 480, lanes, requestsOfALife })
  const durable = await readDurable(vault.database.superuserPool, logStore)
  const found = judge(listeners, durable)
  assert.ok(found.requests >= 480 && found.answered > 40, JSON.stringify(found))
  assert.ok(met.size > 25, `only ${met.size} kinds of faults were met`)
  assert.equal(found.bytesWithoutEvent, 0)
  assert.equal(found.answersWithoutEvent, 0)
  assert.equal(found.bytesNotTold, 0)
  assert.equal(found.withoutEnd, 0)
  assert.equal(found.telling, 0)
  const { uses, withoutEvent } = await usesWithoutEvent(join(vault.folder, 'key-uses'), durable)
  assert.ok(uses > 0)
  assert.equal(withoutEvent, 0)
})

test('a way around the log would be found', async () => {
  await using other = await openTestVault()
  const options = { seed: 2, requests: 60, lanes, requestsOfALife, bypass: true }
  const { listeners, logStore } = await storm(other, options)
  const found = judge(listeners, await readDurable(other.database.superuserPool, logStore))
  assert.ok(found.bytesWithoutEvent > 0)
})
