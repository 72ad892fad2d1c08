import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type HoldId, newMailboxId, newRuleId, type ReportAmount, ReportSection } from '@auricle/contract'
import fc from 'fast-check'
import {
  anEvent,
  archiveRecording,
  createTestTenant,
  type TestTenant,
} from '../../../test/catalog-fixture.ts'
import { aStamper } from '../../../test/event-writer.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import {
  ageAt,
  amountOf,
  decisionAt,
  type History,
  holdsAt,
  isThere,
  monthName,
  monthsFrom,
  reasonAt,
  type Story,
  someHistory,
  stateAt,
} from '../../../test/retention-history.ts'
import { type Planted, plantHistory } from '../../../test/retention-history-rows.ts'
import type { Catalog } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import type { RetentionReportRows } from './retention-report.ts'
import { sealColumn } from './sealed-column.ts'

const runs = 40

let database: TestDatabase
let catalog: Catalog
before(async () => {
  database = await createTestDatabase()
  catalog = createCatalog({ pool: database.appPool, stamper: aStamper() })
})
after(() => database[Symbol.asyncDispose]())

async function plant(history: History) {
  const tenant = await createTestTenant(catalog)
  const planted = await plantHistory(database.superuserPool, tenant, history, sealedMatter(tenant))
  return { tenant, planted }
}

const sealedMatter = ({ tenantId, columns }: TestTenant) => {
  return (rowId: HoldId) =>
    sealColumn(columns, { tenantId, table: 'legal_hold', column: 'matter', rowId }, `matter of ${rowId}`)
}

async function read({ tenantId, columns }: TestTenant, asOf: Date): Promise<RetentionReportRows> {
  const rows = await catalog.readRetentionReport(tenantId, { asOf, columns, sections: ReportSection.options })
  assert.ok(rows !== null)
  return rows
}

