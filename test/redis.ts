// A redis-server of one test's own, with the settings it is given, which can be killed and started again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RedisSettings } from '@auricle/contract'
import { Redis } from 'ioredis'
import { findFreePort } from './harness/free-port.ts'

const pollMs = 10

export interface OwnRedis extends AsyncDisposable {
  readonly port: number
  /** How to reach it in clear, as the default user. */
  readonly settings: RedisSettings
  /** A client to look behind the curtain; closed with the server at the latest. */
  client(password?: string): Redis
  /** Ends the server with SIGKILL and resolves when it is gone. */
  kill(): Promise<void>
  /** Stops it in the middle of whatever it does, as a machine that hangs would, and lets it go on. */
  freeze(): void
  thaw(): void
  /** Starts a server that is gone, on the same port and folder, and resolves when it takes connections. */
  restart(): Promise<void>
}

/**
 * Every pair is a directive of redis.conf; without any the server keeps nothing and never evicts. The folder is its
 * own, so a relative name in a directive lies there. `port` is what the rest of the settings call it.
 */
export async function startRedis(
  directives: Readonly<Record<string, string>> = {},
  port?: number,
): Promise<OwnRedis> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'auricle-own-redis-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const own = port ?? (await findFreePort())
  const all = { port: String(own), bind: '127.0.0.1', save: '', dir: folder, ...directives }
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, ...words(value)])
  let child: ChildProcess | null = null

  const restart = async () => {
    const started = spawn('redis-server', args, { cwd: folder, stdio: 'ignore' })
    child = started
    let failure: Error | null = null
    started.once('error', error => {
      failure = error
    })
    while (!(await accepts(own))) {
      if (failure !== null) throw failure
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`)
      await delay(pollMs)
    }
  }
  const kill = async () => {
    const running = child
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    const gone = once(running, 'exit')
    running.kill('SIGKILL')
    await gone
  }
  opening.defer(kill)
  await restart()
  const open = opening.move()
  const nodes = [{ host: '127.0.0.1', port: own }]
  return {
    port: own,
    settings: { nodes, cluster: false, username: null, password: null, database: 0, tls: null },
    client(password) {
      const options = { host: '127.0.0.1', port: own, maxRetriesPerRequest: null }
      const client = new Redis(password === undefined ? options : { ...options, password })
      client.on('error', () => undefined)
      open.defer(() => client.disconnect())
      return client
    },
    kill,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    restart,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

export interface OwnRedisCluster extends AsyncDisposable {
  readonly servers: readonly OwnRedis[]
  /** How to reach it by the first of them. */
  readonly settings: RedisSettings
}

const slotsOfCluster = 16_384
const serversOfCluster = 3

/** Three servers without replicas that share all slots. */
export async function startRedisCluster(): Promise<OwnRedisCluster> {
  await using opening = new AsyncDisposableStack()
  const directives = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000' }
  const first = opening.use(await startRedis(directives))
  const servers = [first]
  while (servers.length < serversOfCluster) servers.push(opening.use(await startRedis(directives)))
  const clients = servers.map(server => server.client())
  const share = Math.ceil(slotsOfCluster / serversOfCluster)
  for (const [index, client] of clients.entries()) {
    const last = Math.min((index + 1) * share, slotsOfCluster) - 1
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last))
    await client.call('CLUSTER', 'MEET', '127.0.0.1', String(first.port))
  }
  for (const client of clients) {
    for (;;) {
      const info = String(await client.call('CLUSTER', 'INFO'))
      if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${serversOfCluster}`)) break
      await delay(pollMs)
    }
  }
  const open = opening.move()
  return {
    servers,
    settings: { ...first.settings, cluster: true },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** An empty value is a word too, as in `save ""`. */
function words(value: string): string[] {
  return value === '' ? [''] : value.split(' ')
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
