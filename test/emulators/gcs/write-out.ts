// All that the emulated Cloud Storage holds as files, for whoever wants to search it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GcsState } from './state.ts'

/** Of every generation the bytes, and beside them name and metadata. Tells how many there were. */
export function writeOut({ buckets, objects }: GcsState, folder: string): number {
  let count = 0
  for (const bucket of buckets()) {
    mkdirSync(join(folder, bucket), { recursive: true })
    for (const object of objects(bucket)) {
      const path = join(folder, bucket, String(++count))
      writeFileSync(path, object.bytes())
      writeFileSync(`${path}.json`, JSON.stringify(object))
    }
  }
  return count
}
