import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeLeaf } from '@auricle/audit'
import type { Catalog, RetentionEventRow } from '@auricle/catalog'
import { newRetentionEventId, RecordingId, type TenantId } from '@auricle/contract'
import { agreeRule } from '../../../../test/agreed-rules.ts'
import { anEvent } from '../../../../test/catalog-fixture.ts'
import { seededId, seedRecordings } from '../../../../test/seeded-recordings.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../../test/vault.ts'
import { type ApplyPolicyParts, applyPolicy, decideAgain } from './apply-policy.ts'
import { decideBy, keptOf } from './decide-recording.ts'
import { loadPolicy } from './policy.ts'

const count = 5000
const startedAt = new Date('2026-01-05T08:00:00Z')
const now = new Date('2026-06-01T12:00:00Z')
const later = (days: number) => new Date(now.getTime() + days * 86_400_000)
const sevenYears = { keep: { years: 7 }, dispose: 'automatic', lock: true } as const

let vault: TestVault

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

async function seeded(recordings = count): Promise<Clinic> {
  const clinic = await makeClinic(vault)
  await seedRecordings(vault.database, clinic, { count: recordings, startedAt })
  return clinic
}

function partsAt(at: Date, change: Partial<ApplyPolicyParts> = {}): ApplyPolicyParts {
  const onFailure = (id: RecordingId, error: unknown) => assert.fail(`${id}: ${String(error)}`)
  return { catalog: vault.catalog, secrets: vault.secrets, onFailure, now: () => at, ...change }
}

/** Rows as they are, whoever may see them. */
async function rowsOf(tenantId: TenantId, text: string, values: unknown[] = []) {
  const { rows } = await vault.database.superuserPool.query(text, [tenantId, ...values])
  return rows as readonly Readonly<Record<string, unknown>>[]
}

async function countOf(tenantId: TenantId, table: string, where: string): Promise<number> {
  const rows = await rowsOf(
    tenantId,
    `select count(*)::integer as count from auricle.${table} where tenant_id = $1 and ${where}`,
  )
  return Number(rows[0]?.['count'])
}

/** Whatever happened: one decision of each holds, those before it follow each other, and what holds is what the rules say. */
async function assertDecided(tenantId: TenantId, at: Date, recordings: number): Promise<void> {
  const [chain] = await rowsOf(
    tenantId,
    `select count(*) filter (where superseded_at is null)::integer as live,
       count(*) filter (where superseded_at is not null and superseded_at is distinct from next_at)::integer as gaps
     from (
       select *, lead(decided_at) over (partition by recording_id order by decided_at) as next_at
       from auricle.retention_decision where tenant_id = $1
     ) d`,
  )
  assert.deepEqual(chain, { live: recordings, gaps: 0 })
  const policy = await loadPolicy(vault.catalog, tenantId, at, {})
  const { columns } = await vault.secrets.get(tenantId)
  const stale = await vault.catalog.listStale(tenantId, { after: null, limit: recordings })
  assert.deepEqual(stale, [])
  const rows = await rowsOf(
    tenantId,
    'select * from auricle.retention_decision where tenant_id = $1 and superseded_at is null order by recording_id',
  )
  const ids = rows.map(row => RecordingId.parse(row['recording_id']))
  const facts = await vault.catalog.findRetentionFacts(tenantId, ids, columns)
  assert.equal(facts.length, recordings)
  for (const [index, known] of facts.entries()) {
    const kept = keptOf(decideBy(policy, known))
    const row = rows[index]
    assert.deepEqual(
      [row?.['recording_id'], row?.['revision'], row?.['status'], row?.['disposal'], row?.['locked']],
      [known.recordingId, String(policy.revision), kept.status, kept.disposal, kept.locked],
    )
    assert.deepEqual(
      [row?.['keep_until'], row?.['due_at'], row?.['rule_id'], row?.['rule_version']],
      [kept.keepUntil, kept.dueAt, kept.governing?.ruleId ?? null, kept.governing?.version ?? null],
    )
  }
}

