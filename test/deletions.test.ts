// Law 5 in the source: every place that deletes an object, takes a hold off or shortens a retention is named here, so that a
// new one has to be.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What is deleted, or kept less: of an object store, by whatever name the variable has. */
const places: Readonly<Record<string, string>> = {
  'packages/objects/src/google/google-store.ts bucket.delete': 'the adapter itself',
  'packages/vault/src/archive.ts parts.objects.delete': 'a delivery that is archived; under intake/ alone',
  'packages/vault/src/sweep.ts objects.delete': 'deliveries that were given up; under intake/ alone',
  'packages/vault/src/disposition/destroy.ts place.store.delete': 'the one place that deletes a recording',
  'packages/vault/src/replicate.ts recovery.setHold': 'puts a hold on a copy that is to have it',
  'packages/vault/src/stores/shorten.ts store.loosen':
    'an operator shortens what is kept for longer than is decided, and is not locked or held',
  'packages/vault/src/stores/follow.ts store.setHold': 'holds on, and off where nothing is held any more',
}

/** Files may be removed by the stores of folders, and by what is no store of objects. */
const removers: Readonly<Record<string, string>> = {
  'packages/keys/src/keyring-file.ts': 'puts a new keyring in the place of the former',
  'packages/keys/src/lock.ts': 'its own lock',
  'packages/objects/src/beside.ts': 'gives a new file the name of a former one: notes beside an object',
  'packages/objects/src/hold.ts': 'a hold that is taken off',
  'packages/objects/src/keeping.ts': 'a retention that is over',
  'packages/objects/src/leave.ts': 'an object that nothing keeps',
  'packages/objects/src/notes.ts': 'notes of an object that is gone',
  'packages/objects/src/retention.ts': 'a retention that is not locked, by `loosen`',
  'packages/objects/src/temporary.ts': 'what writers left',
  'packages/runtime/src/lock-folder.ts': 'its own lock',
  'packages/runtime/src/postgres/binaries.ts': 'a draft of a download',
  'packages/runtime/src/postgres/cluster.ts': 'a draft of a cluster',
  'packages/runtime/src/postgres/durable.ts': 'puts a draft in its place',
  'packages/runtime/src/postgres/embedded.ts': 'the folder of its socket',
  'packages/runtime/src/postgres/orphan.ts': 'a file of a server that is no more',
  'services/cli/src/new-file.ts': 'a file that could not be finished',
  'services/cli/src/person.ts': 'the session of a person',
}

const sources = globSync('{packages,services}/*/src/**/*.ts', { cwd: root })
  .filter(path => !/\.test\.ts$|conformance|testdata|fixture/.test(path))
  .sort()
  .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))

/** Calls of the methods, with what they are called on. */
const call = /([\w.]+)\.(delete|loosen|setHold)\(/g
/** Names of object stores, and of what stands for one. */
const isStore = (on: string) =>
  /(?:^|\.)(?:\w*[sS]tores?|objects|recovery|primary|bucket|\w*Bucket)$/.test(on)

test('what deletes an object, loosens it or changes its hold is named', () => {
  const found = sources.flatMap(({ path, text }) =>
    [...text.matchAll(call)].flatMap(([, on = '', method]) =>
      isStore(on) ? [`${path} ${on}.${method}`] : [],
    ),
  )
  assert.deepEqual([...new Set(found)].sort(), Object.keys(places).sort())
})

test('one place loosens, for a command alone, and nobody hands out what deletes by another name', () => {
  const naming = (name: RegExp) =>
    sources
      .filter(({ path, text }) => !path.startsWith('packages/objects/') && name.test(text))
      .map(({ path }) => path)
  const [place, command] = [
    'packages/vault/src/stores/shorten.ts',
    'services/cli/src/commands/retention-shorten.ts',
  ]
  assert.deepEqual(naming(/\bloosen\b/), [place])
  assert.deepEqual(naming(/\bshortenStores\b/), ['packages/vault/src/index.ts', place, command])
  // Taken off its store, or asked for by a name in brackets, it would not be seen above.
  const hidden =
    /\{[^{}]*\b(?:delete|setHold)\b\s*(?::\s*\w+)?[^{}]*\}\s*=\s*\w*(?:[sS]tore|objects|recovery)\b|\[['"`](?:delete|setHold|loosen)['"`]\]\s*\(/
  assert.deepEqual(
    sources.filter(({ text }) => hidden.test(text)).map(({ path }) => path),
    [],
  )
})

test('only these files remove files', () => {
  const removing = sources.filter(
    ({ text }) =>
      /[^\w.](?:unlink|rm|rmdir|rename|truncate)(?:Sync)?\([^)]/.test(text) && /node:fs/.test(text),
  )
  assert.deepEqual(
    removing.map(({ path }) => path),
    Object.keys(removers).sort(),
  )
})

test('only a destruction deletes rows of what there is of a recording', () => {
  const kept =
    /delete\s+from\s+auricle\.(?:recording|recording_object|hold_\w+|legal_hold|retention_\w+|disposition\w*|certificate|audit_\w+)\b/i
  const files = globSync('packages/catalog/{src,migrations}/**/*.{ts,sql}', { cwd: root }).filter(
    path => !/\.test\.ts$/.test(path),
  )
  assert.deepEqual(
    files.filter(path => kept.test(readFileSync(join(root, path), 'utf8'))),
    [],
  )
})