/** What falls into no group is in none of both. */
const grouped = <Item>(
  items: readonly Item[],
  keyOf: (item: Item) => unknown,
  amount: (of: Item[]) => ReportAmount,
) =>
  Object.fromEntries(
    [...Map.groupBy(items, item => JSON.stringify(keyOf(item)))]
      .map(([key, of]) => [key, amount(of)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

const one = <Figure extends ReportAmount>([figure]: readonly Figure[]): ReportAmount => ({
  recordings: figure?.recordings ?? 0,
  bytes: figure?.bytes ?? 0,
  soundMs: figure?.soundMs ?? 0,
})

/** As the model tells it, in the words of the database's figures. */
function expectedOf({ stories, zone }: History, planted: Planted, asOf: Date) {
  const come = stories.filter(({ archivedAt }) => archivedAt <= asOf)
  const there = stories.filter(story => isThere(story, asOf))
  const ruleOf = (story: Story) => {
    const decision = decisionAt(story, asOf)
    if (decision === null || decision.rule === null) return null
    return { id: planted.rules[decision.rule], version: 1 + decision.rule }
  }
  const status = (by: string, keyOf: (story: Story) => unknown) =>
    grouped(there, story => [by, keyOf(story), stateAt(story, asOf)], amountOf)
  const dueIn = there.flatMap(story => {
    const decision = decisionAt(story, asOf)
    if (decision === null || decision.dueAt === null || decision.dueAt <= asOf) return []
    const month = monthsFrom(asOf, decision.dueAt, zone)
    return month > 12
      ? []
      : [{ story, key: [month, decision.disposal, holdsAt(story, asOf).length > 0] as const }]
  })
  /** Among the twelve months before and this one; 0 is before them. */
  const past = (at: Date | null) =>
    at === null || at > asOf ? null : Math.max(0, 13 + monthsFrom(asOf, at, zone))
  return {
    status: {
      ...status('age', story => ageAt(story, asOf)),
      ...status('all', () => null),
      ...status('kind', ({ kind }) => kind),
      ...status('mailbox', ({ mailbox }) => (mailbox === null ? null : planted.mailboxes[mailbox])),
      ...status('rule', ruleOf),
    },
    due: grouped(
      dueIn,
      ({ key }) => key,
      of => amountOf(of.map(({ story }) => story)),
    ),
    storage: grouped(
      come,
      story => [past(story.archivedAt), past(story.destroyedAt), past(story.copiedAt)],
      amountOf,
    ),
    overdue: grouped(
      there.filter(story => reasonAt(story, asOf) !== null),
      story => reasonAt(story, asOf),
      amountOf,
    ),
    months: Array.from({ length: 25 }, (_, index) => monthName(asOf, index - 12, zone)),
  }
}

const keyOfStatus = (figure: RetentionReportRows['status'][number]) => {
  const key = { all: null, rule: figure.rule, kind: figure.kind, mailbox: figure.mailboxId, age: figure.age }
  return [figure.by, key[figure.by], figure.state]
}

test('as of any instant of any history the figures are those of a count one recording after the other', async () => {
  await fc.assert(
    fc.asyncProperty(someHistory, async history => {
      const { tenant, planted } = await plant(history)
      for (const asOf of history.asOf) {
        const rows = await read(tenant, asOf)
        const found = {
          status: grouped(rows.status, keyOfStatus, one),
          due: grouped(rows.due, ({ month, disposal, isHeld }) => [month, disposal, isHeld], one),
          storage: grouped(rows.storage, ({ added, destroyed, copied }) => [added, destroyed, copied], one),
          overdue: grouped(rows.overdue, ({ reason }) => reason, one),
          months: [...rows.frame.months],
        }
        const expected = expectedOf(history, planted, asOf)
        const sorted = Object.entries(expected.status).sort(([a], [b]) => (a < b ? -1 : 1))
        assert.deepEqual(found, { ...expected, status: Object.fromEntries(sorted) })
      }
    }),
    { numRuns: runs },
  )
})

test('the lines of what is overdue and destroyed are those of the count, page by page, with their holds', async () => {
  await fc.assert(
    fc.asyncProperty(someHistory, fc.integer({ min: 1, max: 3 }), async (history, limit) => {
      const { tenant, planted } = await plant(history)
      const idOf = (story: Story) => planted.recordings[history.stories.indexOf(story)]
      for (const asOf of history.asOf) {
        const overdue = []
        for (let after = null; ; after = overdue.at(-1)?.recordingId ?? null) {
          const page = await catalog.listOverdue(tenant.tenantId, asOf, { after, limit })
          overdue.push(...page)
          if (page.length < limit) break
        }
        const there = history.stories.filter(story => isThere(story, asOf))
        assert.deepEqual(
          overdue.map(({ recordingId, reason, holdIds }) => ({ recordingId, reason, holdIds })),
          there
            .filter(story => reasonAt(story, asOf) !== null)
            .map(story => ({
              recordingId: idOf(story),
              reason: reasonAt(story, asOf),
              holdIds: holdsAt(story, asOf)
                .map(hold => planted.holds[hold])
                .sort(),
            }))
            .sort((a, b) => (String(a.recordingId) < String(b.recordingId) ? -1 : 1)),
        )
        const destroyed = []
        for (let before = null; ; before = destroyed.at(-1) ?? null) {
          const page = await catalog.listDestroyed(tenant.tenantId, asOf, { before, limit })
          destroyed.push(...page)
          if (page.length < limit) break
        }
        const gone = history.stories.filter(({ destroyedAt }) => destroyedAt !== null && destroyedAt <= asOf)
        assert.deepEqual(destroyed.map(({ recordingId }) => recordingId).sort(), gone.map(idOf).sort())
        const times = destroyed.map(({ destroyedAt }) => destroyedAt.getTime())
        assert.deepEqual(
          times,
          times.toSorted((a, b) => b - a),
        )
      }
    }),
    { numRuns: runs / 2 },
  )
})

test('a hold is told with what is under it, who was told and who said so, while it lasts', async () => {
  await fc.assert(
    fc.asyncProperty(someHistory, async history => {
      const { tenant, planted } = await plant(history)
      for (const asOf of history.asOf) {
        const { holds } = await read(tenant, asOf)
        const expected = history.holds.flatMap(({ placedAt, releasedAt }, n) => {
          const id = planted.holds[n]
          if (placedAt > asOf || (releasedAt !== null && releasedAt <= asOf)) return []
          const under = history.stories.filter(
            story => isThere(story, asOf) && holdsAt(story, asOf).includes(n),
          )
          const told = { custodians: 1, acknowledged: 0 }
          return [{ ...amountOf(under), ...told, id, matter: `matter of ${id}`, placedAt }]
        })
        const byId = (a: { id?: string | undefined }, b: { id?: string | undefined }) =>
          String(a.id) < String(b.id) ? -1 : 1
        assert.deepEqual(holds.toSorted(byId), expected.toSorted(byId))
      }
    }),
    { numRuns: runs / 2 },
  )
})

test('the report of another tenant knows nothing of it, and of no tenant there is none', async () => {
  const [history] = fc.sample(someHistory, { numRuns: 1, seed: 7 })
  assert.ok(history !== undefined)
  const { planted } = await plant(history)
  const other = await createTestTenant(catalog)
  const asOf = history.asOf[0] ?? new Date()
  const rows = await read(other, asOf)
  assert.deepEqual([rows.status, rows.storage, rows.overdue, rows.holds], [[], [], [], []])
  const [id] = planted.rules
  assert.ok(id !== undefined && !rows.ruleNames.has(id) && !rows.ruleNames.has(newRuleId()))
  assert.ok(!rows.mailboxNames.has(newMailboxId()))
})

test('the last comparison with the stores is the one that was finished by then', async () => {
  const tenant = await createTestTenant(catalog)
  const { tenantId } = tenant
  const at = (day: number) => new Date(Date.UTC(2026, 0, day))
  const client = await database.superuserPool.connect()
  try {
    for (const [id, started, ended] of [
      ['dri_00000000000000000000000001', at(1), at(2)],
      ['dri_00000000000000000000000002', at(5), at(6)],
      ['dri_00000000000000000000000003', at(9), null],
    ] as const)
      await client.query(
        `insert into auricle.drift_run (tenant_id, id, started_at, ended_at, recordings, objects)
         values ($1, $2, $3, $4, 2, 6)`,
        [tenantId, id, started, ended],
      )
    for (const [number, mended] of [
      [1, true],
      [2, false],
    ] as const)
      await client.query(
        `insert into auricle.drift_finding (tenant_id, run_id, number, kind, store, object_key, mended)
         values ($1, 'dri_00000000000000000000000002', $2, 'shorter', 'recovery', 'a/key', $3)`,
        [tenantId, number, mended],
      )
  } finally {
    client.release()
  }
  const none = await read(tenant, at(1))
  const first = await read(tenant, at(5))
  const last = await read(tenant, at(20))
  assert.equal(none.reconciled, null)
  assert.deepEqual([first.reconciled?.id, first.reconciled?.findings], ['dri_00000000000000000000000001', []])
  assert.equal(last.reconciled?.id, 'dri_00000000000000000000000002')
  assert.deepEqual(last.reconciled.findings, [{ kind: 'shorter', store: 'recovery', found: 2, mended: 1 }])
})

test('what is archived counts with all its objects, and as copied once all of them are', async () => {
  const tenant = await createTestTenant(catalog)
  const { tenantId } = tenant
  const { id: recordingId } = await archiveRecording(catalog, tenant)
  const objects = await catalog.listObjects(tenantId, recordingId)
  const bytes = objects.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0)
  const storage = async () =>
    (await read(tenant, new Date(Date.now() + 60_000))).storage.map(line => [
      line.bytes,
      line.copied !== null,
    ])
  assert.ok(bytes > 0)
  assert.deepEqual(await storage(), [[bytes, false]])
  const copy = async (roles: readonly string[]) => {
    const copies = objects
      .filter(({ role }) => roles.includes(role))
      .map(({ role }) => ({ role, generation: '7', until: new Date(), held: false }))
    await catalog.commitReplication({ tenantId, recordingId, copies }, anEvent(tenantId))
  }
  await copy(['original'])
  assert.deepEqual(await storage(), [[bytes, false]])
  await copy(['playback', 'peaks'])
  assert.deepEqual(await storage(), [[bytes, true]])
})