describe('a rule that comes into force', () => {
  test('is applied once at its time, with its event, and decides whatever exists', async context => {
    const clinic = await seeded()
    const tenantId = clinic.tenant.id
    assert.deepEqual(await applyPolicy(partsAt(now), {}), {
      versions: 0,
      decided: count,
      changed: count,
      failed: 0,
    })
    // Nothing that a store has to follow has changed.
    assert.equal(await countOf(tenantId, 'store_work', 'true'), 0)
    const ruleId = await agreeRule(vault.catalog, tenantId, {
      definition: sevenYears,
      at: now,
      effectiveFrom: later(1),
    })
    const nothing = { versions: 0, decided: 0, changed: 0, failed: 0 }
    assert.deepEqual(await applyPolicy(partsAt(later(0.9)), {}), nothing)
    const startedMs = performance.now()
    const applied = await applyPolicy(partsAt(later(1)), {})
    const seconds = (performance.now() - startedMs) / 1000
    context.diagnostic(`${Math.round(count / seconds)} decisions a second`)
    assert.deepEqual(applied, { versions: 1, decided: count, changed: count, failed: 0 })
    assert.deepEqual(await applyPolicy(partsAt(later(2)), {}), nothing)
    assert.equal(await countOf(tenantId, 'store_work', 'true'), count)
    const events = (await vault.catalog.listEvents(tenantId, { afterId: null, limit: 1000 }))
      .map(({ leaf }) => decodeLeaf(leaf))
      .filter(({ action }) => action === 'retention.applied')
    assert.equal(events.length, 1)
    assert.deepEqual(events[0]?.object, { type: 'retention_rule', id: ruleId, version: null })
    assert.deepEqual(events[0]?.detail, { kind: 'version', version: 1 })
    const row = await vault.catalog.findDecision(tenantId, seededId(1))
    assert.deepEqual(row?.governing, { ruleId, version: 1 })
    assert.equal(row?.keepUntil.toISOString(), '2033-01-06T00:00:00.000Z')
    await assertDecided(tenantId, later(2), count)
  })

  test('is met by a run that was killed between any two batches, and by several at once', async () => {
    const clinic = await seeded()
    const tenantId = clinic.tenant.id
    await agreeRule(vault.catalog, tenantId, { definition: sevenYears, at: now })
    for (const batches of [0, 1, 3]) {
      using killed = killedAfter(vault.catalog, batches)
      await assert.rejects(applyPolicy(partsAt(now, { catalog: killed.catalog }), { signal: killed.signal }))
    }
    const left = await countOf(tenantId, 'retention_decision', 'revision < 0 and superseded_at is null')
    assert.equal(left, count - 4 * 500)
    const runs = await Promise.all([1, 2, 3].map(() => applyPolicy(partsAt(now), {})))
    const decided = runs.reduce((sum, run) => sum + run.decided, 0)
    assert.equal(decided, left, 'none is decided twice')
    await assertDecided(tenantId, now, count)
  })

  test('keeps what a store has locked, whatever a later version says', async () => {
    const clinic = await seeded(3)
    const tenantId = clinic.tenant.id
    const ruleId = await agreeRule(vault.catalog, tenantId, { definition: sevenYears, at: now })
    await applyPolicy(partsAt(now), {})
    const before = await vault.catalog.findDecision(tenantId, seededId(1))
    await agreeRule(vault.catalog, tenantId, {
      definition: { keep: { years: 1 }, dispose: 'review' },
      ...{ ruleId, at: later(1) },
    })
    assert.equal((await applyPolicy(partsAt(later(1)), {})).changed, 3)
    const row = await vault.catalog.findDecision(tenantId, seededId(1))
    assert.deepEqual([row?.keepUntil, row?.locked, row?.governing?.version], [before?.keepUntil, true, 2])
    assert.equal(await countOf(tenantId, 'store_work', 'true'), 3)
  })
})

