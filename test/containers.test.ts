// The image and the compose file keep what docs/operations/containers.md promises, as far as their text shows it.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { readCopies, readIgnore } from './image/context.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const containerfile = read('infra/Containerfile')
/** A test beside the configuration holds that page to the code. */
const settingNames = Array.from(
  read('docs/configuration.md').matchAll(/^\| `([A-Z_]+)` \|/gm),
  ([, name]) => name,
)

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly ports?: readonly string[]
  readonly networks: readonly string[]
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly ulimits?: { readonly core?: number }
  readonly privileged?: boolean
  readonly user?: string
  readonly network_mode?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly secrets: Readonly<Record<string, unknown>>
}

const compose: Compose = parse(read('infra/compose.yaml'), { merge: true })
const services = Object.entries(compose.services)
const ours = services.filter(([, { image }]) => image === 'auricle')

describe('infra/compose.yaml', () => {
  it('has every service, the migration, and what they need', () => {
    assert.deepEqual(Object.keys(compose.services).sort(), [
      'api',
      'ingest',
      'migrate',
      'postgres',
      'redis',
      'worker',
    ])
  })

  it('fences each of our containers in', () => {
    for (const [name, service] of ours) {
      assert.equal(service.read_only, true, name)
      assert.deepEqual(service.cap_drop, ['ALL'], name)
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name)
      assert.equal(service.ulimits?.core, 0, name)
      assert.equal(service.privileged ?? false, false, name)
      assert.equal(service.user, undefined, `${name} runs as the user of the image`)
      assert.equal(service.network_mode, undefined, name)
    }
  })

  it('lets nobody but our containers reach the database and the queue', () => {
    for (const name of ['postgres', 'redis']) {
      const service = compose.services[name]
      assert.equal(service?.ports, undefined, name)
      assert.deepEqual(service?.networks, ['data'], name)
    }
    assert.equal(compose.networks['data']?.internal, true)
  })

  it('publishes the two doors to this machine alone', () => {
    for (const [name, { ports = [] }] of services) {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name)
    }
    assert.deepEqual(
      services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name),
      ['ingest', 'api'],
    )
  })

  it('gives settings that there are', () => {
    for (const [name, { environment = {} }] of ours) {
      for (const setting of Object.keys(environment))
        assert.ok(settingNames.includes(setting), `${name}: ${setting}`)
    }
  })

  it('tells the owner of the schema to the migration alone, and everything else waits for it', () => {
    for (const [name, { environment = {}, depends_on = {} }] of ours) {
      assert.equal('AURICLE_DATABASE_OWNER_URL' in environment, name === 'migrate', name)
      if (name !== 'migrate')
        assert.equal(depends_on['migrate']?.condition, 'service_completed_successfully', name)
      for (const other of ['postgres', 'redis'])
        assert.equal(depends_on[other]?.condition, 'service_healthy', name)
    }
  })

  it('asks each door whether it is ready at the port that it listens on', () => {
    for (const [name, setting] of [
      ['ingest', 'AURICLE_INGEST_PORT'],
      ['api', 'AURICLE_API_PORT'],
    ] as const) {
      const service = compose.services[name]
      const port = String(service?.environment?.[setting])
      assert.deepEqual(service?.healthcheck?.test, ['CMD', 'node', 'infra/ready.mjs', port])
      assert.deepEqual(service?.ports, [`127.0.0.1:${port}:${port}`])
    }
  })

  it('keeps jobs in Redis over a restart, and lets it drop none', () => {
    const command = compose.services['redis']?.command ?? []
    assert.equal(command[command.indexOf('--appendonly') + 1], 'yes')
    assert.equal(command[command.indexOf('--maxmemory-policy') + 1], 'noeviction')
  })

  it('holds no secret itself', () => {
    const text = read('infra/compose.yaml')
    for (const [, value = ''] of text.matchAll(/(?:PASSWORD|PASSPHRASE\w*): (.+)/g))
      assert.match(value, /^(\$\{|\/run\/secrets\/)/)
    for (const [, password = ''] of text.matchAll(/postgres:\/\/\w+:([^@]+)@/g))
      assert.match(password, /^\$\{\w+:\?/)
  })

  it('uses what it declares, and declares what it uses', () => {
    const volumes = services.flatMap(([, service]) =>
      (service.volumes ?? []).map(volume => volume.split(':')[0] ?? ''),
    )
    const named = new Set(volumes.filter(volume => !volume.startsWith('.')))
    assert.deepEqual([...named].sort(), Object.keys(compose.volumes).sort())
    for (const volume of volumes.filter(found => found.startsWith('.'))) {
      assert.ok(existsSync(join(root, 'infra', volume)), volume)
    }
    const networks = new Set(services.flatMap(([, service]) => service.networks))
    assert.deepEqual([...networks].sort(), Object.keys(compose.networks).sort())
    const secrets = new Set(services.flatMap(([, service]) => service.secrets ?? []))
    assert.deepEqual([...secrets].sort(), Object.keys(compose.secrets).sort())
    for (const [name, { command = [] }] of ours) assert.ok(existsSync(join(root, command[0] ?? '')), name)
  })
})

