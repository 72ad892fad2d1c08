// Whether the database is one this code can work with: safe to trust rows to, and of exactly its schema.
import { z } from 'zod'
import type { Catalog } from './catalog.ts'
import type { Database } from './database.ts'
import { CatalogError } from './error.ts'
import { checkApplied } from './migrate.ts'
import { readMigrations } from './migrations.ts'
import { checkSessionFacts, sessionFacts } from './pool.ts'

const Applied = z.array(z.object({ version: z.int(), sha256: z.string() }))

export function createSchemaCheck(database: Database): Pick<Catalog, 'check'> {
  return {
    async check(options) {
      checkSessionFacts(await database.once({ text: sessionFacts, values: [] }, options))
      const known = await readMigrations()
      const applied = Applied.parse(
        await database.once(
          { text: 'select version, sha256 from auricle.migration order by version', values: [] },
          options,
        ),
      )
      checkApplied(applied, known)
      if (applied.length < known.length) {
        throw new CatalogError(
          'outdated_schema',
          `The database lacks ${known.length - applied.length} migrations. Run them before starting.`,
        )
      }
    },
  }
}