describe('what changes while decisions are made', () => {
  test('is not lost: an event that arrives between the look and the row makes that row stale', async () => {
    const clinic = await seeded(1)
    const tenantId = clinic.tenant.id
    const [id] = [seededId(1)]
    await agreeRule(vault.catalog, tenantId, {
      definition: { keep: { years: 1 }, from: 'case_closed', dispose: 'review' },
      at: now,
    })
    const policy = await loadPolicy(vault.catalog, tenantId, now, {})
    const { columns } = await vault.secrets.get(tenantId)
    let recording: Promise<void> | null = null
    const decided = await vault.catalog.decideAgain(tenantId, [id], {
      ...{ revision: policy.revision, now, columns, onlyStale: true },
      decide(facts) {
        recording = closeCase(tenantId, id, later(-1))
        return keptOf(decideBy(policy, facts))
      },
    })
    assert.deepEqual(decided, { decided: 1, changed: 1 })
    await recording
    const first = await vault.catalog.findDecision(tenantId, id)
    assert.equal(first?.keepUntil.toISOString(), '2027-01-06T00:00:00.000Z')
    assert.equal((await vault.catalog.listStale(tenantId, { after: null, limit: 10 })).length, 1)
    await applyPolicy(partsAt(now), {})
    const row = await vault.catalog.findDecision(tenantId, id)
    assert.equal(row?.keepUntil.toISOString(), '2027-06-01T00:00:00.000Z')
  })

  test('is met by the next run where it is a label', async () => {
    const clinic = await seeded(2)
    const tenantId = clinic.tenant.id
    const vip = { appliesTo: { labels: ['vip'] }, keep: { years: 5 }, dispose: 'review' } as const
    await agreeRule(vault.catalog, tenantId, { definition: vip, at: later(-1) })
    await applyPolicy(partsAt(now), {})
    assert.deepEqual(await vault.catalog.listTenantsWithStale(), [])
    const label = { tenantId, recordingId: seededId(1), add: ['vip'], remove: [] } as const
    await vault.catalog.commitLabels(label, anEvent(tenantId))
    const { decided, changed } = await applyPolicy(partsAt(later(1)), {})
    assert.deepEqual([decided, changed], [1, 1])
    const row = await vault.catalog.findDecision(tenantId, seededId(1))
    assert.equal(row?.keepUntil.toISOString(), '2031-01-06T00:00:00.000Z')
  })

  test('ends in decisions by what is true, however facts, rules and runs fall together', async () => {
    const recordings = 120
    const clinic = await seeded(recordings)
    const tenantId = clinic.tenant.id
    const definition = { keep: { years: 1 }, from: 'case_closed', dispose: 'review' }
    const ruleId = await agreeRule(vault.catalog, tenantId, { definition, at: now })
    let isOver = false
    const run = async () => {
      while (!isOver) await applyPolicy(partsAt(now), {})
    }
    const change = async (first: number) => {
      for (let number = first; number <= recordings; number += 3) {
        await closeCase(tenantId, seededId(number), later(-number))
        if (number % 40 === 0)
          await agreeRule(vault.catalog, tenantId, {
            definition: { ...definition, keep: { years: 1, days: number } },
            ...{ ruleId, at: new Date(now.getTime() - 1_000_000 + number) },
          })
      }
    }
    const runs = [run(), run()]
    await Promise.all([1, 2, 3].map(change))
    isOver = true
    await Promise.all(runs)
    await applyPolicy(partsAt(now), {})
    await assertDecided(tenantId, now, recordings)
  })
})

