// Nobody gets round retention and holds: not by the API, at the console, in the worker, in the database, in the stores.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { makeClinic, openTestVault, type TestVault } from '../vault.ts'
import { harmsOf } from './attempt.ts'
import { tryBuckets } from './buckets.ts'
import { tryDatabase, tryForging } from './database.ts'
import { tryByHand, tryFolder } from './folder.ts'
import { guard } from './guarded.ts'
import { tryWorkers } from './workers.ts'

let vault: TestVault

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

async function newGuard() {
  const clinic = await makeClinic(vault)
  return guard(vault, clinic, { reviewers: [clinic.complianceOfficer.row.id, clinic.administrator.row.id] })
}

test('no loop of the worker and no use case of its destroys what is kept', async () => {
  const attempts = await tryWorkers(await newGuard())
  for (const a of attempts) console.log(a.what, '|', a.refused, '|', a.logged, a.harm)
  assert.deepEqual(harmsOf(attempts), [])
})

test("the services' role of the database destroys nothing that is kept, and what it can forge deletes no byte", async () => {
  const it = await newGuard()
  const attempts = [...(await tryDatabase(it)), ...(await tryForging(it))]
  for (const a of attempts) console.log(a.what, '|', a.refused, '|', a.logged, a.harm)
  assert.deepEqual(harmsOf(attempts), [])
})

test('a folder store lets nobody delete, replace or shorten what it keeps, and what is done by hand is found', async () => {
  const it = await newGuard()
  const attempts = [...(await tryFolder(it)), ...(await tryByHand(it))]
  for (const a of attempts) console.log(a.what, '|', a.refused, '|', a.logged, a.harm)
  assert.deepEqual(harmsOf(attempts), [])
})

test('no identity of a service deletes, replaces or shortens what a bucket keeps', async () => {
  const attempts = await tryBuckets()
  for (const a of attempts) console.log(a.by, a.what, '|', a.refused, '|', a.logged, a.harm)
  assert.deepEqual(harmsOf(attempts), [])
})
