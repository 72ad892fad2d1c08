import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  newCertificateId,
  newDispositionId,
  newEventId,
  newHoldId,
  newRecordingId,
  newTokenId,
  RetentionExplanation,
  type Role,
} from '@auricle/contract'
import { agreeRule } from '../../../../test/agreed-rules.ts'
import { auditEvents } from '../../../../test/audit-log.ts'
import { anEvent } from '../../../../test/catalog-fixture.ts'
import { everything } from '../../../../test/holds.ts'
import { seededId, seedRecordings } from '../../../../test/seeded-recordings.ts'
import {
  type Clinic,
  makeClinic,
  openTestVault,
  type Person,
  type TestVault,
} from '../../../../test/vault.ts'
import type { RequestFacts } from '../request-facts.ts'
import { applyPolicy } from './apply-policy.ts'
import { explainRecording } from './explain-recording.ts'

const startedAt = new Date('2026-01-05T08:00:00Z')
const now = new Date('2026-06-01T12:00:00Z')

let vault: TestVault
let clinic: Clinic

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  await seedRecordings(vault.database, clinic, { count: 4, startedAt })
})
after(() => vault[Symbol.asyncDispose]())

const partsAt = (at: Date) => ({ ...vault, now: () => at })

function as({ row }: Person, role: Role, owns = false): RequestFacts {
  const mailboxes = owns ? [{ mailboxId: clinic.mailbox.id, kind: 'owner', until: null } as const] : []
  return {
    actor: {
      ...{ type: 'user', tenantId: row.tenantId, userId: row.id, tokenId: newTokenId(), roles: [role] },
      ...{ mailboxes, breakGlass: null, token: { kind: 'session', scopes: null, verifiedAt: now } },
    },
    ...{ purposeOfUse: null, request: 'a-request', ip: null, userAgent: null },
  }
}

const officer = () => as(clinic.complianceOfficer, 'compliance_officer')
const clinician = () => as(clinic.clinician, 'clinician', true)

/** As the wire has it. */
async function told(number: number, by = officer(), at = now) {
  const answer = await explainRecording(partsAt(at), by, seededId(number), {})
  return RetentionExplanation.parse(answer)
}

async function decideAll(at = now): Promise<void> {
  const onFailure = (_id: string, error: unknown) => assert.fail(String(error))
  await applyPolicy({ catalog: vault.catalog, secrets: vault.secrets, onFailure, now: () => at }, {})
}

const sql = (text: string, values: unknown[] = []) =>
  vault.database.superuserPool.query(text, [clinic.tenant.id, ...values])

describe('a recording that is there', () => {
  test('without rules is kept by the minimum, and the answer says so', async () => {
    await decideAll()
    const { words, ...answer } = await told(1)
    assert.equal(answer.governedBy, null)
    assert.equal(answer.until, '2026-02-04T08:01:00.000Z')
    assert.deepEqual(answer.clocks, [])
    assert.ok(words.includes('No rule applies to it.'))
    assert.deepEqual(
      answer.objects.map(({ role, until, copy }) => [role, until, copy]),
      [['original', '2026-02-04T08:01:00.000Z', null]],
    )
  })

  test('names the version that governs it, every clock, and what was decided before', async () => {
    const at = new Date('2026-02-01T00:00:00Z')
    const long = await agreeRule(vault.catalog, clinic.tenant.id, {
      definition: { keep: { years: 7 }, dispose: 'review', source: 'Policy 12' },
      at,
    })
    await agreeRule(vault.catalog, clinic.tenant.id, {
      definition: { keep: { years: 1 }, dispose: 'review' },
      at,
    })
    await decideAll()
    const answer = await told(1)
    assert.deepEqual(answer.governedBy, { rule: long, version: 1, name: `Rule ${long}` })
    assert.equal(answer.until, '2033-01-06T00:00:00.000Z')
    assert.equal(answer.clocks.length, 2)
    assert.match(answer.words.join('\n'), /7 years.*Policy 12/)
    assert.deepEqual(
      answer.decisions.map(({ status, governedBy }) => [status, governedBy?.rule ?? null]),
      [
        ['undecided', long],
        ['undecided', null],
        ['unruled', null],
      ],
    )
    assert.deepEqual(answer.decisions[1]?.supersededAt, answer.decisions[0]?.decidedAt)
  })

  test('under a hold tells its name to who may read holds, and to nobody else', async () => {
    const { columns } = await vault.secrets.get(clinic.tenant.id)
    const hold = {
      ...{ tenantId: clinic.tenant.id, id: newHoldId(), by: clinic.complianceOfficer.row.id, at: now },
      ...{ matter: 'Estate of Dana Example', notice: null, custodians: [] },
      ...{ clauses: [], recordings: [seededId(2)] },
    }
    await vault.catalog.placeHold(hold, columns, async () => anEvent(clinic.tenant.id))
    const seen = await told(2)
    assert.equal(seen.state, 'held')
    assert.deepEqual(
      seen.holds.map(({ id, matter }) => [id, matter]),
      [[hold.id, 'Estate of Dana Example']],
    )
    assert.match(seen.words[0] ?? '', /Estate of Dana Example/)
    const hidden = await told(2, clinician())
    assert.equal(hidden.state, 'held')
    assert.deepEqual(
      hidden.holds.map(({ id, matter }) => [id, matter]),
      [[hold.id, null]],
    )
    assert.doesNotMatch(JSON.stringify(hidden), /Dana/)
  })

  test('is explained to who may see it alone, and each look and each refusal is in the log', async () => {
    await told(1, clinician())
    await assert.rejects(told(1, as(clinic.stranger, 'clinician')), { code: 'denied' })
    const nothing = newRecordingId()
    await assert.rejects(explainRecording(partsAt(now), officer(), nothing, {}), { code: 'not_found' })
    const events = (await auditEvents(vault, clinic.tenant.id)).filter(
      ({ action }) => action === 'retention.shown',
    )
    assert.deepEqual(
      events.slice(-3).map(({ outcome, object, actor }) => [outcome, object?.id, actor.id]),
      [
        ['allowed', seededId(1), clinic.clinician.row.id],
        ['denied', seededId(1), clinic.stranger.row.id],
        ['denied', nothing, clinic.complianceOfficer.row.id],
      ],
    )
  })
})

