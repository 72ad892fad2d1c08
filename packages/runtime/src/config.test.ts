import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { type Host, readConfig, settingNames } from './config.ts'
import { RuntimeError } from './error.ts'

const user: Host = {
  platform: 'linux',
  isRoot: false,
  home: '/home/somebody',
  readFile: () => assert.fail('no file was to be read'),
}
const secretUrl = 'postgres://auricle_app:swordfish@db.example.org/auricle'

const read = (env: Record<string, string | undefined>, host: Host = user) => readConfig(env, host)

function refusal(env: Record<string, string | undefined>, host: Host = user): string {
  try {
    read(env, host)
  } catch (error) {
    assert.ok(error instanceof RuntimeError && error.code === 'bad_config')
    return error.message
  }
  return assert.fail('it was to be refused')
}

describe('readConfig', () => {
  it('needs nothing', () => {
    const { config, secrets } = read({})
    assert.deepEqual(config, {
      dataFolder: '/home/somebody/.local/share/auricle',
      database: { kind: 'embedded', folder: '/home/somebody/.local/share/auricle/postgres' },
      objects: { kind: 'folder', folder: '/home/somebody/.local/share/auricle/objects' },
      recovery: null,
      keys: { kind: 'keyring', file: '/home/somebody/.local/share/auricle/keyring.json' },
      queue: { kind: 'postgres' },
      ingest: { host: '127.0.0.1', port: 8480, publicUrl: null },
      api: { host: '127.0.0.1', port: 8481, publicUrl: null },
      worker: { concurrency: 2 },
      ffmpeg: { kind: 'usual' },
      log: { level: 'info', format: 'auto' },
      shutdownGraceMs: 20_000,
    })
    assert.deepEqual(secrets, { database: null, keyringPassphrase: null })
  })

  it('places data where the system and the user keep theirs', () => {
    const folder = (env: Record<string, string>, host: Partial<Host>) =>
      read(env, { ...user, ...host }).config.dataFolder
    assert.equal(folder({}, { isRoot: true }), '/var/lib/auricle')
    assert.equal(folder({ XDG_DATA_HOME: '/data' }, {}), '/data/auricle')
    assert.equal(folder({ XDG_DATA_HOME: 'relative' }, {}), '/home/somebody/.local/share/auricle')
    assert.equal(
      folder({}, { platform: 'darwin', home: '/Users/somebody' }),
      '/Users/somebody/Library/Application Support/auricle',
    )
    assert.equal(folder({ AURICLE_DATA: '/srv/auricle' }, { isRoot: true }), '/srv/auricle')
  })

  it('takes each setting', () => {
    const { config } = read({
      AURICLE_DATA: '/srv/auricle',
      AURICLE_OBJECTS: '/mnt/objects',
      AURICLE_RECOVERY: '/far/objects',
      AURICLE_KEYS: '/etc/auricle/keyring.json',
      AURICLE_HOST: '0.0.0.0',
      AURICLE_INGEST_PORT: '0',
      AURICLE_INGEST_URL: 'https://ingest.example.org/',
      AURICLE_API_PORT: '9000',
      AURICLE_API_URL: 'http://localhost:9000',
      AURICLE_WORKER_CONCURRENCY: '8',
      AURICLE_FFMPEG: '/opt/ffmpeg/bin/ffmpeg',
      AURICLE_LOG_LEVEL: 'debug',
      AURICLE_LOG_FORMAT: 'json',
      AURICLE_SHUTDOWN_GRACE_MS: '0',
    })
    assert.deepEqual(config, {
      dataFolder: '/srv/auricle',
      database: { kind: 'embedded', folder: '/srv/auricle/postgres' },
      objects: { kind: 'folder', folder: '/mnt/objects' },
      recovery: { kind: 'folder', folder: '/far/objects' },
      keys: { kind: 'keyring', file: '/etc/auricle/keyring.json' },
      queue: { kind: 'postgres' },
      ingest: { host: '0.0.0.0', port: 0, publicUrl: 'https://ingest.example.org' },
      api: { host: '0.0.0.0', port: 9000, publicUrl: 'http://localhost:9000' },
      worker: { concurrency: 8 },
      ffmpeg: { kind: 'path', path: '/opt/ffmpeg/bin/ffmpeg' },
      log: { level: 'debug', format: 'json' },
      shutdownGraceMs: 0,
    })
  })

  it('refuses what is wrong, naming the variable and never its value', () => {
    const wrong: Record<string, string> = {
      AURICLE_DATA: 'swordfish/relative',
      DATABASE_URL: 'mysql://swordfish@host/db',
      REDIS_URL: 'redis://swordfish@host',
      AURICLE_OBJECTS: 'gs://swordfish',
      AURICLE_RECOVERY: 'gs://swordfish',
      AURICLE_KEYS: 'gcp-kms://swordfish',
      AURICLE_HOST: 'swordfish',
      AURICLE_INGEST_PORT: '65536',
      AURICLE_INGEST_URL: 'http://swordfish.example.org',
      AURICLE_API_PORT: 'swordfish',
      AURICLE_API_URL: 'https://example.org/?swordfish',
      AURICLE_WORKER_CONCURRENCY: '0',
      AURICLE_FFMPEG: 'swordfish',
      AURICLE_LOG_LEVEL: 'swordfish',
      AURICLE_LOG_FORMAT: 'swordfish',
      AURICLE_SHUTDOWN_GRACE_MS: '-1',
      AURICLE_SWORD: 'swordfish',
    }
    for (const [name, value] of Object.entries(wrong)) {
      const message = refusal({ [name]: value })
      assert.match(message, new RegExp(`^  ${name} `, 'm'))
      assert.doesNotMatch(message, /swordfish/)
    }
    assert.equal(refusal(wrong).split('\n').length, 1 + Object.keys(wrong).length)
  })

  it('refuses what is half configured or contradicts itself', () => {
    assert.match(
      refusal({ AURICLE_DATABASE_OWNER_URL: secretUrl }),
      /AURICLE_DATABASE_OWNER_URL needs DATABASE_URL/,
    )
    assert.match(
      refusal({ AURICLE_KEYRING_PASSPHRASE: 'one', AURICLE_KEYRING_PASSPHRASE_FILE: '/run/secrets/two' }),
      /exclude each other/,
    )
  })

  it('refuses a recovery folder that is not apart from the objects, however it is spelt', () => {
    const objects = '/home/somebody/.local/share/auricle/objects'
    for (const AURICLE_RECOVERY of [
      objects,
      `${objects}/`,
      `${objects}/copy`,
      `${objects}/../objects/./copy//deep`,
      '/home/somebody/.local/share/auricle',
      '/home/somebody',
      '/',
    ]) {
      assert.match(refusal({ AURICLE_RECOVERY }), /^ {2}AURICLE_RECOVERY must lie apart/m, AURICLE_RECOVERY)
    }
    const elsewhere = { AURICLE_DATA: '/srv', AURICLE_OBJECTS: '/mnt/objects' }
    assert.match(refusal({ ...elsewhere, AURICLE_RECOVERY: '/mnt/objects/a' }), /must lie apart/)
    for (const AURICLE_RECOVERY of ['/mnt/objects-copy', '/mnt/object', '/srv/objects', '/mnt/..objects']) {
      const { config } = read({ ...elsewhere, AURICLE_RECOVERY })
      assert.deepEqual(config.recovery, { kind: 'folder', folder: AURICLE_RECOVERY })
    }
  })

  it('keeps secrets apart, and does not print them', () => {
    const { config, secrets } = read({
      DATABASE_URL: secretUrl,
      AURICLE_DATABASE_OWNER_URL: secretUrl,
      AURICLE_KEYRING_PASSPHRASE: 'swordfish',
    })
    assert.deepEqual(config.database, { kind: 'url' })
    assert.equal(secrets.database?.url.reveal(), secretUrl)
    assert.equal(secrets.database?.ownerUrl?.reveal(), secretUrl)
    assert.equal(secrets.keyringPassphrase?.reveal(), 'swordfish')
    for (const shown of [JSON.stringify({ config, secrets }), inspect({ config, secrets }, { depth: 9 })]) {
      assert.doesNotMatch(shown, /swordfish/)
    }
    assert.doesNotMatch(`${secrets.keyringPassphrase}`, /swordfish/)
  })

  it('reads a passphrase from its file', () => {
    const env = { AURICLE_KEYRING_PASSPHRASE_FILE: '/run/secrets/passphrase' }
    const from = (content: string) => ({ ...user, readFile: () => content })
    assert.equal(read(env, from('sword fish \r\n')).secrets.keyringPassphrase?.reveal(), 'sword fish ')
    assert.match(refusal(env, from('\n')), /is empty/)
    const unreadable = () => {
      throw new Error('EACCES /run/secrets/passphrase')
    }
    assert.match(refusal(env, { ...user, readFile: unreadable }), /cannot be read/)
  })

  it('takes an empty variable for an absent one', () => {
    const empty = Object.fromEntries(settingNames.map(name => [name, '']))
    assert.deepEqual(read(empty), read({}))
  })

  it('reads an environment of any content or refuses it, and nothing else', () => {
    const name = fc.oneof(fc.constantFrom(...settingNames), fc.string())
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), env => {
        try {
          read(env, { ...user, readFile: () => 'passphrase' })
        } catch (error) {
          assert.ok(error instanceof RuntimeError)
        }
      }),
    )
  })
})

it('docs/configuration.md lists exactly the settings there are', () => {
  const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  const listed = Array.from(page.matchAll(/^\| `([A-Z_]+)` \|/gm), ([, name]) => name)
  assert.deepEqual(listed.sort(), [...settingNames].sort())
})
