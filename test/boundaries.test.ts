import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { judgeManifest, judgeSource, type Manifest, rooms, type SourceFile } from './boundaries.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folders = globSync('{packages,services}/*/package.json', { cwd: root }).map(dirname).sort()
const testDependencies = Object.keys(readJson('package.json').devDependencies)

function readJson(path: string) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

function readManifest(folder: string): Manifest {
  const {
    name,
    dependencies = {},
    optionalDependencies = {},
    devDependencies = {},
  } = readJson(join(folder, 'package.json'))
  return { name, dependencies: Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }) }
}

describe('the tree', () => {
  for (const folder of folders) {
    it(`${folder} imports only what it may`, () => {
      const manifest = readManifest(folder)
      const paths = globSync(`${folder}/src/**/*.ts`, { cwd: root })
      const wrong = paths.flatMap(path =>
        judgeSource({
          path,
          folder,
          manifest,
          testDependencies,
          text: readFileSync(join(root, path), 'utf8'),
        }),
      )
      assert.deepEqual([...judgeManifest(manifest), ...wrong], [])
    })
  }

  it('has a row of the table for each package, and no row without one', () => {
    const names = folders.map(folder => readManifest(folder).name.slice('@auricle/'.length))
    assert.deepEqual(names.sort(), Object.keys(rooms).sort())
  })
})

/** A file of `room` that everything is declared for, so that only the planted line can be what is refused. */
function plant(room: string, text: string, name = 'planted.ts'): SourceFile {
  const everything = [...Object.keys(rooms), 'nowhere'].map(other => `@auricle/${other}`)
  const folder = room.endsWith('-service')
    ? `services/${room.slice(0, -'-service'.length)}`
    : `packages/${room}`
  return {
    path: `${folder}/src/${name}`,
    folder,
    manifest: { name: `@auricle/${room}`, dependencies: [...everything, 'zod'] },
    testDependencies: ['fast-check'],
    text,
  }
}

describe('the rules refuse', () => {
  const refused: readonly (readonly [why: string, room: string, text: string, name?: string])[] = [
    ['an import upward', 'sealed', `import { play } from '@auricle/vault'`],
    ['an import sideways, even by type', 'objects', `import type { KeyService } from '@auricle/keys'`],
    ['a core package by value in an edge', 'keys', `import { seal } from '@auricle/sealed'`],
    ['a type beside a value in an edge', 'keys', `import { type Wrap, seal } from '@auricle/sealed'`],
    ['an edge by value in vault', 'vault', `import { createCatalog } from '@auricle/catalog'`],
    ['anything of ours in contract', 'contract', `import type { Event } from '@auricle/audit'`],
    ['runtime below the services', 'vault', `import { createLogger } from '@auricle/runtime'`],
    ['vault in runtime', 'runtime', `import type { Play } from '@auricle/vault'`],
    ['a service in another', 'api-service', `import { startWorker } from '@auricle/worker-service'`],
    ['the command in a service', 'ingest-service', `import { main } from '@auricle/cli-service'`],
    ['a subpath of what may not be imported', 'objects', `import { x } from '@auricle/keys/conformance'`],
    ['an import over several lines', 'objects', `import {\n  one,\n  two,\n} from '@auricle/keys'`],
    ['an import for its effect', 'objects', `import '@auricle/keys'`],
    ['a dynamic import', 'objects', `const keys = await import('@auricle/keys')`],
    ['an export from elsewhere', 'objects', `export { createKeys } from '@auricle/keys'`],
    ['double quotes too', 'objects', `import { createKeys } from "@auricle/keys"`],
    ['what package.json does not name', 'objects', `import pino from 'pino'`],
    ['a builtin without its prefix', 'objects', `import { readFile } from 'fs/promises'`],
    ['a test tool outside tests', 'objects', `import fc from 'fast-check'`],
    ['another package by path', 'objects', `import { x } from '../../keys/src/x.ts'`],
    ['the test folder outside tests', 'objects', `import { x } from '../../../test/x.ts'`],
    [
      'another package by path in a test',
      'objects',
      `import { x } from '../../keys/src/x.ts'`,
      'planted.test.ts',
    ],
    ['an import of .js', 'objects', `import { x } from './x.js'`],
    ['an import without an ending', 'objects', `import { x } from './x'`],
    ['a builtin in what runs in browsers', 'audit', `import { createHash } from 'node:crypto'`],
    ['a type of a builtin there', 'contract', `import type { Readable } from 'node:stream'`],
    ['files in the format', 'sealed', `import { open } from 'node:fs/promises'`],
    ['sockets in the format', 'sealed', `import { connect } from 'node:net'`],
    ['names that are not listed', 'objects', `export * from './store.ts'`, 'index.ts'],
    ['names that are not listed, as types', 'objects', `export * as all from './store.ts'`],
    ['a decorator', 'objects', `@sealed\nclass Store {}`],
    ['a decorator on a member', 'objects', `class Store {\n  @once() open() {}\n}`],
    ['the environment', 'objects', `const home = process.env['HOME']`],
    ['an exit', 'objects', `process.exit(1)`],
    ['a signal handler', 'objects', `process.on('SIGINT', () => {})`],
    ['the process by import', 'objects', `import { env } from 'node:process'`],
    ['an event that was never written', 'vault', `const event = new DurableEvent(tenantId, eventId)`],
    ['the same in a test', 'vault', `const event = new DurableEvent(tenantId, id)`, 'planted.test.ts'],
    ['a class that passes for one', 'api-service', `class Event extends DurableEvent {}`],
    ['a way around new', 'vault', `const event = Reflect.construct(DurableEvent, [tenantId, eventId])`],
    ['what could make one', 'vault', `import { DurableEvent } from './log/durable-event.ts'`],
    ['keys that open without an event', 'vault', `interface Parts { readonly keys: KeyService }`],
    [
      'a part of them that does',
      'vault',
      `interface Parts { readonly keys: Pick<KeyService, 'ensure' | 'key'> }`,
    ],
    ['the process by index', 'objects', `const { env } = { env: process['env'] }`],
  ]
  for (const [why, room, text, name] of refused) {
    it(why, () => assert.equal(judgeSource(plant(room, text, name)).length, 1))
  }

  it('nothing of the log itself, nor keys that open nothing', () => {
    const log = plant('vault', `return new DurableEvent(tenantId, eventId)`, 'log/append.ts')
    const signer = plant(
      'vault',
      `import type { KeyService } from '@auricle/keys'\nconst keys: Pick<KeyService, 'signer' | 'mac'> = given`,
    )
    const proof = plant(
      'vault',
      `import type { DurableEvent } from './log/durable-event.ts'\nconst open = (event: DurableEvent) => event`,
    )
    for (const file of [log, signer, proof]) assert.deepEqual(judgeSource(file), [])
  })

  it('a dependency beyond the table', () => {
    assert.equal(
      judgeManifest({ name: '@auricle/objects', dependencies: ['@auricle/keys', 'zod'] }).length,
      1,
    )
    assert.equal(judgeManifest({ name: '@auricle/unheard-of', dependencies: [] }).length, 1)
  })
})

describe('the rules allow', () => {
  const allowed: readonly (readonly [why: string, room: string, text: string, name?: string])[] = [
    ['a type of a core package in an edge', 'keys', `import type { KeyWrapper } from '@auricle/sealed'`],
    ['a type of an edge in vault', 'vault', `import type {\n  Catalog,\n} from '@auricle/catalog'`],
    ['core by value in vault', 'vault', `import { seal } from '@auricle/sealed'`],
    ['cipher and hash in the format', 'sealed', `import { createCipheriv } from 'node:crypto'`],
    ['the services in the command', 'cli-service', `import { startIngest } from '@auricle/ingest-service'`],
    ['a file beside it', 'objects', `import { x } from './x.ts'`],
    [
      'the test folder and test tools in tests',
      'objects',
      `import { x } from '../../../test/x.ts'\nimport fc from 'fast-check'`,
      'x.test.ts',
    ],
    [
      'comments that name things',
      'audit',
      `// import { x } from 'node:fs'\n/**\n * @param x process.env\n */`,
    ],
    [
      'environment and signals in main.ts',
      'api-service',
      `const env = process.env\nprocess.on('SIGINT', stop)`,
      'main.ts',
    ],
    ['its own process id', 'objects', `const owner = process.pid`],
  ]
  for (const [why, room, text, name] of allowed) {
    it(why, () => assert.deepEqual(judgeSource(plant(room, text, name)), []))
  }
})

