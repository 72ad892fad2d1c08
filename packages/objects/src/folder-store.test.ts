import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import {
  chmod,
  cp,
  link,
  mkdir,
  mkdtempDisposable,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { objectStoreConformance } from './conformance.ts'
import { ObjectError, type ObjectErrorCode } from './error.ts'
import { createFolderStore } from './folder-store.ts'
import { measureFreeSpace } from './free-space.ts'
import type { ObjectStore } from './store.ts'
import { contentOfKey } from './testdata/content-of-key.ts'

const temporaryFolder = () => mkdtempDisposable(join(tmpdir(), 'objects-'))
const fails = (call: Promise<unknown>, code: ObjectErrorCode) =>
  assert.rejects(call, error => error instanceof ObjectError && error.code === code)
const kept = { retainUntil: null }
const later = { retainUntil: new Date('2100-01-01') }

async function* whole(text: string) {
  yield Buffer.from(text)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found = []
  for await (const item of items) found.push(item)
  return found
}

async function read(source: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await all(source)).toString()
}

objectStoreConformance(async () => {
  const folder = await temporaryFolder()
  let now = Date.now()
  return {
    store: createFolderStore({ folder: join(folder.path, 'store'), now: () => now }),
    now: () => now,
    advance: milliseconds => {
      now += milliseconds
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  }
})

describe('folder', () => {
  test('objects are plain files of their bytes that nobody else can read and nobody can write', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: join(folder.path, 'new', 'store') })
    await store.put('a/b', whole('content'), later)
    const file = join(folder.path, 'new/store/objects/a/b=object')
    assert.equal(await readFile(file, 'utf8'), 'content')
    assert.equal((await stat(file)).mode & 0o777, 0o400)
    assert.equal((await stat(file)).nlink, 1)
    for (const path of ['new', 'new/store', 'new/store/objects', 'new/store/objects/a', 'new/store/tmp']) {
      assert.equal((await stat(join(folder.path, path))).mode & 0o777, 0o700)
    }
    assert.deepEqual(await readdir(join(folder.path, 'new/store/tmp')), [])
  })

  test('a copy of the folder keeps what is retained', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: join(folder.path, 'one') })
    await store.put('a/b', whole('content'), later)
    await cp(join(folder.path, 'one'), join(folder.path, 'two'), { recursive: true })
    const copy = createFolderStore({ folder: join(folder.path, 'two') })
    assert.deepEqual((await copy.head('a/b'))?.retainUntil, later.retainUntil)
    await fails(copy.delete('a/b'), 'retained')
  })

  test('a retention of the version that knew no locks is locked', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    const { facts } = await store.put('a', whole('content'), { ...later, lock: false })
    const retention = join(folder.path, 'objects/a=retention')
    const [name = ''] = await readdir(retention)
    const { locked, ...first } = JSON.parse(await readFile(join(retention, name), 'utf8'))
    assert.equal(locked, false)
    await rm(join(retention, name))
    await writeFile(join(retention, name), JSON.stringify({ ...first, version: 1 }))
    assert.deepEqual(await store.head('a'), { ...facts, locked: true })
    await fails(store.loosen('a', null, { generation: facts.generation }), 'locked')
    await fails(store.delete('a'), 'retained')
  })

  test('a retention is loosened by its own files alone, and what was before it stays until then', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path, retentionMode: 'Unlocked' })
    const { facts } = await store.put('a', whole('content'), later)
    assert.equal(facts.locked, false)
    const retention = join(folder.path, 'objects/a=retention')
    const [name = ''] = await readdir(retention)
    const sooner = new Date('2090-01-01')
    await store.loosen('a', sooner, { generation: facts.generation })
    // As another writer leaves it, who was told before that the object had no retention.
    const text = await readFile(join(retention, `until-${sooner.getTime()}-unlocked.json`), 'utf8')
    await writeFile(join(retention, name), text.replace('2090', '2095').replace('false', 'true'))
    assert.deepEqual((await store.head('a'))?.retainUntil, new Date('2095-01-01'))
    await fails(store.loosen('a', null, { generation: facts.generation }), 'locked')
  })

  test('a damaged, foreign or unreadable retention keeps the object', async () => {
    await using folder = await temporaryFolder()
    const now = () => new Date('2200-01-01').getTime()
    const store = createFolderStore({ folder: folder.path, now })
    await store.put('a', whole('content'), later)
    const retention = join(folder.path, 'objects/a=retention')
    const file = join(retention, (await readdir(retention))[0] ?? '')
    const text = await readFile(file, 'utf8')
    await chmod(file, 0o600)
    const damages = [
      '',
      '{',
      'null',
      text.replace('2100', '21000'),
      text.replace('"version": 2', '"version": 3'),
      text.replace('"version": 2', '"version": 1'),
      text.replace('"locked": true', '"locked": "no"'),
    ]
    damages.push(text.replace('"key"', '"hold": true, "key"'), text.replace('"a"', '"b"'), text.slice(0, -4))
    for (const damage of damages) {
      await writeFile(file, damage)
      await fails(store.delete('a'), 'damaged')
      await fails(store.head('a'), 'damaged')
      assert.equal(await read(store.read('a', null)), 'content')
    }
    await writeFile(file, text)
    await writeFile(join(retention, 'hold.json'), '{"format":"something later"}')
    await fails(store.delete('a'), 'damaged')
    await rm(join(retention, 'hold.json'))
    await mkdir(join(retention, 'folder'))
    await fails(store.delete('a'), 'unavailable')
    await rm(join(retention, 'folder'), { recursive: true })
    assert.equal(await store.delete('a'), 'deleted')
    assert.deepEqual(await readdir(join(folder.path, 'objects')), [])
  })

  test('a damaged or foreign hold keeps the object', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    await store.put('a', whole('content'), kept)
    await store.setHold('a', true)
    const file = join(folder.path, 'objects/a=retention/hold.json')
    const text = await readFile(file, 'utf8')
    await chmod(file, 0o600)
    for (const damage of [
      '',
      'null',
      text.replace('1', '2'),
      text.replace('"a"', '"b"'),
      text.slice(0, -4),
    ]) {
      await writeFile(file, damage)
      await fails(store.delete('a'), 'damaged')
      await fails(store.head('a'), 'damaged')
      await fails(store.setHold('a', false), 'damaged')
      assert.equal(await read(store.read('a', null)), 'content')
    }
    await writeFile(file, text)
    assert.equal((await store.setHold('a', false)).held, false)
    assert.equal(await store.delete('a'), 'deleted')
    assert.deepEqual(await readdir(join(folder.path, 'objects')), [])
  })

  test('a copy of the folder keeps what is held and what is noted', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: join(folder.path, 'one') })
    const metadata = { matter: 'one' }
    await store.put('a/b', whole('content'), { ...kept, metadata })
    await store.put('a/c', whole('content'), kept)
    await store.setHold('a/b', true)
    await cp(join(folder.path, 'one'), join(folder.path, 'two'), {
      recursive: true,
      preserveTimestamps: true,
    })
    const copy = createFolderStore({ folder: join(folder.path, 'two') })
    const facts = await copy.head('a/b')
    assert.equal(facts?.held, true)
    assert.deepEqual(facts.metadata, metadata)
    assert.deepEqual((await copy.head('a/c'))?.metadata, {})
    await fails(copy.delete('a/b'), 'held')
  })

  test('notes that a crash left are not taken for those of another object', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    const object = join(folder.path, 'objects/a=object')
    await store.put('a', whole('first!'), { ...kept, metadata: { of: 'first' } })
    await rename(object, `${object}.gone`)
    await utimes(`${object}.gone`, new Date(0), new Date(0))
    // Written within the same millisecond, they could be copies of one another.
    await delay(5)
    const { facts } = await store.put('a', whole('second'), kept)
    assert.deepEqual(await store.head('a'), { ...facts, metadata: {} })
    assert.equal(await store.delete('a'), 'deleted')
    await assert.rejects(stat(join(folder.path, 'objects/a=metadata')))
  })

  test('notes that cannot be understood are damage, and never stop a delete', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    await store.put('a', whole('x'), { ...kept, metadata: { a: 'b' } })
    const notes = join(folder.path, 'objects/a=metadata')
    const file = join(notes, (await readdir(notes))[0] ?? '')
    await chmod(file, 0o600)
    await writeFile(file, '{"format":"auricle-metadata"')
    await fails(store.head('a'), 'damaged')
    await fails(all(store.list('')), 'damaged')
    assert.equal(await store.delete('a'), 'deleted')
    assert.deepEqual(await readdir(join(folder.path, 'objects')), [])
  })

  test('an object whose delete died comes back where something keeps it, and goes where nothing does', async () => {
    const calls: ((store: ObjectStore) => Promise<unknown>)[] = [
      store => store.head('a'),
      store => store.delete('a'),
      store => store.put('a', whole('another'), kept),
      store => read(store.read('a', null)),
      store => store.setHold('a', true),
      store => store.retain('a', later.retainUntil),
    ]
    for (const [index, call] of calls.entries()) {
      for (const isHeld of [true, false]) {
        await using folder = await temporaryFolder()
        const store = createFolderStore({ folder: folder.path })
        const { facts } = await store.put('a', whole('content'), kept)
        await store.setHold('a', true)
        if (!isHeld) await store.setHold('a', false)
        // As after a crash between the rename and the second look.
        const place = join(folder.path, 'objects/a=retention/1.leaving')
        await rename(join(folder.path, 'objects/a=object'), place)
        await call(store).catch((error: unknown) => assert.ok(error instanceof ObjectError))
        await assert.rejects(stat(place))
        const after = await store.head('a')
        if (isHeld) {
          assert.equal(after?.generation, facts.generation, `call ${index}`)
          assert.equal(await read(store.read('a', null)), 'content')
          await fails(store.delete('a'), 'held')
        } else assert.notEqual(after?.generation, facts.generation, `call ${index}`)
      }
    }
  })

  test('two processes agree on a hold', async () => {
    await using folder = await temporaryFolder()
    const [one, two] = [0, 1].map(() => createFolderStore({ folder: folder.path }))
    assert.ok(one !== undefined && two !== undefined)
    for (let round = 0; round < 60; round++) {
      const key = `round/${round}`
      await one.put(key, whole('x'), kept)
      const [hold, deleted]: PromiseSettledResult<unknown>[] = await Promise.allSettled([
        one.setHold(key, true),
        two.delete(key),
      ])
      const isThere: boolean = (await two.head(key)) !== null
      if (hold?.status === 'fulfilled') assert.ok(isThere)
      assert.equal(deleted?.status === 'fulfilled' && deleted.value === 'deleted', !isThere)
    }
  })

  test('what is wrong with the folder is found, and nothing is made', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'store')
    const [missing] = await createFolderStore({ folder: path }).inspect()
    assert.equal(missing?.state, 'warn')
    await assert.rejects(stat(path))
    await createFolderStore({ folder: path }).put('a', whole('x'), kept)
    const states = async () => (await createFolderStore({ folder: path }).inspect()).map(({ state }) => state)
    const before = (await states()).length
    await chmod(path, 0o755)
    assert.equal((await states()).length, before + 1)
    assert.ok((await states()).includes('warn'))
    await rm(path, { recursive: true })
    await writeFile(path, 'no folder')
    assert.equal((await states())[0], 'bad')
  })

  test('what a crash left of a retention can only lengthen the next', async () => {
    await using folder = await temporaryFolder()
    let now = Date.now()
    const store = createFolderStore({ folder: folder.path, now: () => now })
    const object = join(folder.path, 'objects/a=object')
    // As after a crash between the retention and the object.
    await store.put('a', whole('first'), later)
    await rename(object, `${object}.gone`)
    assert.equal(await store.head('a'), null)
    const sooner = { retainUntil: new Date('2050-01-01') }
    assert.deepEqual((await store.put('a', whole('second'), sooner)).facts.retainUntil, later.retainUntil)
    now = sooner.retainUntil.getTime()
    await fails(store.delete('a'), 'retained')
    // As after a crash between the removal of the object and that of its retention.
    now = later.retainUntil.getTime()
    await rename(object, `${object}.gone`)
    const longer = { retainUntil: new Date('2150-01-01') }
    assert.deepEqual((await store.put('a', whole('third'), longer)).facts.retainUntil, longer.retainUntil)
    await fails(store.delete('a'), 'retained')
    now = longer.retainUntil.getTime()
    assert.equal(await store.delete('a'), 'deleted')
  })

  test('puts of one key with other retentions at once keep it the longest', async () => {
    await using folder = await temporaryFolder()
    const stores = [0, 1, 2, 3].map(() => createFolderStore({ folder: folder.path }))
    for (let round = 0; round < 10; round++) {
      const key = `round/${round}`
      const puts = await Promise.all(
        stores.map((store, index) =>
          store.put(key, whole(`${index}`), { retainUntil: new Date(`20${50 + index}-01-01`) }),
        ),
      )
      const winner = puts.findIndex(put => put.status === 'created')
      const facts = await stores[0]?.head(key)
      assert.ok((facts?.retainUntil ?? 0) >= new Date(`20${50 + winner}-01-01`))
    }
  })

  test('a symbolic link is never followed', async () => {
    await using folder = await temporaryFolder()
    const outside = join(folder.path, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'secret=object'), 'secret')
    const inside = join(folder.path, 'store')
    await createFolderStore({ folder: inside }).put('a/b', whole('x'), kept)
    await symlink(outside, join(inside, 'objects/linked'))
    await symlink(join(outside, 'secret=object'), join(inside, 'objects/a/secret=object'))
    const store = createFolderStore({ folder: inside })
    for (const key of ['linked/secret', 'a/secret']) {
      await fails(read(store.read(key, null)), 'damaged')
      await fails(store.head(key), 'damaged')
      await fails(store.delete(key), 'damaged')
    }
    await fails(store.put('linked/new', whole('x'), kept), 'damaged')
    await fails(store.put('linked/sub/new', whole('x'), kept), 'damaged')
    await fails(store.put('a/secret', whole('x'), kept), 'damaged')
    assert.deepEqual(
      (await all(store.list(''))).map(facts => facts.key),
      ['a/b'],
    )
    assert.deepEqual(await readdir(outside), ['secret=object'])
  })

  test('the store may itself be reached through a symbolic link', async () => {
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'real'))
    await symlink(join(folder.path, 'real'), join(folder.path, 'link'))
    const store = createFolderStore({ folder: join(folder.path, 'link') })
    await store.put('a', whole('x'), kept)
    assert.equal(await read(store.read('a', null)), 'x')
  })

  test('an object that becomes shorter while it is read is an error', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    await store.put('a', whole('x'.repeat(5_000_000)), kept)
    const file = join(folder.path, 'objects/a=object')
    // Only root may write to what its owner made read-only.
    await chmod(file, 0o600)
    await fails(
      (async () => {
        for await (const _ of store.read('a', null)) await truncate(file, 1000)
      })(),
      'damaged',
    )
  })

  test('a folder that has gone is an outage, and absence is not', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'mount')
    const store = createFolderStore({ folder: path })
    await store.put('a/b', whole('x'), kept)
    await rename(path, `${path}.away`)
    for (const isEmptyThere of [false, true]) {
      if (isEmptyThere) await mkdir(path)
      await fails(store.head('a/b'), 'unavailable')
      await fails(store.delete('a/b'), 'unavailable')
      await fails(read(store.read('a/b', null)), 'unavailable')
      await fails(all(store.list('')), 'unavailable')
      await fails(store.put('a/c', whole('x'), kept), 'unavailable')
    }
    await rm(path, { recursive: true })
    await rename(`${path}.away`, path)
    assert.equal(await read(store.read('a/b', null)), 'x')
    await store.put('a/c', whole('x'), kept)
  })

  test('a folder in an unknown layout is not touched', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'store.json'), '{"format":"auricle-objects","version":2}')
    await fails(createFolderStore({ folder: folder.path }).put('a', whole('x'), kept), 'damaged')
  })

  test('a folder below that somebody removed is made again', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    await store.put('a/b/c', whole('x'), kept)
    await rm(join(folder.path, 'objects/a'), { recursive: true })
    assert.equal((await store.put('a/b/c', whole('y'), kept)).status, 'created')
    assert.equal(await read(store.read('a/b/c', null)), 'y')
  })

  test('the sweep removes what is old and nothing that is being written', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    await store.put('linked', whole('x'), kept)
    const [crashed, linked] = ['crashed.part', 'linked.part'].map(name => join(folder.path, 'tmp', name))
    await writeFile(crashed ?? '', 'half a recording')
    // As after a crash between the link and the removal of the temporary name.
    await link(join(folder.path, 'objects/linked=object'), linked ?? '')
    for (const path of [crashed, linked]) await utimes(path ?? '', new Date(0), new Date(0))
    const other = createFolderStore({ folder: folder.path })
    let swept = 0
    async function* slow() {
      yield Buffer.from('one ')
      swept = await other.sweepTemporary({ olderThanMs: 60_000 })
      yield Buffer.from('two')
    }
    await store.put('slow', slow(), kept)
    assert.equal(swept, 2)
    assert.equal(await read(store.read('slow', null)), 'one two')
    assert.equal(await read(store.read('linked', null)), 'x')
    assert.deepEqual(await readdir(join(folder.path, 'tmp')), [])
  })

  test('a writer that the sweep took for dead fails and leaves nothing', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    async function* slow() {
      yield Buffer.from('one ')
      assert.equal(await store.sweepTemporary({ olderThanMs: -60_000 }), 1)
      yield Buffer.from('two')
    }
    await fails(store.put('slow', slow(), kept), 'unavailable')
    assert.equal(await store.head('slow'), null)
    assert.equal((await store.put('slow', whole('again'), kept)).status, 'created')
  })

  test('files are closed after successes and failures', async () => {
    await using folder = await temporaryFolder()
    const store = createFolderStore({ folder: folder.path })
    const openFiles = async () => (await readdir('/dev/fd')).length
    const round = async (i: number) => {
      await store.put(`a/${i}`, whole('x'), kept)
      await store.put(`a/${i}`, whole('x'), kept)
      await read(store.read(`a/${i}`, null))
      for await (const _ of store.read(`a/${i}`, null)) break
      await fails(read(store.read(`a/${i}`, { start: 0, end: 9 })), 'bad_range')
      await assert.rejects(store.put('b', read(whole('x')) as never, kept))
      await all(store.list(''))
      await store.delete(`a/${i}`)
    }
    await round(0)
    const before = await openFiles()
    for (let i = 1; i < 20; i++) await round(i)
    assert.equal(await openFiles(), before)
    assert.deepEqual(await readdir(join(folder.path, 'tmp')), [])
  })

  test('free space is told in bytes', async () => {
    await using folder = await temporaryFolder()
    const space = await createFolderStore({ folder: join(folder.path, 'new') }).freeSpace()
    assert.ok(0 < space.freeBytes && space.freeBytes <= space.totalBytes)
    await fails(measureFreeSpace(join(folder.path, 'none')), 'unavailable')
  })
})

