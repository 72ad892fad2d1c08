// What the disk can do at best: blocks as PostgreSQL writes its log, synced one after the other.
import { open } from 'node:fs/promises'
import { join } from 'node:path'

const blockBytes = 8192
/** As large as a segment of PostgreSQL's log, and written anew from its start as often as needed. */
const fileBlocks = 2048
const msPerSecond = 1000

/** Synced blocks a second, on the disk of this folder. */
export async function measureSyncs(folder: string, forMs: number): Promise<number> {
  await using file = await open(join(folder, 'syncs'), 'w+')
  await file.write(Buffer.alloc(blockBytes * fileBlocks, 1), 0, blockBytes * fileBlocks, 0)
  await file.sync()
  const block = Buffer.alloc(blockBytes, 2)
  const startedMs = performance.now()
  let syncs = 0
  while (performance.now() - startedMs < forMs) {
    await file.write(block, 0, blockBytes, (syncs % fileBlocks) * blockBytes)
    await file.datasync()
    syncs++
  }
  return (syncs * msPerSecond) / (performance.now() - startedMs)
}
