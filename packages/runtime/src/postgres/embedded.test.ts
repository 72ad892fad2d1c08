// The embedded server as a whole: started, killed, orphaned, started again, wherever it lies.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runSql } from '../../../../test/sql.ts'
import { findOwner, runsAsRoot } from './account.ts'
import { startEmbeddedPostgres } from './embedded.ts'
import { systemFolder } from './place.ts'
import { isAlive, isPostmasterOf } from './process-identity.ts'
import { findRunningPostgres } from './running.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'auricle-embedded-'))
  await chmod(folder, 0o711)
})
after(() => rm(folder, { recursive: true, force: true }))

const pollMs = 10
const warnings: string[] = []
const log = {
  info: () => {},
  warn: (_facts: object, message: string) => {
    warnings.push(message)
  },
}
const start = (home: string) => startEmbeddedPostgres({ home, log })
const inUse = { name: 'PostgresError', code: 'in_use' }

async function modeOf(file: string): Promise<string> {
  return ((await stat(file)).mode & 0o777).toString(8)
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(pollMs)
}

describe('one home, from its first start', () => {
  let home: string
  before(() => {
    home = path.join(folder, 'home')
  })

  test('it is durable, closed and quiet', async () => {
    await using server = await start(home)
    const settings = await runSql(
      server.superuser,
      `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit',
         'data_checksums', 'listen_addresses', 'server_encoding', 'log_parameter_max_length',
         'log_parameter_max_length_on_error', 'log_min_error_statement', 'log_min_messages', 'allow_alter_system')
       order by name`,
    )
    assert.deepEqual(
      settings.map(({ name, setting }) => `${name}=${setting}`),
      [
        'allow_alter_system=off',
        'data_checksums=on',
        'fsync=on',
        'full_page_writes=on',
        'listen_addresses=',
        'log_min_error_statement=panic',
        'log_min_messages=log',
        'log_parameter_max_length=0',
        'log_parameter_max_length_on_error=0',
        'server_encoding=UTF8',
        'synchronous_commit=on',
      ],
    )
    const [locale] = await runSql(
      server.owner,
      `select datlocprovider::text as provider, datlocale as locale, pg_get_userbyid(datdba) as owner
       from pg_database where datname = current_database()`,
    )
    assert.deepEqual(locale, { provider: 'b', locale: 'C.UTF-8', owner: server.owner.user })
    const roles = await runSql(
      server.superuser,
      `select rolname as name, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as mighty,
         (select rolpassword like 'SCRAM-SHA-256$%' from pg_authid a where a.oid = r.oid) as scram
       from pg_roles r where rolname like 'auricle%' order by 1`,
    )
    assert.deepEqual(roles, [
      { name: 'auricle_app', mighty: false, scram: true },
      { name: 'auricle_monitor', mighty: false, scram: true },
      { name: 'auricle_owner', mighty: false, scram: true },
      { name: 'auricle_superuser', mighty: true, scram: true },
    ])
    for (const { user } of [server.app, server.owner, server.superuser]) {
      await assert.rejects(runSql({ ...server.app, user, password: 'guess' }, 'select 1'), { code: '28P01' })
    }
    await assert.rejects(runSql({ ...server.app, database: 'postgres' }, 'select 1'), { code: '42501' })
    await assert.rejects(runSql(server.app, 'create table public.x ()'), { code: '42501' })
    await assert.rejects(runSql(server.app, 'create temporary table x ()'), { code: '42501' })

    assert.equal(await modeOf(path.join(home, 'passwords.json')), '600')
    assert.equal(await modeOf(server.app.host), '700')
    assert.equal(await modeOf(path.join(home, 'data')), '700')
    const owner = await findOwner(path.join(home, 'data'))
    assert.equal(owner?.uid === 0, false)
    assert.deepEqual(await findOwner(server.app.host), owner)
    await runSql(server.owner, 'create table public.kept as select 42 as value')
  })

  test('what it keeps is there again; no statement, parameter or value has reached its log', async () => {
    await using server = await start(home)
    assert.deepEqual(await runSql(server.owner, 'select value from public.kept'), [{ value: 42 }])
    for (const [text, values] of [
      ["select 'MARKER'::integer", []],
      ['select $1::integer', ['MARKER']],
      ['select MARKER', []],
      ['do $$ begin raise exception $m$MARKER$m$; end $$', []],
      ["do $$ begin raise warning 'MARKER'; end $$; select 1 / 0", []],
    ] as const) {
      await assert.rejects(runSql(server.app, text, values))
    }
    const logFolder = path.join(home, 'log')
    const files = await readdir(logFolder)
    assert.ok(files.every(name => /^postgresql-(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\.log$/.test(name)))
    const text = (await Promise.all(files.map(name => readFile(path.join(logFolder, name), 'utf8')))).join('')
    assert.match(text, /ready to accept connections/)
    assert.doesNotMatch(text, /MARKER/)
  })

  test('a second start on it is refused, here and from another process; a command finds the first', async () => {
    assert.equal(await findRunningPostgres(home), null)
    await using server = await start(home)
    await assert.rejects(start(home), inUse)
    const other = await startElsewhere(home)
    assert.match(other.said, /PostgresError in_use/)
    assert.equal((await runSql(server.app, 'select 1 as one')).length, 1)
    const found = await findRunningPostgres(home)
    assert.deepEqual(found?.app, server.app)
  })

  test('it never makes a core file', async () => {
    await using server = await start(home)
    const pid = server.pid ?? assert.fail()
    const [backend] = await runSql(server.app, 'select pg_backend_pid() as pid')
    assert.ok(backend !== undefined)
    if (process.platform === 'linux') {
      assert.match(await readFile(`/proc/${pid}/limits`, 'utf8'), /Max core file size +0 +0/)
      assert.equal((await readFile(`/proc/${pid}/coredump_filter`, 'utf8')).trim(), '00000000')
    }
  })

  test('killed, it comes back and says so', async () => {
    const exits: unknown[] = []
    await using server = await startEmbeddedPostgres({ home, log, onExit: exit => exits.push(exit) })
    for (let kill = 1; kill <= 2; kill++) {
      const pid = server.pid ?? assert.fail()
      process.kill(pid, 'SIGKILL')
      await until(() => server.pid !== null && server.pid !== pid)
      assert.deepEqual(exits.length, kill)
    }
    assert.deepEqual(exits[0], { code: null, signal: 'SIGKILL' })
    assert.deepEqual(await runSql(server.owner, 'select value from public.kept'), [{ value: 42 }])
  })

  test('killed while it is being stopped, it stays down', async () => {
    const server = await start(home)
    const pid = server.pid ?? assert.fail()
    const stopping = server.stop()
    process.kill(pid, 'SIGKILL')
    await stopping
    await server.stop()
    assert.equal(isAlive(pid), false)
  })

  test('when the process that started it is killed, it stops by itself', async () => {
    const other = await startElsewhere(home)
    assert.ok(other.pid !== null, other.said)
    other.process.kill('SIGKILL')
    // Not by its number, which stays with the dead process until somebody collects it.
    await until(async () => !(await isPostmasterOf(other.pid ?? 0, path.join(home, 'data'))))
    await using server = await start(home)
    assert.deepEqual(await runSql(server.owner, 'select value from public.kept'), [{ value: 42 }])
  })

  test('an orphan that even lost its guard is stopped by the next start', async () => {
    const other = await startElsewhere(home)
    const orphan = other.pid ?? assert.fail(other.said)
    for (const pid of await childrenOf(other.process.pid ?? 0))
      if (pid !== orphan) process.kill(pid, 'SIGKILL')
    other.process.kill('SIGKILL')
    await once(other.process, 'close')
    assert.equal(await isPostmasterOf(orphan, path.join(home, 'data')), true)
    warnings.length = 0
    await using server = await start(home)
    assert.equal(await isPostmasterOf(orphan, path.join(home, 'data')), false)
    assert.match(warnings.join(), /killed process had left running/)
    assert.deepEqual(await runSql(server.owner, 'select value from public.kept'), [{ value: 42 }])
  })

  test('the number of a dead server that another program has now is no server', async () => {
    const account = runsAsRoot() ? await findOwner(path.join(home, 'data')) : null
    const bystander = spawn('sleep', ['60'], { cwd: '/', ...account })
    const file = path.join(home, 'data', 'postmaster.pid')
    const lines = [bystander.pid, path.join(home, 'data'), 1_700_000_000, 5432, '', '', '0 0', 'ready', '']
    await writeFile(file, lines.join('\n'), { mode: 0o600 })
    try {
      await using server = await start(home)
      assert.equal((await runSql(server.app, 'select 1 as one')).length, 1)
      assert.equal(bystander.exitCode, null)
    } finally {
      bystander.kill()
    }
  })

  test('a lost password file is made anew; a damaged one is named', async () => {
    const file = path.join(home, 'passwords.json')
    const old = await readFile(file, 'utf8')
    await rm(file)
    {
      await using server = await start(home)
      assert.deepEqual(await runSql(server.owner, 'select value from public.kept'), [{ value: 42 }])
    }
    const fresh = await readFile(file, 'utf8')
    assert.notEqual(fresh, old)
    const { monitor: _, ...withoutMonitor } = JSON.parse(fresh)
    await writeFile(file, JSON.stringify(withoutMonitor))
    {
      // As a cluster was made before there was a monitor: its role is made, and the other passwords stay.
      await using first = await start(home)
      await runSql(first.superuser, 'drop owned by auricle_monitor')
      await runSql(first.superuser, 'drop role auricle_monitor')
    }
    await writeFile(file, JSON.stringify(withoutMonitor))
    {
      await using server = await start(home)
      assert.ok(server.monitor !== null)
      assert.deepEqual(await runSql(server.monitor, 'select 1 as one'), [{ one: 1 }])
      assert.equal(server.app.password, withoutMonitor.app)
    }
    await writeFile(file, '{')
    await assert.rejects(start(home), { name: 'PostgresError', code: 'unusable' })
    await writeFile(file, fresh)
  })

  test('data of another version is not touched', async () => {
    const file = path.join(home, 'data', 'PG_VERSION')
    await writeFile(file, '14\n')
    await assert.rejects(start(home), {
      name: 'PostgresError',
      code: 'unusable',
      message: /made by PostgreSQL 14/,
    })
    await writeFile(file, '18\n')
  })
})

test('a first start that was cut short is begun anew, and abort ends one', async () => {
  const home = path.join(folder, 'cut')
  const reason = new Error('not now')
  const starting = startEmbeddedPostgres({ home, log, signal: AbortSignal.abort(reason) })
  await assert.rejects(starting, reason)
  await mkdir(path.join(home, 'data.new'), { recursive: true })
  await writeFile(path.join(home, 'data.new', 'PG_VERSION'), '18\n')
  const soon = new AbortController()
  const cut = startEmbeddedPostgres({ home, log, signal: soon.signal })
  await sleep(100)
  soon.abort(reason)
  await assert.rejects(cut, reason)
  await using server = await start(home)
  assert.equal((await runSql(server.app, 'select 1 as one')).length, 1)
})

test('a path too long for a socket gets a short private folder, which goes with the server', async () => {
  const home = path.join(folder, "a folder, it's named at length ".repeat(4), 'home')
  await mkdir(path.dirname(home), { mode: 0o711 })
  const server = await start(home)
  const { host } = server.app
  assert.equal(await modeOf(host), '700')
  assert.equal((await runSql(server.app, 'select 1 as one')).length, 1)
  await server.stop()
  await assert.rejects(stat(host), { code: 'ENOENT' })
})

test('in a folder that only its owner may enter it works too, for root from a place of its own', async () => {
  const closed = path.join(folder, 'closed')
  await mkdir(closed, { mode: 0o700 })
  const home = path.join(closed, 'home')
  const server = await start(home)
  const place = server.folder
  await runSql(server.owner, 'create table public.kept as select 42 as value')
  await server.stop()
  try {
    assert.equal(place.startsWith(`${systemFolder}/postgres-`), runsAsRoot())
    await using again = await start(home)
    assert.equal(again.folder, place)
    assert.deepEqual(await runSql(again.owner, 'select value from public.kept'), [{ value: 42 }])
  } finally {
    await rm(place, { recursive: true, force: true })
  }
})

/** Starts a server from another process; resolves when that says that it is ready or why it is not. */
async function startElsewhere(home: string) {
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)}
    const log = { info() {}, warn() {} }
    try {
      const server = await startEmbeddedPostgres({ home: process.argv[1], log })
      console.log('ready ' + server.pid)
      setInterval(() => {}, 1000)
    } catch (error) {
      console.log(error.name + ' ' + error.code + ' ' + error.message)
    }`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script, home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [chunk] = await once(child.stdout, 'data')
  const said = String(chunk)
  const [, pid] = /^ready (\d+)/.exec(said) ?? []
  return { process: child, said, pid: pid === undefined ? null : Number(pid) }
}

/** Child processes of a process, by the parent that each names. */
async function childrenOf(parent: number): Promise<readonly number[]> {
  const { stdout } = spawn('ps', ['-e', '-o', 'pid=,ppid='], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  for await (const chunk of stdout) text += String(chunk)
  return text
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (ppid === parent && pid !== undefined ? [pid] : []))
}
