// The queue's connections to Redis: they fail at once while it is away, in the one way that makes BullMQ wait.
import type { RedisSettings } from '@auricle/contract'
import { Cluster, type Command, Redis } from 'ioredis'
import { closedMessage, errorPauseMs, isSocketOutage, type Outages } from './outage.ts'

/** All keys of the queue share one slot: BullMQ's scripts touch several at once. */
export const redisPrefix = '{auricle}'

const connectTimeoutMs = 5000
/** A blocking call answers within 10 seconds (redis-queue-backend.js, 6.7); a server silent for longer is gone. */
const silenceMostMs = 15_000
const retryFirstMs = 50
const retryMostMs = 2000

export type QueueClient = Redis | Cluster

export interface OpenQueueClient extends Disposable {
  readonly client: QueueClient
  /** What the connection complained of last, while it is not ready; null where it never did. */
  lastError(): unknown
}

/**
 * Without an offline queue and without retries no call outlives its connection: ioredis would keep it, for ever where
 * the server never was there, and run it when nobody waits for it any more.
 */
export function openQueueClient(settings: RedisSettings, outages: Outages): OpenQueueClient {
  const client = connect(settings)
  const copies = new Set<QueueClient>()
  let lastError: unknown = null
  client.on('error', (error: unknown) => {
    lastError = error
  })
  client.on('ready', () => {
    lastError = null
    outages.answered()
  })
  client.on('close', () => outages.failed(new Error(closedMessage, { cause: lastError })))
  prepare(client, outages, copies)
  return {
    client,
    lastError: () => lastError,
    [Symbol.dispose]() {
      outages.end()
      for (const open of [client, ...copies]) open.disconnect()
    },
  }
}

function connect({ nodes, cluster, username, password, database, tls }: RedisSettings): QueueClient {
  const [first] = nodes
  if (first === undefined) throw new TypeError('no Redis server was named')
  const each = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: tls.ca === null ? {} : { ca: tls.ca } }),
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMostMs,
    // A reply that servers before 7.2 refuse, once a connection.
    disableClientInfo: true,
  }
  const retry = (times: number) => Math.min(retryFirstMs * 2 ** times, retryMostMs)
  if (!cluster) {
    return new Redis({
      ...each,
      ...first,
      db: database,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: retry,
      // What was the primary server has become a replica: its name leads to another one now.
      reconnectOnError: error => /\bREADONLY\b/.test(error.message),
    })
  }
  return new Cluster([...nodes], {
    redisOptions: each,
    enableOfflineQueue: false,
    clusterRetryStrategy: retry,
    slotsRefreshTimeout: connectTimeoutMs,
    // A certificate names hosts, so they are not looked up before it is compared with them.
    ...(tls === null ? {} : { dnsLookup: keepName }),
  })
}

function keepName(host: string, callback: (error: null, address: string) => void): void {
  callback(null, host)
}

/** Only the first connection reports outages; BullMQ makes copies of it, which come and go at other moments. */
function prepare(
  client: QueueClient,
  outages: Pick<Outages, 'answered' | 'failed'>,
  copies: Set<QueueClient>,
) {
  const { sendCommand, duplicate, disconnect } = client
  client.sendCommand = (command: Command, ...rest: unknown[]) => {
    if (!isHandshake(client, command)) translate(client, command, outages)
    return Reflect.apply(sendCommand, client, [command, ...rest])
  }
  client.duplicate = (...args: unknown[]) => {
    const copy = Reflect.apply(duplicate, client, args) as QueueClient
    copies.add(copy)
    // Whoever asked for the copy listens too, but not before its first error.
    copy.on('error', () => undefined)
    prepare(copy, silent, copies)
    return copy as Redis & Cluster
  }
  // Between two attempts to connect there is no socket whose end would be told, and BullMQ waits for it (6.0 of ioredis).
  client.disconnect = (reconnect = false) => {
    const isBetween = client.status === 'reconnecting'
    Reflect.apply(disconnect, client, [reconnect])
    if (!isBetween || reconnect) return
    client.status = 'end'
    process.nextTick(() => client.emit('end'))
  }
}

const silent: Pick<Outages, 'answered' | 'failed'> = {
  answered: () => undefined,
  failed: error => (isRedisOutage(error) ? new Error(closedMessage, { cause: error }) : error),
}

/** What ioredis sends itself while it connects; whether that works is told by `ready` and `close`. */
const handshake: ReadonlySet<string> = new Set(['hello', 'auth', 'select', 'client', 'info', 'readonly'])

function isHandshake(client: QueueClient, command: Command): boolean {
  return client.status === 'connect' && handshake.has(command.name.toLowerCase())
}

function translate(
  client: QueueClient,
  command: Command,
  outages: Pick<Outages, 'answered' | 'failed'>,
): void {
  const { resolve, reject } = command
  command.resolve = (result: unknown) => {
    if (client.status === 'ready') outages.answered()
    Reflect.apply(resolve, command, [result])
  }
  command.reject = (error: Error) => {
    const told = outages.failed(error) as Error
    const rejected = () => Reflect.apply(reject, command, [told])
    if (told !== error || /\bNOSCRIPT\b/.test(error.message)) rejected()
    else setTimeout(rejected, errorPauseMs)
  }
}

/** ioredis 6, where an error has no code. */
const clientMessage =
  /^(Command aborted due to connection close|Stream isn't writeable|Reached the max retries per request|Socket timeout|Cluster (isn't ready|is |connection)|None of startup nodes|Failed to refresh slots cache|Too many Cluster redirections|Connection is closed)/
/** Replies of a server that starts, fails over, is full or cannot write its files. */
const serverMessage =
  /^(?:ERR .*)?\b(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|OOM|UNBLOCKED|NOAUTH|WRONGPASS)\b/

export function isRedisOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return isSocketOutage(error) || clientMessage.test(error.message) || serverMessage.test(error.message)
}