describe('the end of a recording', () => {
  test('is told from its listing on to its certificate, which it names when nothing else is left', async () => {
    const disposition = newDispositionId()
    const certificate = newCertificateId()
    const id = seededId(3)
    await sql(
      `insert into auricle.disposition (tenant_id, id, state, kind, proposed_at, stages, ready_at)
       values ($1, $2, 'waiting', 'automatic', $3, 0, $3)`,
      [disposition, now],
    )
    await sql(
      `insert into auricle.disposition_item (tenant_id, disposition_id, recording_id, state, rule_id, rule_version, keep_until,
         due_at, changed_at)
       select $1, $2, $3, 'listed', rule_id, rule_version, keep_until, keep_until, $4 from auricle.retention_decision
       where tenant_id = $1 and recording_id = $3 and superseded_at is null`,
      [disposition, id, now],
    )
    const listed = await told(3)
    assert.equal(listed.words[0], `Disposition ${disposition} lists it, and is waiting.`)
    assert.deepEqual([listed.disposition?.id, listed.disposition?.item], [disposition, 'listed'])

    await sql('update auricle.recording set destroying_at = $3 where tenant_id = $1 and id = $2', [id, now])
    const going = await told(3)
    assert.deepEqual([going.state, going.until], ['destroying', null])
    assert.match(going.words[0] ?? '', /^It is being destroyed since 2026-06-01T12:00:00\.000Z/)

    await sql(
      'update auricle.recording set destroyed_at = $3, source_id = null where tenant_id = $1 and id = $2',
      [id, now],
    )
    await sql(
      `insert into auricle.certificate (tenant_id, id, recording_id, disposition_id, event_id, claims, last_copy_at)
       values ($1, $2, $3, $4, $5, '{}', $6)`,
      [certificate, id, disposition, newEventId(), new Date('2026-07-06T12:00:00Z')],
    )
    const gone = await told(3, clinician())
    assert.deepEqual([gone.state, gone.until, gone.clocks], ['destroyed', null, []])
    assert.deepEqual(gone.certificate, {
      ...{ id: certificate, issuedAt: null, lastCopyAt: '2026-07-06T12:00:00.000Z' },
    })
    assert.match(gone.words.join('\n'), new RegExp(`Certificate ${certificate} .*\n.*2026-07-06T12:00:00`))
    assert.match(gone.words.join('\n'), /kept until 2033-01-06T00:00:00\.000Z by rule rul_\w+, version 1/)
  })
})

test('a hold by clause over everything is told of a recording like one by hand', async () => {
  const { columns } = await vault.secrets.get(clinic.tenant.id)
  const hold = {
    ...{ tenantId: clinic.tenant.id, id: newHoldId(), by: clinic.complianceOfficer.row.id, at: now },
    ...{ matter: 'All of it', notice: null, custodians: [], recordings: [], clauses: [everything] },
  }
  await vault.catalog.placeHold(hold, columns, async () => anEvent(clinic.tenant.id))
  assert.deepEqual(
    (await told(4)).holds.map(({ matter }) => matter),
    ['All of it'],
  )
})
