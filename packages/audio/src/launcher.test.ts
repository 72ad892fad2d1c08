import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { AudioError } from './error.ts'
import { defaultProcessLimits, findLauncher } from './launcher.ts'

const exec = promisify(execFile)

/** Runs a shell where ffmpeg would run. */
async function fenced(script: string): Promise<string> {
  const { command, prefix } = findLauncher('sh', defaultProcessLimits)
  const { stdout } = await exec(command, [...prefix, '-c', script])
  return stdout
}

describe('findLauncher', () => {
  it('lets nothing of the environment through', async () => {
    process.env['FFREPORT'] = 'file=leak.log'
    const { command, prefix } = findLauncher('env', defaultProcessLimits)
    const { stdout } = await exec(command, [...prefix])
    process.env['FFREPORT'] = ''
    assert.equal(stdout, 'LC_ALL=C\n')
  })

  it('bounds memory, time, files and core files', {
    skip: !existsSync('/usr/bin/prlimit') && 'no prlimit',
  }, async () => {
    const limits = await fenced('ulimit -v; ulimit -t; ulimit -n; ulimit -f; ulimit -c')
    assert.deepEqual(limits.trim().split('\n'), [String(512 * 1024), '3600', '64', '0', '0'])
  })

  it('keeps files empty', { skip: !existsSync('/usr/bin/prlimit') && 'no prlimit' }, async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'auricle-'))
    const file = join(folder.path, 'leak')
    assert.equal(await fenced(`trap '' XFSZ; (echo audio > ${file}) 2>/dev/null; wc -c < ${file}`), '0\n')
  })

  it('replaces itself, so that the child is ffmpeg', async () => {
    const { command, prefix } = findLauncher('sh', defaultProcessLimits)
    const running = exec(command, [...prefix, '-c', 'echo $$'])
    assert.equal((await running).stdout.trim(), String(running.child.pid))
  })

  it('says when there is nothing to start', () => {
    for (const path of ['/nowhere/ffmpeg', 'no-such-program', '']) {
      assert.throws(
        () => findLauncher(path, defaultProcessLimits),
        error => error instanceof AudioError && error.code === 'unavailable' && error.transient,
      )
    }
  })
})
