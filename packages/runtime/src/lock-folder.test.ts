import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtempDisposable, readdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { lockFolder } from './lock-folder.ts'

const program = `
  import { lockFolder } from ${JSON.stringify(import.meta.resolve('./lock-folder.ts'))}
  try {
    await using lock = await lockFolder(process.argv[1])
    console.log('held')
    await new Promise(resolve => process.stdin.once('end', resolve).resume())
  } catch (error) {
    console.log(error.code)
  }`

/** A process that holds the folder until its input ends, and what it said first. */
async function hold(folder: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [said] = await once(child.stdout, 'data')
  return { child, said: String(said).trim() }
}

const temporary = () => mkdtempDisposable(join(tmpdir(), "auricle lock's "))

describe('lockFolder', () => {
  it('makes the folder for the eyes of its owner alone, and leaves nothing but the lock file', async () => {
    await using parent = await temporary()
    const folder = join(parent.path, 'deep', 'data')
    {
      await using _lock = await lockFolder(folder)
      // Passable for root, whose database runs as another user; a umask may forbid even that.
      const most = process.geteuid?.() === 0 ? 0o711 : 0o700
      assert.equal((await stat(folder)).mode & 0o777 & ~most, 0)
      assert.deepEqual((await readdir(folder)).sort(), ['auricle.lock', 'auricle.pid'])
    }
    assert.deepEqual(await readdir(folder), ['auricle.lock'])
    await using _again = await lockFolder(folder)
  })

  it('refuses a second process in a sentence that names the first', async () => {
    await using folder = await temporary()
    const { child, said } = await hold(folder.path)
    assert.equal(said, 'held')
    await assert.rejects(lockFolder(folder.path), error => {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'folder_in_use')
      assert.ok(error.message.includes(`process ${child.pid}`) && error.message.includes(folder.path))
      return true
    })
    child.stdin?.end()
    await once(child, 'close')
    await using _lock = await lockFolder(folder.path)
  })

  it('refuses a second holder in the same process', async () => {
    await using folder = await temporary()
    await using _lock = await lockFolder(folder.path)
    await assert.rejects(lockFolder(folder.path), { code: 'folder_in_use' })
  })

  it('is free again once its holder was killed, whatever the pid file says', async () => {
    await using folder = await temporary()
    const { child } = await hold(folder.path)
    child.kill('SIGKILL')
    await once(child, 'close')
    await using _lock = await lockFolder(folder.path)
  })

  it('lets one of many that come at once have it', async () => {
    await using folder = await temporary()
    const holders = await Promise.all(Array.from({ length: 4 }, () => hold(folder.path)))
    assert.deepEqual(holders.map(({ said }) => said).sort(), [
      'folder_in_use',
      'folder_in_use',
      'folder_in_use',
      'held',
    ])
    const closed = holders.map(({ child }) => (child.exitCode === null ? once(child, 'close') : null))
    for (const { child } of holders) child.stdin?.end()
    await Promise.all(closed)
  })

  it('says so when the folder cannot be used', async () => {
    await using folder = await temporary()
    const file = join(folder.path, 'file')
    await writeFile(file, '')
    await assert.rejects(lockFolder(file), { code: 'folder_unusable' })
    await assert.rejects(lockFolder(join(file, 'below')), { code: 'folder_unusable' })
    if (process.getuid?.() !== 0) {
      await chmod(folder.path, 0o500)
      await assert.rejects(lockFolder(folder.path), { code: 'folder_unusable' })
      await chmod(folder.path, 0o700)
    }
  })

  it('is not fooled by a damaged lock file', async () => {
    await using folder = await temporary()
    await writeFile(join(folder.path, 'auricle.lock'), 'something else entirely'.repeat(100))
    await assert.rejects(lockFolder(folder.path), { code: 'folder_unusable' })
  })
})
