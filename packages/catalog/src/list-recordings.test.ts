// Lists of recordings: pages hold each match once and in order, whatever is filtered, and come from an index.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type MailboxId, newMailboxId, type RecordingId } from '@auricle/contract'
import fc from 'fast-check'
import {
  anEvent,
  anInstant,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import type { Catalog, RecordingFacts, RecordingFilter } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import { encodeCursor } from './cursor.ts'
import { recordingQuery } from './recording-query.ts'

let database: TestDatabase
let catalog: Catalog
let tenant: TestTenant
let mailboxIds: readonly MailboxId[]
const made: (RecordingFacts & { heard: boolean })[] = []

const minuteMs = 60_000
const numbers = ['+1 202 555 0100', '12025550101', '555-0102', 'anonymous']
const at = (minute: number): Date => new Date(anInstant.getTime() + minute * minuteMs)

before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
  tenant = await createTestTenant(catalog)
  const second = newMailboxId()
  const mailbox = { id: second, tenantId: tenant.tenantId, address: '1002', name: 'Nurses' }
  await catalog.createMailbox(mailbox, anEvent(tenant.tenantId))
  mailboxIds = [tenant.mailboxId, second]
  for (let index = 0; index < 40; index++) {
    const recording = await archiveRecording(catalog, tenant, {
      // Several start at the same time: the id decides between them.
      startedAt: at(index % 7),
      mailboxId: index % 5 === 0 ? null : (mailboxIds[index % 2] ?? null),
      kind: index % 3 === 0 ? 'recording' : 'voicemail',
      from: numbers[index % 4] ?? null,
      to: numbers[(index + 1) % 3] ?? null,
    })
    const heard = index % 4 === 1
    if (heard) {
      const mark = {
        tenantId: tenant.tenantId,
        recordingId: recording.id,
        heard: { at: at(99), by: tenant.userId },
      }
      await catalog.commitHeard(mark, anEvent(tenant.tenantId))
    }
    made.push({ ...recording, heard })
  }
})
after(() => database[Symbol.asyncDispose]())

/** What the filter means, said in the plainest way. */
function expected(filter: Omit<RecordingFilter, 'limit'>): readonly RecordingId[] {
  const digits = filter.number?.replace(/\D/g, '')
  return made
    .filter(({ mailboxId, kind, startedAt, heard, from, to }) => {
      if (filter.mailboxIds !== null && (mailboxId === null || !filter.mailboxIds.includes(mailboxId)))
        return false
      if (filter.kind !== undefined && kind !== filter.kind) return false
      if (filter.after !== undefined && startedAt < filter.after) return false
      if (filter.before !== undefined && startedAt >= filter.before) return false
      if (filter.heard !== undefined && heard !== filter.heard) return false
      return (
        digits === undefined ||
        (digits !== '' && [from, to].some(party => party?.replace(/\D/g, '') === digits))
      )
    })
    .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime() || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id)
}

test('any filter in pages of any size gives each match once, newest first', async () => {
  const filters = fc.record(
    {
      mailboxIds: fc.constantFrom<readonly number[] | null>(null, [], [0], [1], [0, 1], [1, 1]),
      kind: fc.constantFrom('voicemail' as const, 'recording' as const),
      after: fc.integer({ min: -1, max: 7 }).map(at),
      before: fc.integer({ min: -1, max: 8 }).map(at),
      heard: fc.boolean(),
      number: fc.constantFrom(...numbers, '1 (202) 555-0100', '999'),
    },
    { requiredKeys: ['mailboxIds'] },
  )
  await fc.assert(
    fc.asyncProperty(filters, fc.integer({ min: 1, max: 17 }), async (drawn, limit) => {
      const chosen = drawn.mailboxIds?.flatMap(index => mailboxIds[index] ?? []) ?? null
      const filter = { ...drawn, mailboxIds: chosen, withoutLabels: [] }
      const seen: RecordingId[] = []
      let cursor: string | undefined
      do {
        const page = await catalog.listRecordings(
          tenant.tenantId,
          { ...filter, limit, cursor },
          tenant.columns,
        )
        assert.ok(page.recordings.length <= limit)
        assert.ok(page.recordings.length > 0 || page.nextCursor === null)
        seen.push(...page.recordings.map(({ id }) => id))
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined)
      assert.deepEqual(seen, expected(filter))
    }),
    { numRuns: 60 },
  )
})

