import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockFile } from './lock.ts'

const timeoutMs = 20_000

/** The lock file of a process that died with it: made by one that really did. */
async function leaveDeadLock(path: string): Promise<void> {
  const script = `const { lockFile } = await import('${new URL('./lock.ts', import.meta.url)}')
    await lockFile(process.argv[1], 1000)
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], { stdio: 'inherit' })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}

test('one holder at a time, also when all of them find a dead one', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lock-'))
  const path = join(folder.path, 'lock')
  const counter = join(folder.path, 'counter')
  await writeFile(counter, '0')
  await leaveDeadLock(path)
  const contenders = 12
  let holders = 0
  await Promise.all(
    Array.from({ length: contenders }, async () => {
      await using _lock = await lockFile(path, timeoutMs)
      holders++
      assert.equal(holders, 1)
      await writeFile(counter, String(Number(await readFile(counter, 'utf8')) + 1))
      holders--
    }),
  )
  assert.equal(await readFile(counter, 'utf8'), String(contenders))
  assert.deepEqual(await readdir(folder.path), ['counter'])
})

test('a breaker that died is broken too', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lock-'))
  const path = join(folder.path, 'lock')
  await leaveDeadLock(path)
  const { token } = JSON.parse(await readFile(path, 'utf8'))
  await leaveDeadLock(`${path}.break-${token}`)
  {
    await using _lock = await lockFile(path, timeoutMs)
  }
  assert.deepEqual(await readdir(folder.path), [])
})

test('waiting for the lock ends with an abort', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lock-'))
  const path = join(folder.path, 'lock')
  await using _lock = await lockFile(path, timeoutMs)
  const controller = new AbortController()
  const waiting = lockFile(path, timeoutMs, controller.signal)
  setTimeout(() => controller.abort(), 20)
  await assert.rejects(waiting, { name: 'AbortError' })
})
