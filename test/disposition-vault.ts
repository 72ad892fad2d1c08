// A vault whose recordings have come to their end: two folder stores with a clock of their own, a rule that has done with
// everything, and what is archived long ago by that clock.
import { join } from 'node:path'
import {
  type MailboxId,
  type Notice,
  newRecordSetDecisionId,
  newRuleId,
  type RecordingId,
  type RuleDefinition,
  type RuleId,
  type TenantId,
} from '@auricle/contract'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import { applyPolicy, attemptReplication, type DestroyReadyParts, sweepDue } from '@auricle/vault'
import { archiveAudio } from './archived.ts'
import { inTenant } from './disposition-fixture.ts'
import { operatorDid } from './matrix/operator.ts'
import { type Clinic, makeClinic, openTestVault, shortWav, type TestVault } from './vault.ts'

const dayMs = 86_400_000

export interface EndOfLife extends AsyncDisposable {
  readonly vault: TestVault
  readonly clinic: Clinic
  readonly tenantId: TenantId
  readonly ruleId: RuleId
  /** What time it is, for the vault and its stores. */
  readonly clock: { now: Date }
  readonly primary: FolderStore
  readonly recovery: FolderStore
  readonly parts: DestroyReadyParts
  /** Archives one, with its second copy. */
  archive(facts?: Partial<Notice>): Promise<RecordingId>
  /** Decides everything anew and proposes what is due. */
  propose(): Promise<void>
  pass(days: number): void
}

/** 100 days after what is archived, where a rule keeps for 30 and disposes of it `dispose`. */
export async function openEndOfLife(dispose: 'automatic' | 'review' = 'automatic'): Promise<EndOfLife> {
  await using opening = new AsyncDisposableStack()
  const vault = opening.use(await openTestVault())
  const clinic = await makeClinic(vault)
  const tenantId = clinic.tenant.id
  const clock = { now: new Date(Date.now() + 100 * dayMs) }
  const now = () => clock.now
  const folderStore = (name: string) =>
    createFolderStore({ folder: join(vault.folder, name), now: () => clock.now.getTime() })
  const [primary, recovery] = [folderStore('objects'), folderStore('recovery')]
  const ruleId = await addRule(vault, tenantId, { dispose })
  await leaveOutOfRecordSet(vault, tenantId, clinic.mailbox.id)
  const decided = { ...vault, now, onFailure: failed }
  const opened = opening.move()
  let count = 0
  return {
    ...{ vault, clinic, tenantId, ruleId, clock, primary, recovery },
    parts: { ...vault, stores: { primary, recovery }, backupDays: 35, now },
    async archive(facts = {}) {
      const recordingId = await archiveAudio(vault, clinic, shortWav(1), {
        sourceId: `call-${++count}`,
        ...facts,
      })
      const copied = await attemptReplication({ ...vault, recovery }, tenantId, recordingId, {})
      if (copied.status !== 'replicated') throw new Error(`not copied: ${copied.status}`)
      return recordingId
    },
    async propose() {
      await applyPolicy(decided, {})
      await sweepDue(decided, {})
    },
    pass(days) {
      clock.now = new Date(clock.now.getTime() + days * dayMs)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const failed = (_id: RecordingId, error: unknown) => {
  throw error
}

/** A rule in force over everything, that keeps for 30 days from the start. */
export async function addRule(
  vault: TestVault,
  tenantId: TenantId,
  change: Partial<RuleDefinition> = {},
): Promise<RuleId> {
  const id = newRuleId()
  await inTenant(vault.database.appPool, tenantId, client =>
    client.query(
      'insert into auricle.retention_rule (tenant_id, id, name, created_at) values ($1, $2, $2, now())',
      [tenantId, id],
    ),
  )
  await addVersion(vault, tenantId, id, 1, change)
  return id
}

/** Another version of it, in force at once; the policy is another by then. */
export async function addVersion(
  vault: TestVault,
  tenantId: TenantId,
  ruleId: RuleId,
  version: number,
  change: Partial<RuleDefinition> = {},
): Promise<void> {
  const definition: RuleDefinition = {
    appliesTo: { kinds: null, mailboxes: null, labels: null, recordSet: null },
    ...{ keep: { years: 0, months: 0, days: 30 }, from: 'start', minors: null, dispose: 'automatic' },
    ...{ disposeAfterDays: 0, lock: false, source: null, preset: null },
    ...change,
  }
  await inTenant(vault.database.appPool, tenantId, async client => {
    await client.query(
      `insert into auricle.retention_rule_version (tenant_id, rule_id, version, definition, effect, proposed_at,
         approved_at, effective_from, applied_at) values ($1, $2, $3, $4, 'same', $5, $5, $5, $5)`,
      [tenantId, ruleId, version, JSON.stringify(definition), new Date(version)],
    )
    await client.query('update auricle.tenant set policy_revision = policy_revision + 1 where id = $1', [
      tenantId,
    ])
  })
}

/** What the mailbox has is no part of the designated record set. */
export async function leaveOutOfRecordSet(
  vault: TestVault,
  tenantId: TenantId,
  mailboxId: MailboxId,
): Promise<void> {
  const { columns } = await vault.secrets.get(tenantId, {})
  const decided = {
    ...{ tenantId, id: newRecordSetDecisionId(), subject: { mailboxId }, decision: 'out' as const },
    ...{ rationale: 'of a test', decidedAt: new Date(), decidedBy: null },
  }
  await vault.catalog.decideRecordSet(decided, columns, await operatorDid(tenantId))
}

/** As if it had been made and received long ago, and no store had it locked. */
export async function makeOld(vault: TestVault, tenantId: TenantId, recordingId: RecordingId): Promise<void> {
  const { superuserPool } = vault.database
  const values = [tenantId, recordingId]
  await superuserPool.query(
    `update auricle.recording set started_at = '1990-01-02', received_at = '1990-01-02', retain_until = '1990-02-02'
     where tenant_id = $1 and id = $2`,
    values,
  )
  await superuserPool.query(
    'update auricle.retention_decision set locked = false where tenant_id = $1 and recording_id = $2',
    values,
  )
}
