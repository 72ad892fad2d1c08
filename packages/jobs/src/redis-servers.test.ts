// The queue on every kind of Redis that configuration can name: TLS, accounts, numbered databases, clusters, replicas.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Finding, type Job, newIntakeId, newTenantId, type RedisSettings } from '@auricle/contract'
import { findFreePort } from '../../../test/harness/free-port.ts'
import { startRedis, startRedisCluster } from '../../../test/redis.ts'
import { createRedisJobs } from './redis-jobs.ts'

const run = promisify(execFile)

const archive = () => ({ type: 'archive', tenantId: newTenantId(), intakeId: newIntakeId() }) as const

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10)
}

/** A job that is handed over, taken and done. */
async function works(connection: RedisSettings): Promise<void> {
  const errors: unknown[] = []
  await using jobs = await createRedisJobs({ connection, onError: error => errors.push(error) })
  const done: Job[] = []
  await using _workers = await jobs.startWorkers({
    concurrency: 2,
    onFailure: ({ reason }) => assert.fail(reason),
    handler: async job => {
      done.push(job)
    },
  })
  const wanted = [archive(), archive(), archive()]
  for (const job of wanted) await jobs.enqueue(job, { jobId: `archive-${job.intakeId}` })
  await until(() => done.length === wanted.length)
  // Two at a time end in whatever order.
  assert.deepEqual(new Set(done), new Set(wanted))
  assert.deepEqual(errors, [])
}

function refused(connection: RedisSettings, cause: RegExp) {
  const opening = createRedisJobs({ connection, timeoutMs: 1000, onError: () => undefined })
  return assert.rejects(opening, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'unavailable')
    assert.match(String(error.cause), cause)
    return true
  })
}

