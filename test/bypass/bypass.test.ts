// Nobody gets round retention and holds: not by the API, at the console, in the worker, in the database, in the stores.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openFront } from '../front.ts'
import { readDocument } from '../matrix/document.ts'
import { openWorld } from '../matrix/world.ts'
import { makeClinic, openTestVault, type TestVault } from '../vault.ts'
import { tryApi } from './api.ts'
import { harmsOf } from './attempt.ts'
import { tryBuckets } from './buckets.ts'
import { tryDatabase, tryForging } from './database.ts'
import { tryByHand, tryFolder } from './folder.ts'
import { guard } from './guarded.ts'
import { tryRound, tryWorkers } from './workers.ts'

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

test('no operation of the API, by nobody, takes a recording out of what keeps it', {
  timeout: 15 * 60_000,
}, async t => {
  const world = await openWorld(vault)
  await using front = await openFront(vault)
  const described = readDocument(await (await fetch(`${front.url}/v1/openapi.json`)).json())
  const { clinic, mailboxes } = world.home
  const addressed = (name: keyof typeof mailboxes, address: string) => ({ id: mailboxes[name], address })
  const it = await guard(vault, clinic, {
    reviewers: [clinic.complianceOfficer.row.id, clinic.administrator.row.id],
    // In places that whoever asks has a relation to.
    mailboxes: {
      'under retention': addressed('owner', '3000'),
      'held, its retention over': addressed('team', '3001'),
      undecided: addressed('delegation', '3002'),
      'held after its disposition was approved': addressed('team', '3001'),
      waiting: addressed('supervised', '3004'),
    },
  })
  const { attempts, calls, operations, aimed, refusals } = await tryApi(it, {
    world,
    url: front.url,
    described,
  })
  for (const a of attempts) console.log(a.what, '|', a.refused, '|', a.logged, a.harm)
  t.diagnostic(
    `${calls} calls of ${operations} operations, ${aimed} aimed at what is kept, ${refusals} refusals in the log`,
  )
  assert.deepEqual(harmsOf(attempts), [])
  const before = await it.look()
  it.pass(8)
  const round = await tryRound(it)
  t.diagnostic(`eight days later ${round.destroyed} others were destroyed`)
  assert.deepEqual(await it.harm(before), [])
})
