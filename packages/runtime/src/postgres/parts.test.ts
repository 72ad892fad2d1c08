// The launcher's decisions one by one: users, reachability, a copy of the programs.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { parsePasswd, runsAsRoot } from './account.ts'
import { findBinaryPackage, prepareBinaries } from './binaries.ts'
import { findBarrier, mayReadPath, mayRun } from './reach.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'auricle-parts-'))
})
after(() => rm(folder, { recursive: true, force: true }))

test('users are read from a passwd file, and odd lines are left out', () => {
  const users = parsePasswd(
    [
      'root:x:0:0:root:/root:/bin/bash',
      '# nobody:x:1:1::/:',
      'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin',
      'nobody:x:7:7:second:/:/bin/sh',
      'broken:x:abc:1::/:',
      '+::::::',
      '',
    ].join('\n'),
  )
  assert.deepEqual(
    [...users],
    [
      ['root', { uid: 0, gid: 0 }],
      ['nobody', { uid: 65534, gid: 65533 }],
    ],
  )
})

test('a folder on the way is a barrier by the one class of mode bits that fits', async () => {
  const inner = path.join(folder, 'a', 'b')
  await mkdir(inner, { recursive: true })
  // Whatever the umask is.
  await chmod(inner, 0o755)
  await chmod(folder, 0o711)
  const { uid, gid } = await lstat(folder)
  const stranger = { uid: uid + 4242, gid: gid + 4242 }
  const middle = path.join(folder, 'a')
  for (const [mode, account, passes] of [
    [0o711, stranger, true],
    [0o770, stranger, false],
    [0o754, stranger, false],
    [0o710, { ...stranger, gid }, true],
    [0o701, { ...stranger, gid }, false],
    // Only root can still look into a folder that is closed to its owner.
    ...(runsAsRoot() ? ([[0o011, { ...stranger, uid }, false]] as const) : []),
    [0o700, { ...stranger, uid }, true],
  ] as const) {
    await chmod(middle, mode)
    assert.equal(await findBarrier(inner, account), passes ? null : middle, mode.toString(8))
    assert.equal(await findBarrier(path.join(inner, 'not', 'yet'), account), passes ? null : middle)
  }
  const link = path.join(folder, 'link')
  await symlink(inner, link)
  await chmod(middle, 0o700)
  assert.equal(await findBarrier(link, stranger), middle, 'links are followed')
  await chmod(middle, 0o755)
  const program = path.join(inner, 'program')
  await writeFile(program, '')
  await chmod(program, 0o744)
  assert.deepEqual([await mayReadPath(program, stranger), await mayRun(program, stranger)], [true, false])
})

test('without its library links a package is copied, once, and the copy runs', async () => {
  const source = await findBinaryPackage()
  const native = path.join(folder, 'package', 'native')
  // As npm leaves it with --ignore-scripts.
  await cp(source.native, native, {
    recursive: true,
    filter: async file => !(await lstat(file)).isSymbolicLink() && !file.endsWith('.a'),
  })
  const copyParent = path.join(folder, 'copies')
  await mkdir(copyParent)
  const prepare = () => prepareBinaries({ account: null, copyParent, source: { ...source, native } })
  const [one, two] = await Promise.all([prepare(), prepare()])
  assert.deepEqual(one, two)
  assert.deepEqual(await prepare(), one)
  assert.deepEqual(await readdir(copyParent), [`postgresql-${source.version}`])
  assert.ok(one.postgres.startsWith(copyParent))
  const { stdout } = await promisify(execFile)(one.postgres, ['--version'], { env: {} })
  assert.match(stdout, /PostgreSQL/)
  const { mode } = await lstat(path.dirname(one.postgres))
  assert.equal(mode & 0o022, 0, 'nobody else may change it')
})