test('only a cursor that was given is taken', async () => {
  const list = (cursor: string) => {
    return catalog.listRecordings(
      tenant.tenantId,
      { mailboxIds: null, withoutLabels: [], limit: 1, cursor },
      tenant.columns,
    )
  }
  const [recording] = made
  const good = encodeCursor(recording ?? assert.fail())
  await list(good)
  for (const cursor of [
    '',
    'x',
    `${good}=`,
    `${good}A`,
    good.slice(1),
    Buffer.from("1.rec_'").toString('base64url'),
  ]) {
    await assert.rejects(list(cursor), { name: 'CatalogError', code: 'bad_cursor' })
  }
  await fc.assert(
    fc.asyncProperty(fc.string(), text => assert.rejects(list(text), { code: 'bad_cursor' })),
    { numRuns: 30 },
  )
})

test('another tenant gets nothing with the same cursor', async () => {
  const other = await createTestTenant(catalog)
  const [recording] = made
  const cursor = encodeCursor({ id: recording?.id ?? assert.fail(), startedAt: at(100) })
  const page = await catalog.listRecordings(
    other.tenantId,
    { mailboxIds: null, withoutLabels: [], limit: 5, cursor },
    other.columns,
  )
  assert.deepEqual(page, { recordings: [], nextCursor: null })
})

test('every kind of list is read from an index, among many recordings', async () => {
  // Copies in bulk, behind the curtain: only the planner looks at them.
  await database.superuserPool.query(
    `insert into auricle.intake (tenant_id, id, connector_id, source_key, recording_id, state, sealed_notice,
       received_at, next_attempt_at, touched_at)
     select tenant_id, id || n, connector_id, source_key || int4send(n), recording_id || n, state, sealed_notice,
       received_at, next_attempt_at, touched_at
     from auricle.intake, generate_series(1, 300) n;
     insert into auricle.recording
     select (jsonb_populate_record(r, jsonb_build_object(
       'id', r.id || n, 'intake_id', r.intake_id || n, 'started_at', r.started_at - n * interval '1 hour',
       'from_index', '\\x' || md5(r.id || n), 'to_index', '\\x' || md5(n || r.id)))).*
     from auricle.recording r, generate_series(1, 300) n;
     analyze auricle.recording`,
  )
  const cursor = encodeCursor({ id: made[0]?.id ?? assert.fail(), startedAt: at(-600) })
  const base = { mailboxIds: null, withoutLabels: ['vip', 'part2'] as const, limit: 50, cursor }
  const plans = [
    { filter: base, index: 'recording_newest' },
    { filter: { ...base, mailboxIds }, index: 'recording_newest_in_mailbox' },
    { filter: { ...base, mailboxIds, heard: false }, index: /recording_(unheard|newest)_in_mailbox/ },
    { filter: { ...base, number: '12025550100' }, index: 'recording_from' },
    { filter: { ...base, mailboxIds, number: '12025550100' }, index: 'recording_to' },
  ]
  const client = await database.appPool.connect()
  try {
    await client.query(`begin; select set_config('auricle.tenant', '${tenant.tenantId}', true)`)
    for (const { filter, index } of plans) {
      const { text, values } = recordingQuery(tenant.tenantId, filter, tenant.columns) ?? assert.fail()
      const { rows } = await client.query(`explain (costs off) ${text}`, [...values])
      const plan = rows.map(row => row['QUERY PLAN']).join('\n')
      assert.doesNotMatch(plan, /Seq Scan on recording r/, plan)
      assert.match(plan, typeof index === 'string' ? new RegExp(`\\b${index}\\b`) : index, plan)
      // The position is found in the index, not by reading and leaving out what comes before it.
      if (!('number' in filter)) assert.match(plan, /Index Cond: .*ROW\(.*started_at/, plan)
    }
    await client.query('rollback')
  } finally {
    client.release()
  }
})