describe('the linter', () => {
  const lint = (use: string) => {
    // Inside the repository, since its configuration is found and its types are resolved from the file's place.
    const folder = mkdtempSync(join(root, 'test', 'planted-'))
    try {
      mkdirSync(join(folder, 'src'))
      writeFileSync(
        join(folder, 'src', 'log.ts'),
        'export interface Log {\n  append(line: string): Promise<void>\n}\n',
      )
      const head = "import type { Log } from './log.ts'\n\n"
      const body = `export async function play(log: Log): Promise<void> {\n  ${use}\n}\n`
      writeFileSync(join(folder, 'src', 'play.ts'), head + body)
      return spawnSync(join(root, 'node_modules', '.bin', 'biome'), ['lint', '--colors=off', folder], {
        cwd: root,
        encoding: 'utf8',
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('refuses a call of an imported interface that nobody awaits', () => {
    const { status, stdout, stderr } = lint("log.append('played')")
    assert.notEqual(status, 0)
    assert.match(stdout + stderr, /noFloatingPromises/)
  })

  it('refuses to hush it with void', () => {
    const { status, stdout, stderr } = lint("void log.append('played')")
    assert.notEqual(status, 0)
    assert.match(stdout + stderr, /noVoid|noFloatingPromises/)
  })

  it('is content once it is awaited', () => {
    const { status, stdout, stderr } = lint("await log.append('played')")
    assert.equal(status, 0, stdout + stderr)
  })
})
