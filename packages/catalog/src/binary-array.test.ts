import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { createTestDatabase } from '../../../test/postgres.ts'
import { byteaArray } from './binary-array.ts'

describe('an array of byte strings in binary', async () => {
  const database = await createTestDatabase()
  after(() => database[Symbol.asyncDispose]())
  const readBack = async (items: readonly (Uint8Array | null)[]) => {
    const text = 'select b.item from unnest($1::bytea[]) with ordinality b (item, place) order by b.place'
    const { rows } = await database.superuserPool.query<{ item: Buffer | null }>(text, [byteaArray(items)])
    return rows.map(({ item }) => (item === null ? null : new Uint8Array(item)))
  }

  it('arrives as it was', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map(item => new Uint8Array(item))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(bytes), { maxLength: 80 }), async items => {
        assert.deepEqual(await readBack(items), items)
      }),
      { numRuns: 60 },
    )
  })

  it('takes a view of a larger buffer as the view alone', async () => {
    const whole = Uint8Array.of(9, 1, 2, 3, 9)
    assert.deepEqual(await readBack([whole.subarray(1, 4), Buffer.from([])]), [
      Uint8Array.of(1, 2, 3),
      new Uint8Array(0),
    ])
  })
})
