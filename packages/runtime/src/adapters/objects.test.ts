// How folders keep what is put into them: as rules say, and the log for good.
import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLogStore, openStore } from './objects.ts'

const soon = new Date(Date.now() + 3_600_000)

async function* bytes() {
  yield Uint8Array.of(1)
}

test('what no rule locks may be shortened by whoever has the right, what one locks by nobody, and the log neither', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'auricle-folders-'))
  const { store } = await openStore({ kind: 'folder', folder: join(folder.path, 'objects') })
  const { store: log } = await openLogStore({ kind: 'folder', folder: join(folder.path, 'log') })
  const kept = { retainUntil: soon }
  const plain = await store.put('one/plain', bytes(), kept)
  const locked = await store.put('one/locked', bytes(), { ...kept, lock: true })
  const published = await log.put('one/published', bytes(), kept)
  assert.deepEqual(
    [plain, locked, published].map(({ facts }) => facts.locked),
    [false, true, true],
  )
  for (const [from, key] of [
    [store, 'one/plain'],
    [store, 'one/locked'],
    [log, 'one/published'],
  ] as const) {
    await assert.rejects(from.delete(key), (error: { code?: string }) => error.code === 'retained', key)
  }
})
