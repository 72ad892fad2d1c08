// Limits in Redis: one script a question, on the server's own clock, one key each, gone when it says nothing any more.
import type { RedisSettings } from '@auricle/contract'
import { Cluster, Redis } from 'ioredis'
import { slackMs } from './bucket.ts'
import type { Limits } from './limits.ts'
import { createSharedLimits, type LimitStore, type LimitsOptions } from './shared-limits.ts'

export interface RedisLimitsOptions extends LimitsOptions {
  readonly connection: RedisSettings
}

const keyPrefix = 'auricle:limits:'
const connectTimeoutMs = 5000
/** A server that is silent for this long while it is asked is gone. */
const silenceMostMs = 5000
const retryFirstMs = 50
const retryMostMs = 2000
/** Keys outlive what they say by this much, since what they say is judged by the numbers in them. */
const keptLongerMs = 60_000

const clock = `
  local now = tonumber(ARGV[1])
  if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
  end`

/** See `takeFrom`. */
const takeScript = `${clock}
  local burst, every = tonumber(ARGV[2]), tonumber(ARGV[3])
  local fullAt = tonumber(redis.call('GET', KEYS[1]) or now) or now
  local at = math.min(math.max(fullAt, now), now + burst * every)
  local wait = at - now - (burst - 1) * every
  if wait > ${slackMs} then return tostring(wait) end
  local kept = math.ceil(at + every - now) + ${keptLongerMs}
  redis.call('SET', KEYS[1], string.format('%.4f', at + every), 'PX', string.format('%d', kept))
  return ''`

const noteForm = '^(%-?[%d%.]+):(.*)$'

const seenScript = `${clock}
  local expires, value = string.match(redis.call('GET', KEYS[1]) or '', '${noteForm}')
  if expires and tonumber(expires) > now then return value end
  return false`

const rememberScript = `${clock}
  local expires = string.match(redis.call('GET', KEYS[1]) or '', '${noteForm}')
  if expires and tonumber(expires) > now then return 0 end
  local ttl = tonumber(ARGV[3])
  local note = string.format('%.4f', now + ttl) .. ':' .. ARGV[2]
  redis.call('SET', KEYS[1], note, 'PX', string.format('%d', math.ceil(ttl) + ${keptLongerMs}))
  return 1`

/** Connects at once and goes on trying; whether it succeeds is seen by whoever asks. */
export function createRedisLimits(options: RedisLimitsOptions): Limits {
  return createSharedLimits(createStore(connect(options.connection), options.now), options)
}

/** Questions fail at once while there is no connection: nothing waits in line for a server to come back. */
function connect({ nodes, cluster, username, password, database, tls }: RedisSettings): Redis | Cluster {
  const [first] = nodes
  if (first === undefined) throw new TypeError('no Redis server was named')
  const each = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: tls.ca === null ? {} : { ca: tls.ca } }),
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMostMs,
    disableClientInfo: true,
  }
  const retry = (times: number) => Math.min(retryFirstMs * 2 ** times, retryMostMs)
  const client = cluster
    ? new Cluster([...nodes], {
        redisOptions: each,
        enableOfflineQueue: false,
        clusterRetryStrategy: retry,
        slotsRefreshTimeout: connectTimeoutMs,
        // A certificate names hosts, so they are not looked up before it is compared with them.
        ...(tls === null ? {} : { dnsLookup: keepName }),
      })
    : new Redis({
        ...each,
        ...first,
        db: database,
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        retryStrategy: retry,
        // What was the primary server has become a replica: its name leads to another one now.
        reconnectOnError: error => /\bREADONLY\b/.test(error.message),
      })
  // Reported by the question that fails.
  client.on('error', () => undefined)
  return client
}

function keepName(host: string, callback: (error: null, address: string) => void): void {
  callback(null, host)
}

function createStore(client: Redis | Cluster, now: (() => number) | undefined): LimitStore {
  const run = async (
    script: string,
    key: Buffer,
    ...rest: readonly (string | number)[]
  ): Promise<unknown> => {
    await firstReady
    return client.eval(script, 1, keyPrefix + key.toString('base64url'), String(now?.() ?? ''), ...rest)
  }
  // Only the first connection is waited for, so that a process that has just started is no outage.
  const firstReady = client.status === 'ready' ? Promise.resolve() : whenSettled(client)
  return {
    async take(key, { burst, everyMs }) {
      const wait = String(await run(takeScript, key, burst, everyMs))
      if (wait === '') return { allowed: true }
      return { allowed: false, retryAfterMs: Math.max(1, Math.ceil(Number(wait))) }
    },
    async seen(key) {
      const value = await run(seenScript, key)
      return typeof value === 'string' ? value : null
    },
    async remember(key, value, ttlMs) {
      await run(rememberScript, key, value, ttlMs)
    },
    async close() {
      client.disconnect()
    },
  }
}

function whenSettled(client: Redis | Cluster): Promise<void> {
  return new Promise(resolve => {
    for (const event of ['ready', 'error', 'close', 'end']) client.once(event, () => resolve())
  })
}
