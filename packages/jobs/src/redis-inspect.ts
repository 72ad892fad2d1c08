// What a look at each Redis server says about the queue that it holds: what could lose jobs, and what mends it.
import type { Finding } from '@auricle/contract'
import type { Redis } from 'ioredis'
import { clockFinding } from './clock-finding.ts'
import type { QueueClient } from './redis-connection.ts'

/** BullMQ advises it; before it some of its scripts are slower. */
const versionLeast = [6, 2] as const
const wantedPolicy = 'noeviction'
const fullWarnRatio = 0.8
const bytesPerMebibyte = 1_048_576
const microsecondsPerMillisecond = 1000
const millisecondsPerSecond = 1000

const ok = (name: string, found: string): Finding => ({ name, state: 'ok', found, mend: null })
const warn = (name: string, found: string, mend: string): Finding => ({ name, state: 'warn', found, mend })
const bad = (name: string, found: string, mend: string): Finding => ({ name, state: 'bad', found, mend })

export async function inspectRedis(client: QueueClient): Promise<readonly Finding[]> {
  if (!('nodes' in client)) return inspectServer(client, `${client.options.host}`, `${client.options.port}`)
  const servers = client.nodes('master')
  const state = /cluster_state:(\w+)/.exec(await clusterInfo(client))?.[1] ?? 'unknown'
  const cluster =
    state === 'ok'
      ? ok('queue cluster', `${servers.length} servers, every slot served`)
      : bad(
          'queue cluster',
          `its state is ${state}: some keys cannot be reached`,
          'redis-cli --cluster fix HOST:PORT',
        )
  const findings = await Promise.all(
    servers.map(async server => {
      const [host, port] = [`${server.options.host}`, `${server.options.port}`]
      const found = await inspectServer(server, host, port)
      return found.map(finding => ({ ...finding, found: `${host}:${port}: ${finding.found}` }))
    }),
  )
  return [cluster, ...findings.flat()]
}

async function clusterInfo(client: QueueClient): Promise<string> {
  return String(await client.call('CLUSTER', 'INFO').catch(() => ''))
}

async function inspectServer(server: Redis, host: string, port: string): Promise<Finding[]> {
  const [info, policy, time] = await Promise.all([
    readInfo(server),
    configuredPolicy(server),
    server.time().catch(() => null),
  ])
  return [
    versionFinding(info),
    policyFinding(policy ?? info?.get('maxmemory_policy') ?? null, host, port),
    persistenceFinding(info),
    memoryFinding(info),
    roleFinding(info),
    ...(time === null ? [] : [clockFinding(unixMs(time))]),
  ]
}

type Info = ReadonlyMap<string, string>

/** Null where the server does not let us look. */
async function readInfo(server: Redis): Promise<Info | null> {
  const text = await server.info().catch(() => null)
  if (text === null) return null
  const lines = text.split(/\r?\n/).filter(line => line.includes(':'))
  return new Map(lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

/** Null where the server does not let us look, as managed ones may not. */
async function configuredPolicy(server: Redis): Promise<string | null> {
  const reply: unknown = await server.config('GET', 'maxmemory-policy').catch(() => null)
  return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : null
}

function versionFinding(info: Info | null): Finding {
  const name = 'queue server'
  // Valkey calls itself a Redis of the version that it is compatible with.
  const version = info?.get('redis_version') ?? null
  if (version === null)
    return warn(name, 'does not tell its version', `It must be Redis 6.2, Valkey 7.2 or later.`)
  const kind = info?.has('valkey_version') === true ? `Valkey ${info.get('valkey_version')}, as ` : ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [majorLeast, minorLeast] = versionLeast
  const isOld = major < majorLeast || (major === majorLeast && minor < minorLeast)
  const found = `${kind}Redis ${version}`
  return isOld ? bad(name, `${found}, which is too old`, 'Move to Redis 6.2 or later.') : ok(name, found)
}

function policyFinding(policy: string | null, host: string, port: string): Finding {
  const name = 'queue eviction'
  const mend =
    `redis-cli -h ${host} -p ${port} CONFIG SET maxmemory-policy ${wantedPolicy}, then CONFIG REWRITE; ` +
    'on Memorystore for Redis: gcloud redis instances update INSTANCE --region=REGION ' +
    `--update-redis-config=maxmemory-policy=${wantedPolicy}; ` +
    'on Memorystore for Valkey: gcloud memorystore instances update INSTANCE --location=LOCATION ' +
    `--engine-configs=maxmemory-policy=${wantedPolicy}`
  if (policy === null)
    return warn(name, 'the server does not tell its maxmemory-policy', `If it is another: ${mend}`)
  if (policy === wantedPolicy) return ok(name, policy)
  return bad(name, `maxmemory-policy is ${policy}: a full server would throw jobs away`, mend)
}

/** Nothing is right or wrong here: every job has a row that brings it back. */
function persistenceFinding(info: Info | null): Finding {
  const name = 'queue persistence'
  if (info === null) return ok(name, 'the server does not tell')
  if (info.get('rdb_last_bgsave_status') === 'err') {
    return warn(
      name,
      'the last snapshot failed, and a server set to care stops writing',
      'See to its disk and its log.',
    )
  }
  return info.get('aof_enabled') === '1'
    ? ok(name, 'an append-only file: a restart keeps the jobs')
    : ok(name, 'no append-only file: a restart may forget jobs, which the worker then enqueues again')
}

function memoryFinding(info: Info | null): Finding {
  const name = 'queue memory'
  const [used, most] = [Number(info?.get('used_memory')), Number(info?.get('maxmemory'))]
  if (!Number.isFinite(used)) return ok(name, 'the server does not tell')
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / bytesPerMebibyte)} MiB`
  if (!Number.isFinite(most) || most === 0) return ok(name, `${mebibytes(used)} used, no limit set`)
  const found = `${mebibytes(used)} of ${mebibytes(most)} used`
  if (used >= most) return bad(name, `${found}: it takes no more jobs`, 'Give the server more memory.')
  return used > most * fullWarnRatio ? warn(name, found, 'Give the server more memory.') : ok(name, found)
}

function roleFinding(info: Info | null): Finding {
  const name = 'queue role'
  if (info === null || info.get('role') === undefined) return ok(name, 'the server does not tell')
  if (info.get('role') === 'master') {
    return ok(name, `primary, with ${info.get('connected_slaves') ?? '0'} replicas`)
  }
  const mend = 'Let REDIS_URL name the primary server.'
  return info.get('slave_read_only') === '0'
    ? warn(name, 'a replica, whose changes the next synchronisation undoes', mend)
    : bad(name, 'a replica, which cannot be written to', mend)
}

function unixMs([seconds, microseconds]: readonly (number | string)[]): number {
  return Number(seconds) * millisecondsPerSecond + Number(microseconds) / microsecondsPerMillisecond
}
