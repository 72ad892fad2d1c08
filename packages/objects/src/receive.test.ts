import assert from 'node:assert/strict'
import { constants, existsSync } from 'node:fs'
import { test } from 'node:test'
import { ObjectError } from './error.ts'
import { openFile } from './file.ts'
import { receive } from './receive.ts'

// A device whose every write fails with ENOSPC; not every Unix has it.
const fullDevice = '/dev/full'
const stillWanted = async () => true

async function* zeros(pieceCount: number) {
  for (let i = 0; i < pieceCount; i++) yield Buffer.alloc(65_536)
}

test('a full disk is an outage that says so, at the first write or a later one', async context => {
  if (!existsSync(fullDevice)) return context.diagnostic(`${fullDevice} is not here`)
  for (const pieceCount of [1, 40]) {
    await using file = await openFile(fullDevice, constants.O_WRONLY)
    await assert.rejects(
      receive(file, zeros(pieceCount), { stillWanted }),
      error => error instanceof ObjectError && error.transient && /no space/.test(error.message),
    )
  }
})

test('a source is left off early, and told so, when it is no longer wanted', async () => {
  await using file = await openFile('/dev/null', constants.O_WRONLY)
  let isClosed = false
  async function* watched() {
    try {
      yield* zeros(1000)
    } finally {
      isClosed = true
    }
  }
  assert.equal(await receive(file, watched(), { stillWanted: async () => false }), false)
  assert.ok(isClosed)
})

test('a source that produces nothing while a write fails is not an unhandled rejection', async () => {
  if (!existsSync(fullDevice)) return
  await using file = await openFile(fullDevice, constants.O_WRONLY)
  async function* pausing() {
    yield* zeros(20)
    await new Promise(resolve => setTimeout(resolve, 20))
    yield* zeros(1)
  }
  await assert.rejects(receive(file, pausing(), { stillWanted }), ObjectError)
})
