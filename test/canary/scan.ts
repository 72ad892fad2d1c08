// Looks for many patterns at once in streams of bytes of any size.
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Form } from './marker.ts'

const chunkBytes = 4 * 1024 * 1024
const pairs = 65_536
const keyBytes = 4

export interface Hit {
  readonly form: Form
  /** A file, or what else was looked at. */
  readonly where: string
}

export interface Scanner {
  /** Hits in bytes that are at hand. */
  scanBytes(bytes: Buffer, where: string): void
  /** Hits in every file under a folder, whatever it is called. */
  scanFolder(folder: string): Promise<void>
  readonly hits: readonly Hit[]
  readonly files: number
  readonly bytes: number
}

export function createScanner(forms: readonly Form[]): Scanner {
  const longest = Math.max(...forms.map(({ pattern }) => pattern.length))
  const hits = new Map<string, Hit>()
  /** Which pairs of bytes begin a pattern: nearly all positions are dismissed by one look. */
  const begins = new Uint8Array(pairs)
  const byKey = new Map<number, Form[]>()
  for (const form of forms) {
    if (form.pattern.length < keyBytes) throw new RangeError('A pattern is too short to mean anything')
    begins[form.pattern.readUInt16BE(0)] = 1
    const key = form.pattern.readUInt32BE(0)
    byKey.set(key, [...(byKey.get(key) ?? []), form])
  }
  let files = 0
  let bytes = 0

  function find(chunk: Buffer, where: string): void {
    const last = chunk.length - keyBytes
    let pair = chunk.length > 0 ? (chunk[0] ?? 0) : 0
    for (let at = 0; at <= last; at++) {
      pair = ((pair << 8) | (chunk[at + 1] ?? 0)) & 0xffff
      if (begins[pair] === 0) continue
      const candidates = byKey.get(chunk.readUInt32BE(at))
      if (candidates === undefined) continue
      for (const form of candidates) {
        const end = at + form.pattern.length
        if (end <= chunk.length && form.pattern.compare(chunk, at, end) === 0) {
          hits.set(`${form.marker.name} ${form.form} ${where}`, { form, where })
        }
      }
    }
  }

  async function scanFile(path: string): Promise<void> {
    files++
    let tail = Buffer.alloc(0)
    for await (const piece of createReadStream(path, { highWaterMark: chunkBytes })) {
      bytes += piece.length
      const chunk = Buffer.concat([tail, piece])
      find(chunk, path)
      tail = chunk.subarray(Math.max(0, chunk.length - longest + 1))
    }
  }

  async function scanFolder(folder: string): Promise<void> {
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      find(Buffer.from(name), `the name of ${path}`)
      const stats = await lstat(path)
      if (stats.isDirectory()) await scanFolder(path)
      else if (stats.isFile()) await scanFile(path)
    }
  }

  return {
    scanBytes(given, where) {
      bytes += given.length
      find(given, where)
    },
    scanFolder,
    get hits() {
      return [...hits.values()]
    },
    get files() {
      return files
    },
    get bytes() {
      return bytes
    },
  }
}