describe('TLS', () => {
  it('with a certificate of its own authority, which is checked', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'auricle-redis-tls-'))
    try {
      const at = (name: string) => join(folder, name)
      const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
      const names = '/CN=localhost'
      for (const name of ['server', 'other']) {
        await openssl(
          ...[
            'req',
            '-x509',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:prime256v1',
            '-nodes',
            '-days',
            '2',
          ],
          ...['-subj', names, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
          ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
        )
      }
      const port = await findFreePort()
      await using _server = await startRedis(
        {
          port: '0',
          'tls-port': String(port),
          'tls-cert-file': at('server.pem'),
          'tls-key-file': at('server.key'),
          'tls-ca-cert-file': at('server.pem'),
          'tls-auth-clients': 'no',
        },
        port,
      )
      const ca = await readFile(at('server.pem'), 'utf8')
      const plain: RedisSettings = {
        ...{ nodes: [{ host: '127.0.0.1', port }], cluster: false, username: null, password: null },
        ...{ database: 0, tls: null },
      }
      await works({ ...plain, tls: { ca } })
      const other = await readFile(at('other.pem'), 'utf8')
      await refused({ ...plain, tls: { ca: other } }, /self-signed certificate/)
      await refused({ ...plain, tls: { ca: null } }, /self-signed certificate/)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('accounts and databases', () => {
  it('a user with no more rights than the queue needs, a password, a database by number', async () => {
    await using server = await startRedis({ requirepass: 'of-the-default-user' })
    const admin = server.client('of-the-default-user')
    const rights = ['~{auricle}:*', '+@all', '-@dangerous', '-@admin', '+info']
    await admin.acl('SETUSER', 'auricle', 'on', '>a-password', ...rights)
    const user = { ...server.settings, username: 'auricle', password: 'a-password' }
    await works({ ...user, database: 3 })
    await admin.select(3)
    assert.notEqual((await admin.keys('{auricle}:*')).length, 0)
    await admin.select(0)
    assert.deepEqual(await admin.keys('*'), [])
    await works({ ...server.settings, password: 'of-the-default-user' })
    await refused({ ...user, password: 'wrong' }, /WRONGPASS/)
    await refused(server.settings, /NOAUTH/)
  })
})

describe('a cluster', () => {
  it('of three servers, one of which is named', async () => {
    await using cluster = await startRedisCluster()
    const { servers, settings } = cluster
    const clients = servers.map(server => server.client())
    for (const server of servers) await works({ ...server.settings, cluster: true })

    await using jobs = await createRedisJobs({ connection: settings, onError: () => undefined })
    const findings = await jobs.inspect()
    assert.deepEqual(
      findings.filter(({ state }) => state !== 'ok'),
      [],
    )
    assert.equal(findings.filter(({ name }) => name === 'queue eviction').length, 3)
    // Every key lies in one slot, hence on one server.
    const holding = await Promise.all(clients.map(client => client.dbsize()))
    assert.equal(holding.filter(size => size > 0).length, 1)

    // The flush of a server that holds the queue, and its death.
    const holder = holding.findIndex(size => size > 0)
    const done: Job[] = []
    await using _workers = await jobs.startWorkers({
      concurrency: 1,
      onFailure: ({ reason }) => assert.fail(reason),
      handler: async job => {
        done.push(job)
      },
    })
    await clients[holder]?.flushall()
    const enqueue = (job: Job) =>
      jobs.enqueue(job, { jobId: 'archive-1' }).then(
        () => true,
        () => false,
      )
    await until(() => enqueue(archive()))
    await until(() => done.length >= 1)
    await servers[holder]?.kill()
    await servers[holder]?.restart()
    const last = archive()
    await until(() => enqueue(last))
    await until(() => done.some(job => job.type === 'archive' && job.intakeId === last.intakeId))
  })
})

describe('what a look finds', () => {
  const look = async (connection: RedisSettings): Promise<Map<string, Finding>> => {
    await using jobs = await createRedisJobs({ connection, onError: () => undefined })
    return new Map((await jobs.inspect()).map(finding => [finding.name, finding]))
  }

  it('a server that throws keys away when it is full is bad, and how to mend it', async () => {
    await using server = await startRedis({ 'maxmemory-policy': 'allkeys-lru', maxmemory: '100mb' })
    const found = await look(server.settings)
    const eviction = found.get('queue eviction')
    assert.equal(eviction?.state, 'bad')
    assert.match(eviction?.found ?? '', /allkeys-lru/)
    const { port } = server
    assert.match(
      eviction?.mend ?? '',
      new RegExp(`redis-cli -h 127\\.0\\.0\\.1 -p ${port} CONFIG SET maxmemory-policy noeviction`),
    )
    assert.match(
      eviction?.mend ?? '',
      /gcloud redis instances update .* --update-redis-config=maxmemory-policy=noeviction/,
    )
    assert.match(eviction?.mend ?? '', /gcloud memorystore instances update .*maxmemory-policy=noeviction/)
    assert.match(found.get('queue memory')?.found ?? '', /of 100 MiB used/)
    assert.match(found.get('queue persistence')?.found ?? '', /enqueues again/)

    // The line does mend it.
    const client = server.client()
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    assert.equal((await look(server.settings)).get('queue eviction')?.state, 'ok')
  })

  it('where CONFIG is not allowed, INFO tells; where neither is, it says that it cannot know', async () => {
    await using server = await startRedis({ 'maxmemory-policy': 'volatile-lru' })
    const admin = server.client()
    const rights = ['on', '>a-password', '~*', '+@all', '-config']
    await admin.acl('SETUSER', 'told', ...rights)
    await admin.acl('SETUSER', 'untold', ...rights, '-info')
    const as = (username: string) => ({ ...server.settings, username, password: 'a-password' })
    assert.equal((await look(as('told'))).get('queue eviction')?.state, 'bad')
    const untold = await look(as('untold'))
    assert.equal(untold.get('queue eviction')?.state, 'warn')
    assert.equal(untold.get('queue server')?.state, 'warn')
  })

  it('a replica that is read only is bad, and nothing can be handed over there', async () => {
    await using primary = await startRedis({ 'repl-diskless-sync-delay': '0' })
    await using replica = await startRedis({ replicaof: `127.0.0.1 ${primary.port}` })
    const client = replica.client()
    await until(async () => (await client.info('replication')).includes('master_link_status:up'))
    const found = await look(replica.settings)
    assert.deepEqual([found.get('queue role')?.state, found.get('queue role')?.mend !== null], ['bad', true])
    assert.match((await look(primary.settings)).get('queue role')?.found ?? '', /primary, with 1 replicas/)
    await using jobs = await createRedisJobs({
      connection: replica.settings,
      timeoutMs: 1000,
      onError: () => undefined,
    })
    await assert.rejects(jobs.enqueue(archive(), { jobId: 'archive-1' }), { code: 'unavailable' })
  })
})
