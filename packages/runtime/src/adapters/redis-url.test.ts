import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { redisSettings } from './redis-url.ts'

describe('redisSettings', () => {
  it('takes host, port, user, password and database', async () => {
    assert.deepEqual(await redisSettings('redis://localhost'), {
      nodes: [{ host: 'localhost', port: 6379 }],
      cluster: false,
      username: null,
      password: null,
      database: 0,
      tls: null,
    })
    const full = await redisSettings('redis://app:sword%2Ffish@10.0.0.1:7000/3')
    assert.deepEqual(full.nodes, [{ host: '10.0.0.1', port: 7000 }])
    assert.equal(full.username, 'app')
    assert.equal(full.password, 'sword/fish')
    assert.equal(full.database, 3)
    assert.deepEqual((await redisSettings('redis://[::1]:7000')).nodes, [{ host: '::1', port: 7000 }])
  })

  it('takes TLS with the system roots or with a CA of its own', async () => {
    assert.deepEqual((await redisSettings('rediss://host')).tls, { ca: null })
    using folder = mkdtempDisposableSync(join(tmpdir(), 'auricle-ca-'))
    const path = join(folder.path, 'ca.pem')
    writeFileSync(path, 'a certificate')
    assert.deepEqual((await redisSettings(`rediss://host?ca=${encodeURIComponent(path)}`)).tls, {
      ca: 'a certificate',
    })
  })

  it('takes the seeds of a cluster', async () => {
    const { nodes, cluster } = await redisSettings('rediss://one:7000?cluster&node=two:7001&node=three')
    assert.ok(cluster)
    assert.deepEqual(nodes, [
      { host: 'one', port: 7000 },
      { host: 'two', port: 7001 },
      { host: 'three', port: 6379 },
    ])
  })

  it('refuses what it would misread, and does not repeat it', async () => {
    for (const text of [
      'redis://swordfish:6379/sixteen',
      'redis://swordfish/16',
      'redis://swordfish/1?cluster',
      'redis://swordfish?node=two',
      'redis://swordfish?cluster&node=a:b:c',
      'redis://swordfish?ca=/swordfish',
      'rediss://swordfish?ca=/nowhere/swordfish.pem',
      'redis://swordfish?verify=no',
    ]) {
      await assert.rejects(redisSettings(text), error => {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'bad_config', text)
        assert.doesNotMatch(error.message, /swordfish/)
        return true
      })
    }
  })
})
