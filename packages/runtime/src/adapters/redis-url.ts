// A `redis://` or `rediss://` URL as the parts that a client takes.
import { readFile } from 'node:fs/promises'
import type { RedisSettings } from '@auricle/contract'
import { RuntimeError } from '../error.ts'

const defaultPort = 6379
const databaseMost = 15

/**
 * `rediss://user:password@host:6379/0?ca=/path/ca.pem`; `&cluster` for a cluster, whose other seeds are `&node=host:port`.
 * Throws `bad_config`, never naming the value.
 */
export async function redisSettings(text: string): Promise<RedisSettings> {
  const url = new URL(text)
  const known = ['ca', 'cluster', 'node']
  if ([...url.searchParams.keys()].some(name => !known.includes(name)))
    throw wrong(`knows only the parameters ${known.join(', ')}`)
  const cluster = url.searchParams.has('cluster')
  const path = url.pathname.replace(/^\//, '')
  const database = path === '' ? 0 : Number(path)
  if (!Number.isInteger(database) || database < 0 || database > databaseMost)
    throw wrong(`ends in a database number from 0 to ${databaseMost}, or in none`)
  if (cluster && database !== 0) throw wrong('names a database, which a cluster does not have')
  if (!cluster && url.searchParams.has('node')) throw wrong('names further nodes without `cluster`')
  const ca = url.searchParams.get('ca')
  if (ca !== null && url.protocol !== 'rediss:') throw wrong('names a CA without TLS: write rediss://')
  const nodes = [url.host, ...url.searchParams.getAll('node')].map(parseNode)
  return {
    nodes,
    cluster,
    username: url.username === '' ? null : decodeURIComponent(url.username),
    password: url.password === '' ? null : decodeURIComponent(url.password),
    database,
    tls: url.protocol === 'rediss:' ? { ca: ca === null ? null : await readCertificate(ca) } : null,
  }
}

function parseNode(text: string): { host: string; port: number } {
  const [, host, port] = /^(\[[0-9a-fA-F:]+\]|[^:/]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (host === undefined) throw wrong('names a node that is not `host` or `host:port`')
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: port === undefined ? defaultPort : Number(port) }
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new RuntimeError('bad_config', 'The CA file that REDIS_URL names cannot be read', { cause })
  }
}

const wrong = (what: string): RuntimeError => new RuntimeError('bad_config', `The Redis URL ${what}`)
