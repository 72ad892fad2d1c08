import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RecordSetRow } from '@auricle/catalog'
import {
  NewRetentionPreview,
  newHoldId,
  newRecordSetDecisionId,
  newRuleId,
  newTokenId,
  RetentionPreview,
  type TenantId,
} from '@auricle/contract'
import { agreeRule } from '../../../../test/agreed-rules.ts'
import { auditEvents } from '../../../../test/audit-log.ts'
import { anEvent } from '../../../../test/catalog-fixture.ts'
import { seededId, seedRecordings } from '../../../../test/seeded-recordings.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from '../../../../test/vault.ts'
import type { RequestFacts } from '../request-facts.ts'
import { applyPolicy } from './apply-policy.ts'
import { previewRule } from './preview-rule.ts'

const count = 1200
const startedAt = new Date('2024-01-05T08:00:00Z')
const now = new Date('2026-06-01T12:00:00Z')

let vault: TestVault
let clinic: Clinic
let tenantId: TenantId

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  tenantId = clinic.tenant.id
  await seedRecordings(vault.database, clinic, { count, startedAt })
  const inSet: RecordSetRow = {
    ...{ tenantId, id: newRecordSetDecisionId(), subject: { mailboxId: clinic.mailbox.id }, decision: 'in' },
    ...{ rationale: 'of a test', decidedAt: now, decidedBy: null },
  }
  const { columns } = await vault.secrets.get(tenantId)
  await vault.catalog.decideRecordSet(inSet, columns, anEvent(tenantId))
})
after(() => vault[Symbol.asyncDispose]())

const officer = (): RequestFacts => ({
  actor: {
    ...{ type: 'user', tenantId, userId: clinic.complianceOfficer.row.id, tokenId: newTokenId() },
    ...{ roles: ['compliance_officer'], mailboxes: [], breakGlass: null },
    token: { kind: 'session', scopes: null, verifiedAt: now },
  },
  ...{ purposeOfUse: null, request: 'a-request', ip: null, userAgent: null },
})

async function preview(
  asked: Parameters<(typeof NewRetentionPreview)['parse']>[0],
  onProgress?: (done: number, total: number) => void,
) {
  const parts = { ...vault, now: () => now, onProgress }
  return RetentionPreview.parse(await previewRule(parts, officer(), NewRetentionPreview.parse(asked), {}))
}

async function decideAll(): Promise<void> {
  const onFailure = (_id: string, error: unknown) => assert.fail(String(error))
  await applyPolicy({ catalog: vault.catalog, secrets: vault.secrets, onFailure, now: () => now }, {})
}

/** Everything that a preview might have touched. */
async function rows(): Promise<string> {
  const tables = ['retention_rule', 'retention_rule_version', 'retention_decision', 'store_work', 'recording']
  const counts = tables.map(
    table => `(select md5(string_agg(t::text, ',' order by t::text)) from auricle.${table} t)`,
  )
  const { rows: found } = await vault.database.superuserPool.query(`select ${counts.join(', ')}`)
  return JSON.stringify(found)
}

const ninetyDays = { keep: { days: 90 }, dispose: 'automatic' } as const
const weight = (recordings: number) => ({ recordings, bytes: recordings * 1000 })

describe('a preview', () => {
  test('of a new rule says how many would go, when the first, and changes nothing', async () => {
    await decideAll()
    const before = await rows()
    const progress: (readonly [number, number])[] = []
    const told = await preview({ definition: ninetyDays }, (done, total) => progress.push([done, total]))
    assert.equal(await rows(), before)
    assert.deepEqual(progress, [
      [500, count],
      [1000, count],
      [count, count],
    ])
    assert.deepEqual(told, {
      effect: 'shortens',
      all: weight(count),
      unchanged: weight(0),
      longer: weight(count),
      ...{
        shorter: weight(0),
        locked: weight(0),
        dueLater: weight(0),
        undecided: weight(0),
        held: weight(0),
      },
      ...{ dueSooner: weight(count), dueAtOnce: weight(count) },
      firstDueAt: '2024-04-05T00:00:00.000Z',
      examples: Array.from({ length: 20 }, (_, index) => seededId(index + 1)),
    })
    const [event] = (await auditEvents(vault, tenantId)).filter(
      ({ action }) => action === 'retention.previewed',
    )
    assert.deepEqual([event?.outcome, event?.object], ['allowed', null])
  })

  test('tells what it says when the rule is agreed on: as many change, and the same', async () => {
    const definition = { keep: { years: 3 }, dispose: 'review', appliesTo: { kinds: ['voicemail'] } } as const
    const told = await preview({ definition })
    await agreeRule(vault.catalog, tenantId, { definition, at: now })
    const onFailure = (_id: string, error: unknown) => assert.fail(String(error))
    const parts = { catalog: vault.catalog, secrets: vault.secrets, onFailure, now: () => now }
    const { decided, changed } = await applyPolicy(parts, {})
    assert.deepEqual([decided, changed], [count, told.all.recordings - told.unchanged.recordings])
    assert.deepEqual([told.longer, told.dueAtOnce], [weight(count / 2), weight(0)])
  })

  test('of another version, and of the end of a rule, counts what is locked, held and for less', async () => {
    const [ruleId] = [newRuleId()]
    const locked = {
      keep: { years: 7 },
      dispose: 'review',
      lock: true,
      appliesTo: { kinds: ['recording'] },
    } as const
    await agreeRule(vault.catalog, tenantId, { definition: locked, ruleId, at: now })
    await decideAll()
    const { columns } = await vault.secrets.get(tenantId)
    const hold = {
      ...{ tenantId, id: newHoldId(), by: clinic.complianceOfficer.row.id, at: now, matter: 'A matter' },
      ...{ notice: null, custodians: [], clauses: [], recordings: [seededId(1), seededId(3), seededId(4)] },
    }
    await vault.catalog.placeHold(hold, columns, async () => anEvent(tenantId))
    const shorter = await preview({ rule: ruleId, definition: { ...locked, keep: { years: 1 } } })
    assert.equal(shorter.effect, 'shortens')
    assert.deepEqual(
      [shorter.locked, shorter.shorter, shorter.unchanged, shorter.held],
      [weight(count / 2), weight(0), weight(count / 2), weight(2)],
    )
    const ended = await preview({ rule: ruleId, definition: null })
    assert.deepEqual([ended.locked, ended.dueLater], [weight(count / 2), weight(count / 2)])
    const longer = await preview({ rule: ruleId, definition: { ...locked, keep: { years: 8 } } })
    assert.deepEqual(
      [longer.effect, longer.longer, longer.dueLater, longer.locked],
      ['lengthens', weight(count / 2), weight(count / 2), weight(0)],
    )
  })

  test('of a rule that is not there is refused, and so is who may not read rules', async () => {
    await assert.rejects(preview({ rule: newRuleId(), definition: ninetyDays }), { code: 'not_found' })
    assert.equal(NewRetentionPreview.safeParse({ rule: null, definition: null }).success, false)
    const by = { ...officer(), actor: { ...officer().actor, roles: ['clinician'] as const } }
    const asked = NewRetentionPreview.parse({ definition: ninetyDays })
    await assert.rejects(previewRule({ ...vault, now: () => now }, by, asked, {}), { code: 'denied' })
  })
})