describe('one recording', () => {
  test('whose facts do not open holds up no other, and stays as it was', async () => {
    const clinic = await seeded(501)
    const tenantId = clinic.tenant.id
    const damaged = seededId(7)
    await using _ = await damagePatient(clinic, damaged)
    await agreeRule(vault.catalog, tenantId, { definition: sevenYears, at: now })
    const failures: string[] = []
    const parts = partsAt(now, { onFailure: id => failures.push(id) })
    assert.deepEqual(await applyPolicy(parts, {}), { versions: 0, decided: 500, changed: 500, failed: 1 })
    assert.deepEqual(failures, [damaged])
    const row = await vault.catalog.findDecision(tenantId, damaged)
    assert.deepEqual([row?.status, row?.revision], ['unruled', -1])
  })

  test('that is destroyed keeps its last decision, and is asked for no more', async () => {
    const clinic = await seeded(2)
    const tenantId = clinic.tenant.id
    await rowsOf(
      tenantId,
      `update auricle.recording set destroying_at = archived_at, destroyed_at = archived_at, source_id = null
       where tenant_id = $1 and id = $2`,
      [seededId(1)],
    )
    await agreeRule(vault.catalog, tenantId, { definition: sevenYears, at: now })
    assert.deepEqual(await applyPolicy(partsAt(now), {}), { versions: 0, decided: 2, changed: 1, failed: 0 })
    const row = await vault.catalog.findDecision(tenantId, seededId(1))
    assert.deepEqual([row?.status, row?.revision], ['unruled', 1])
    assert.equal((await applyPolicy(partsAt(now), {})).decided, 0)
  })

  test('is decided anew for whoever has to be sure, stale or not', async () => {
    const clinic = await seeded(2)
    const tenantId = clinic.tenant.id
    await applyPolicy(partsAt(now), {})
    const ids = [seededId(1), seededId(2)]
    const spared = await decideAgain(vaultParts(), tenantId, ids, { onlyStale: true }, {})
    assert.deepEqual(spared, { decided: 0, changed: 0 })
    const again = await decideAgain(vaultParts(), tenantId, ids, { onlyStale: false }, {})
    assert.deepEqual(again, { decided: 2, changed: 0 })
  })
})

const vaultParts = () => ({ catalog: vault.catalog, secrets: vault.secrets, now: () => now })

async function closeCase(tenantId: TenantId, recordingId: RecordingId, at: Date): Promise<void> {
  const event: RetentionEventRow = {
    ...{ tenantId, id: newRetentionEventId(), kind: 'case_closed', subject: { recordingId }, at },
    ...{ recordedAt: now, recordedBy: null, withdrawnAt: null, withdrawnBy: null },
  }
  await vault.catalog.addRetentionEvent(event, anEvent(tenantId))
}

/** Its patient's birth date is sealed under nothing that opens, until disposal. */
async function damagePatient({ tenant }: Clinic, id: RecordingId): Promise<AsyncDisposable> {
  const { columns } = await vault.secrets.get(tenant.id)
  const patient = await vault.catalog.ensurePatient(tenant.id, 'MRN-000007', columns)
  const of = 'where tenant_id = $1 and id = $2'
  await rowsOf(tenant.id, `update auricle.patient set birth_date = '\\x0102' ${of}`, [patient])
  await rowsOf(tenant.id, `update auricle.recording set patient_id = $3 ${of}`, [id, patient])
  return {
    async [Symbol.asyncDispose]() {
      await rowsOf(tenant.id, `update auricle.patient set birth_date = null ${of}`, [patient])
      await applyPolicy(partsAt(now), {})
    },
  }
}

/** A catalog that ends its process after so many batches: what was asked of the database by then stands. */
function killedAfter(catalog: Catalog, batches: number) {
  const stop = new AbortController()
  let left = batches
  const dying: Catalog = {
    ...catalog,
    async decideAgain(...batch) {
      if (left-- === 0) stop.abort(new Error('the process died here'))
      stop.signal.throwIfAborted()
      return await catalog.decideAgain(...batch)
    },
  }
  return { catalog: dying, signal: stop.signal, [Symbol.dispose]: () => stop.abort() }
}
