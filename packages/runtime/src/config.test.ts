import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { settingNames } from './config/settings.ts'
import { type Host, readConfig } from './config.ts'
import { RuntimeError } from './error.ts'

const user: Host = {
  platform: 'linux',
  isRoot: false,
  home: '/home/somebody',
  readFile: () => assert.fail('no file was to be read'),
}
/** Of the C2SP signed-note specification. */
const witness = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
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
      keys: { kind: 'keyring', file: '/home/somebody/.local/share/auricle/keyring.json' },
      recovery: null,
      logStore: { kind: 'folder', folder: '/home/somebody/.local/share/auricle/log-store' },
      reportStore: null,
      mail: null,
      logName: 'auricle.local',
      witnesses: [],
      keyCacheMs: 60_000,
      backupDays: 35,
      queue: { kind: 'postgres' },
      ingest: { host: '127.0.0.1', port: 8480, publicUrl: null },
      api: { host: '127.0.0.1', port: 8481, publicUrl: null },
      worker: { concurrency: 2, disposition: 'here' },
      ffmpeg: { kind: 'usual' },
      log: { level: 'info', format: 'auto' },
      shutdownGraceMs: 20_000,
    })
    assert.deepEqual(secrets, {
      database: null,
      keyringPassphrase: null,
      monitorDatabaseUrl: null,
      smtpUrl: null,
      redisUrl: null,
    })
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
      REDIS_URL: 'redis://swordfish@host',
      AURICLE_OBJECTS: '/mnt/objects',
      AURICLE_RECOVERY: '/mnt/elsewhere',
      AURICLE_LOG_STORE: '/mnt/log',
      AURICLE_REPORT_STORE: '/mnt/reports',
      AURICLE_SMTP_URL: 'smtp://vault:swordfish@mail.example.org:587',
      AURICLE_MAIL_FROM: 'auricle@example.org',
      AURICLE_LOG_NAME: 'log.clinic.example',
      AURICLE_WITNESSES: `${witness} https://witness.example.org/, ${witness} http://127.0.0.1:9`,
      AURICLE_KEY_CACHE_MS: '0',
      AURICLE_BACKUP_DAYS: '0',
      AURICLE_KEYS: '/etc/auricle/keyring.json',
      AURICLE_HOST: '0.0.0.0',
      AURICLE_INGEST_PORT: '0',
      AURICLE_INGEST_URL: 'https://ingest.example.org/',
      AURICLE_API_PORT: '9000',
      AURICLE_API_URL: 'http://localhost:9000',
      AURICLE_WORKER_CONCURRENCY: '8',
      AURICLE_DISPOSITION: 'only',
      AURICLE_FFMPEG: '/opt/ffmpeg/bin/ffmpeg',
      AURICLE_LOG_LEVEL: 'debug',
      AURICLE_LOG_FORMAT: 'json',
      AURICLE_SHUTDOWN_GRACE_MS: '0',
    })
    assert.deepEqual(config, {
      dataFolder: '/srv/auricle',
      database: { kind: 'embedded', folder: '/srv/auricle/postgres' },
      objects: { kind: 'folder', folder: '/mnt/objects' },
      keys: { kind: 'keyring', file: '/etc/auricle/keyring.json' },
      recovery: { kind: 'folder', folder: '/mnt/elsewhere' },
      logStore: { kind: 'folder', folder: '/mnt/log' },
      reportStore: { kind: 'folder', folder: '/mnt/reports' },
      mail: { from: 'auricle@example.org' },
      logName: 'log.clinic.example',
      witnesses: [
        { verifierKey: witness, url: 'https://witness.example.org' },
        { verifierKey: witness, url: 'http://127.0.0.1:9' },
      ],
      keyCacheMs: 0,
      backupDays: 0,
      queue: { kind: 'redis' },
      ingest: { host: '0.0.0.0', port: 0, publicUrl: 'https://ingest.example.org' },
      api: { host: '0.0.0.0', port: 9000, publicUrl: 'http://localhost:9000' },
      worker: { concurrency: 8, disposition: 'only' },
      ffmpeg: { kind: 'path', path: '/opt/ffmpeg/bin/ffmpeg' },
      log: { level: 'debug', format: 'json' },
      shutdownGraceMs: 0,
    })
  })

  it('refuses what is wrong, naming the variable and never its value', () => {
    const wrong: Record<string, string> = {
      AURICLE_DATA: 'swordfish/relative',
      DATABASE_URL: 'mysql://swordfish@host/db',
      REDIS_URL: 'http://swordfish@host',
      AURICLE_OBJECTS: 's3://swordfish',
      AURICLE_OBJECTS_ENDPOINT: 'http://swordfish.example.org',
      AURICLE_OBJECTS_RETENTION: 'swordfish',
      AURICLE_RECOVERY: 'gs://swordfish/../up',
      AURICLE_RECOVERY_ENDPOINT: 'swordfish',
      AURICLE_LOG_STORE: 'ftp://swordfish',
      AURICLE_LOG_STORE_ENDPOINT: 'swordfish',
      AURICLE_REPORT_STORE: 'ftp://swordfish',
      AURICLE_REPORT_STORE_ENDPOINT: 'swordfish',
      AURICLE_SMTP_URL: 'http://swordfish@host',
      AURICLE_MAIL_FROM: 'swordfish',
      AURICLE_LOG_NAME: 'https://swordfish',
      AURICLE_WITNESSES: `${witness} http://swordfish.example.org`,
      AURICLE_KEYS: 'gcp-kms://swordfish',
      AURICLE_KMS: 'gcp-kms://swordfish',
      AURICLE_KMS_ENDPOINT: 'https://swordfish/',
      AURICLE_KMS_PROTECTION: 'swordfish',
      AURICLE_KMS_ROTATION_DAYS: '0',
      AURICLE_KMS_DESTROY_DAYS: '121',
      AURICLE_KEY_CACHE_MS: 'swordfish',
      AURICLE_BACKUP_DAYS: '3651',
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
    assert.match(refusal({ AURICLE_SMTP_URL: 'smtp://host' }), /AURICLE_SMTP_URL needs AURICLE_MAIL_FROM/)
    assert.match(
      refusal({ AURICLE_MAIL_FROM: 'auricle@example.org' }),
      /AURICLE_MAIL_FROM needs AURICLE_SMTP_URL/,
    )
    assert.match(
      refusal({ AURICLE_OBJECTS: '/mnt/objects', AURICLE_REPORT_STORE: '/mnt/objects/reports' }),
      /AURICLE_REPORT_STORE must lie apart/,
    )
  })

  it('takes buckets, a key ring and a queue in Redis', () => {
    const keyRing = 'projects/keys-of-a-clinic/locations/us-east4/keyRings/auricle'
    const { config, secrets } = read({
      AURICLE_OBJECTS: 'gs://recordings-of-a-clinic/vault/one',
      AURICLE_OBJECTS_RETENTION: 'locked',
      AURICLE_OBJECTS_ENDPOINT: 'https://storage.us-east4.rep.googleapis.com/',
      AURICLE_RECOVERY: 'gs://recovery-of-a-clinic/',
      AURICLE_LOG_STORE: 'gs://log-of-a-clinic/vault',
      AURICLE_KMS: `gcp-kms://${keyRing}`,
      AURICLE_KMS_ENDPOINT: 'kms.us-east4.rep.googleapis.com',
      AURICLE_KMS_PROTECTION: 'hsm',
      AURICLE_KMS_ROTATION_DAYS: '30',
      AURICLE_KMS_DESTROY_DAYS: '60',
      REDIS_URL: 'rediss://app:swordfish@10.0.0.3:6378',
    })
    assert.deepEqual(config.objects, {
      kind: 'bucket',
      bucket: 'recordings-of-a-clinic',
      prefix: 'vault/one',
      retentionMode: 'Locked',
      endpoint: 'https://storage.us-east4.rep.googleapis.com',
    })
    assert.deepEqual(config.recovery, {
      kind: 'bucket',
      bucket: 'recovery-of-a-clinic',
      prefix: '',
      retentionMode: 'Locked',
      endpoint: null,
    })
    assert.deepEqual(config.logStore, {
      kind: 'bucket',
      bucket: 'log-of-a-clinic',
      prefix: 'vault',
      endpoint: null,
    })
    assert.deepEqual(config.keys, {
      kind: 'gcp-kms',
      keyRing,
      endpoint: { host: 'kms.us-east4.rep.googleapis.com', port: 443 },
      protection: 'HSM',
      rotationDays: 30,
      destroyDays: 60,
    })
    assert.deepEqual(config.queue, { kind: 'redis' })
    assert.equal(secrets.redisUrl?.reveal(), 'rediss://app:swordfish@10.0.0.3:6378')
    assert.doesNotMatch(inspect({ config, secrets }, { depth: 9 }), /swordfish/)
  })

  it('refuses settings of a part that is not chosen', () => {
    const kms = { AURICLE_KMS: 'gcp-kms://projects/p-1/locations/l/keyRings/r' }
    assert.match(
      refusal({ ...kms, AURICLE_KEYS: '/etc/keyring.json' }),
      /AURICLE_KMS and AURICLE_KEYS exclude/,
    )
    assert.match(refusal({ ...kms, AURICLE_KEYRING_PASSPHRASE: 'x' }), /exclude each other/)
    for (const [name, value] of Object.entries({
      AURICLE_KMS_PROTECTION: 'hsm',
      AURICLE_KMS_ENDPOINT: 'host',
      AURICLE_OBJECTS_RETENTION: 'locked',
      AURICLE_OBJECTS_ENDPOINT: 'https://host.example.org',
      AURICLE_RECOVERY_ENDPOINT: 'https://host.example.org',
      AURICLE_LOG_STORE_ENDPOINT: 'https://host.example.org',
    })) {
      assert.match(refusal({ [name]: value }), new RegExp(`  ${name} needs `))
    }
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

  it('refuses a log store that is not apart from objects and recovery store', () => {
    const buckets = { AURICLE_OBJECTS: 'gs://clinic-one', AURICLE_RECOVERY: 'gs://clinic-two' }
    for (const AURICLE_LOG_STORE of ['gs://clinic-one/log', 'gs://clinic-two'])
      assert.match(refusal({ ...buckets, AURICLE_LOG_STORE }), /^ {2}AURICLE_LOG_STORE must lie apart/m)
    assert.match(refusal({ AURICLE_LOG_STORE: '/home/somebody' }), /AURICLE_LOG_STORE must lie apart/)
  })

  it('refuses what would make a library print secrets', () => {
    assert.match(refusal({ GOOGLE_SDK_NODE_LOGGING: 'all' }), /^ {2}GOOGLE_SDK_NODE_LOGGING must not be set/m)
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
