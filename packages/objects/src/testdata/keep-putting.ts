// A process for the tests: puts objects of all sizes, whose content follows from their key, and tells each
// one that is durable, until it is killed.

import { createFolderStore } from '../folder-store.ts'
import { contentOfKey } from './content-of-key.ts'

const [, , folder = '', name = ''] = process.argv
const store = createFolderStore({ folder })

async function keepPutting(lane: number): Promise<void> {
  for (let i = 0; ; i++) {
    const key = `killed/${name}/${lane}-${i}`
    const retainUntil = lane === 0 ? new Date('2100-01-01') : null
    await store.put(key, contentOfKey(key), { retainUntil })
    process.send?.(key)
  }
}

process.send?.('ready')
await Promise.all([0, 1, 2, 3].map(keepPutting))
