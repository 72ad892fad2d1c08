import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createDirectorySync } from './directory-sync.ts'
import { ObjectError } from './error.ts'

test('everybody is served, whenever they come', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sync-'))
  const entries = createDirectorySync()
  const asking = []
  for (let i = 0; i < 300; i++) {
    asking.push(entries.sync(folder.path))
    if (i % 3 === 0) await setImmediate()
    if (i % 40 === 0) await Promise.all(asking)
  }
  await Promise.all(asking)
  await entries.sync(folder.path)
})

test('who comes while an fsync runs waits for the next one, and shares it', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sync-'))
  const entries = createDirectorySync()
  const ended: string[] = []
  const first = entries.sync(folder.path).then(() => ended.push('first'))
  // The folder is open and its fsync under way once a second caller is given another promise.
  const one = entries.sync(folder.path)
  let another = entries.sync(folder.path)
  assert.equal(one, another)
  while (another === one) {
    await setImmediate()
    another = entries.sync(folder.path)
  }
  await Promise.all([first, another.then(() => ended.push('another'))])
  assert.deepEqual(ended, ['first', 'another'])
})

test('a folder that is not there fails for everybody who asked, and works once it is there', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sync-'))
  const entries = createDirectorySync()
  const missing = join(folder.path, 'missing')
  const answers = await Promise.allSettled([entries.sync(missing), entries.sync(missing)])
  for (const answer of answers) {
    assert.ok(answer.status === 'rejected' && answer.reason instanceof ObjectError && answer.reason.transient)
  }
  await folder.remove()
  await assert.rejects(entries.sync(folder.path), ObjectError)
})
