// The migrations that this code carries: .sql files in order, each known by its hash.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

export interface Migration {
  /** Numbered from 1 without gaps. */
  readonly version: number
  readonly name: string
  readonly sql: string
  /** Lower-case hex SHA-256 of the file. */
  readonly sha256: string
}

const carriedFolder = new URL('../migrations/', import.meta.url)
const fileName = /^(\d{4})_([a-z0-9_]+)\.sql$/

/** Reads the folder's migrations in order. Throws where a file is misnamed or a number is missing or double. */
export async function readMigrations(folder: URL = carriedFolder): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).sort()
  return await Promise.all(
    names.map(async (file, index) => {
      const [, digits, name] = fileName.exec(file) ?? []
      if (name === undefined || Number(digits) !== index + 1) {
        throw new Error(`${file} is not the migration number ${index + 1}`)
      }
      const content = await readFile(new URL(file, folder))
      const sha256 = createHash('sha256').update(content).digest('hex')
      return { version: index + 1, name, sql: content.toString('utf8'), sha256 }
    }),
  )
}
