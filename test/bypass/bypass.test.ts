// Nobody gets round retention and holds: not by the API, at the console, in the worker, in the database, in the stores.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openWorld, type World } from '../matrix/world.ts'
import { openTestVault, type TestVault } from '../vault.ts'
import { harmsOf } from './attempt.ts'
import { tryBuckets } from './buckets.ts'
import { checkPlaces, tryCommands } from './commands.ts'
import { tryDatabase, tryForging } from './database.ts'
import { guardAtHome, newGuard, tryEightDaysLater, tryServed } from './everything.ts'
import { tryByHand, tryFolder } from './folder.ts'
import type { Guard } from './guarded.ts'
import { tryWorkers } from './workers.ts'

/** On a machine with much else to do. */
const timeoutMs = 15 * 60_000

let vault: TestVault

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

describe('people destroy nothing that is kept', { timeout: timeoutMs }, () => {
  let world: World
  let home: Guard

  before(async () => {
    world = await openWorld(vault)
    home = await guardAtHome(vault, world)
  })

  test('by any operation of the API', { timeout: timeoutMs }, async t => {
    const { attempts, ...counts } = await tryServed(vault, world, home)
    t.diagnostic(`attempts by the API: ${JSON.stringify(counts)}`)
    assert.ok(counts.aimed > 0 && counts.refusals > 0)
    assert.deepEqual(harmsOf(attempts), [])
  })

  test('by any command, each of which is placed', { timeout: timeoutMs }, async t => {
    t.diagnostic(`${checkPlaces()} commands`)
    assert.deepEqual(harmsOf(await tryCommands(home, world)), [])
  })

  test('by what they asked for, eight days later', async t => {
    const { attempt, destroyed } = await tryEightDaysLater(home)
    t.diagnostic(`${destroyed} others were destroyed, which nothing kept`)
    assert.deepEqual(harmsOf([attempt]), [])
  })
})

test('no loop of the worker and no use case of its destroys what is kept', async () => {
  assert.deepEqual(harmsOf(await tryWorkers(await newGuard(vault))), [])
})

test("the services' role of the database destroys nothing that is kept, and what it can forge deletes no byte", async () => {
  const it = await newGuard(vault)
  assert.deepEqual(harmsOf([...(await tryDatabase(it)), ...(await tryForging(it))]), [])
})

test('a folder store lets nobody delete, replace or shorten what it keeps, and what is done by hand is found', async () => {
  const it = await newGuard(vault)
  assert.deepEqual(harmsOf([...(await tryFolder(it)), ...(await tryByHand(it))]), [])
})

test('no identity of a service deletes, replaces or shortens what a bucket keeps', async () => {
  assert.deepEqual(harmsOf(await tryBuckets()), [])
})