describe('infra/compose/witness.yaml', () => {
  const witness: Compose = parse(read('infra/compose/witness.yaml'), { merge: true })

  it('runs the witness alone, fenced in, with a folder of its own and nothing of the vault', () => {
    assert.deepEqual(Object.keys(witness.services), ['witness'])
    const service = witness.services['witness']
    assert.ok(service !== undefined)
    assert.equal(service.read_only, true)
    assert.deepEqual(service.cap_drop, ['ALL'])
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'])
    assert.equal(service.ulimits?.core, 0)
    assert.deepEqual(service.volumes, ['witness:/var/lib/auricle'])
    assert.equal(service.environment, undefined)
    assert.equal(service.secrets, undefined)
    assert.deepEqual(service.ports, ['127.0.0.1:8483:8483'])
    assert.deepEqual(service.healthcheck?.test, ['CMD', 'node', 'infra/ready.mjs', '8483'])
    assert.ok(existsSync(join(root, service.command?.[0] ?? '')))
    assert.equal(service.command?.[1], 'witness')
  })
})

describe('infra/Containerfile', () => {
  it('runs as a user that is not root, by number', () => {
    assert.match(containerfile, /^USER ([1-9]\d*):([1-9]\d*)$/m)
    assert.equal(containerfile.match(/^USER /gm)?.length, 1)
  })

  it('leaves nothing of apt behind', () => {
    for (const [run] of containerfile.matchAll(/^RUN (?:.*\\\n)*.*$/gm)) {
      if (run.includes('apt-get install')) assert.match(run, /rm -rf \/var\/lib\/apt\/lists\/\*/)
    }
  })

  it('starts Node on a source file, and sets settings that there are', () => {
    assert.match(containerfile, /^ENTRYPOINT \["node"\]$/m)
    assert.match(containerfile, /^ENV PATH=\/app\/node_modules\/\.bin:/m)
    for (const [setting] of containerfile.matchAll(/\bAURICLE_\w+(?==)/g))
      assert.ok(settingNames.includes(setting), setting)
  })

  it('copies our packages beside node_modules and never into it', () => {
    const copies = readCopies(containerfile)
    assert.deepEqual(copies.flatMap(({ sources }) => sources).sort(), [
      '.npmrc',
      'infra',
      'package-lock.json',
      'package.json',
      'packages',
      'services',
    ])
    for (const { target } of copies) assert.doesNotMatch(target, /node_modules/)
  })
})

describe('.dockerignore', () => {
  const isLetThrough = readIgnore(read('.dockerignore'))

  it('lets through what runs', () => {
    for (const path of [
      '.npmrc',
      'package.json',
      'package-lock.json',
      'packages/catalog/package.json',
      'packages/catalog/migrations/0001_vault.sql',
      'services/ingest/src/main.ts',
      'services/cli/bin/auricle',
      'infra/install-for-image.mjs',
      'infra/ready.mjs',
    ]) {
      assert.ok(isLetThrough(path), path)
    }
  })

  it('keeps out everything else', () => {
    for (const path of [
      '.env',
      'infra/.env',
      'keyring.json',
      'secrets/keyring-passphrase',
      '.git/config',
      'node_modules/pg/package.json',
      'packages/keys/node_modules/x/index.js',
      'packages/keys/src/lock.test.ts',
      'packages/keys/src/testdata/keep-making-keys.ts',
      'packages/keys/README.md',
      'test/vault.ts',
      'infra/compose.yaml',
      'terraform/examples/hospital/terraform.tfvars',
      'docs/api.md',
    ]) {
      assert.ok(!isLetThrough(path), path)
    }
  })

  it('is read as its documentation says', () => {
    const only = readIgnore('*\n# nothing else\n!docs\ndocs/*.md\n!docs/README.md\n**/tmp?\n')
    assert.ok(only('docs/a/b.md'))
    assert.ok(!only('docs/b.md'))
    assert.ok(only('docs/README.md'))
    assert.ok(!only('docs/x/tmp1/file'))
    assert.ok(only('docs/x/tmp10/file'))
    assert.ok(!only('other'))
    assert.ok(readIgnore('')('anything/at/all'))
  })
})