test('a process killed at any moment leaves whole objects, and every one it was told of', async () => {
  await using folder = await temporaryFolder()
  const told = new Set<string>()
  const rounds = 16
  let nextRound = 0
  const lane = async () => {
    while (nextRound < rounds) {
      const script = new URL('./testdata/keep-putting.ts', import.meta.url)
      const child = fork(script, [folder.path, `${nextRound++}`])
      const ended = once(child, 'exit')
      // Every other process dies some time after it was ready, the rest in the midst of the work that follows an object.
      const toldMost = nextRound % 2 === 0 ? randomInt(1, 12) : Number.POSITIVE_INFINITY
      let toldNow = 0
      child.on('message', message => {
        if (message !== 'ready') told.add(String(message))
        const isDue = message === 'ready' ? toldMost === Number.POSITIVE_INFINITY : ++toldNow === toldMost
        if (isDue) setTimeout(() => child.kill('SIGKILL'), randomInt(0, message === 'ready' ? 120 : 4))
      })
      const [, signal] = await ended
      assert.equal(signal, 'SIGKILL')
    }
  }
  await Promise.all([lane(), lane()])
  const store = createFolderStore({ folder: folder.path })
  const found = await all(store.list('killed/'))
  const keys = new Set(found.map(facts => facts.key))
  for (const key of told) assert.ok(keys.has(key), key)
  for (const { key, retainUntil } of found) {
    assert.equal(retainUntil !== null, key.includes('/0-'))
    const expected = Buffer.concat(await all(contentOfKey(key)))
    assert.ok(expected.equals(Buffer.concat(await all(store.read(key, null)))), key)
  }
  assert.ok(told.size >= rounds / 2)
  await store.sweepTemporary({ olderThanMs: -1000 })
  assert.deepEqual(await readdir(join(folder.path, 'tmp')), [])
})
