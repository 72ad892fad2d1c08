import assert from 'node:assert/strict'
import { mkdtemp, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDirectories } from './directories.ts'
import { createDirectorySync } from './directory-sync.ts'

test('more folders than are remembered can be made, one after another and at once', async () => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'auricle-directories-')))
  try {
    const { prepare, exists } = createDirectories(root, createDirectorySync(), { maxKnown: 4 })
    const folders = Array.from({ length: 40 }, (_, index) =>
      join(root, 'recordings', `${index % 7}`, `${index}`),
    )
    for (const folder of folders.slice(0, 20)) await prepare(folder)
    await Promise.all(folders.map(folder => prepare(folder)))
    for (const folder of folders) {
      assert.ok((await stat(folder)).isDirectory())
      assert.equal(await exists(folder), true)
    }
    assert.equal(await exists(root), true)
    assert.equal(await exists(join(root, 'nothing')), false)
  } finally {
    await rm(root, { recursive: true })
  }
})
