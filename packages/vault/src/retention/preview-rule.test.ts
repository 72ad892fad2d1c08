import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { NewRetentionPreview, newRuleId, newTokenId, RetentionPreview, type TenantId } from '@auricle/contract'
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
  await vault.catalog.decideRecordSet(
    {
      ...{ tenantId, id: 'rsd_01jd3w8h9k6n2q4s5t7v8x9y0z', subject: { mailboxId: clinic.mailbox.id } },
      ...{ decision: 'in', rationale: 'of a test', decidedAt: now, decidedBy: null },
    } as never,
    (await vault.secrets.get(tenantId)).columns,
    anEvent(tenantId),
  )
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
