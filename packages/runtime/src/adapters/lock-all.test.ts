// A deployment that locks, and rules that do not ask for it.
import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFolderStore } from '@auricle/objects'
import { lockAll } from './lock-all.ts'

const soon = new Date(Date.now() + 3_600_000)

async function* bytes() {
  yield Uint8Array.of(1)
}

test('what a rule leaves open is locked all the same, and nobody shortens it', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'auricle-lock-all-'))
  const plain = createFolderStore({ folder: folder.path, retentionMode: 'Unlocked' })
  const store = lockAll(plain)
  const open = await plain.put('one/open', bytes(), { retainUntil: soon, lock: false })
  const put = await store.put('one/put', bytes(), { retainUntil: soon, lock: false })
  await store.put('one/later', bytes(), { retainUntil: null, lock: false })
  const retained = await store.retain('one/later', soon, { lock: false })
  assert.deepEqual([open.facts.locked, put.facts.locked, retained.locked], [false, true, true])
  for (const { key, generation } of [put.facts, retained]) {
    const loosened = plain.loosen(key, null, { generation })
    await assert.rejects(loosened, (error: { code?: string }) => error.code === 'locked', key)
  }
  const { key, generation } = open.facts
  assert.equal((await plain.loosen(key, null, { generation })).retainUntil, null)
})
