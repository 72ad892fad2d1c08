// Decisions about recordings: what the rules say of each by now, what they said before, and which have to be made again.
//
// A decision that changes is a new row, and the old one ends with it; one that comes out the same only learns by which
// policy it was made. Whoever decides holds a lock that everybody waits for who marks decisions to be made again
// (`share_decisions`, `lock_decisions`), so that no fact changes between the look at it and the row that follows.
import type { AuditRecord } from '@auricle/audit'
import { Disposal, RecordingId, RetentionStatus, RuleId, TenantId } from '@auricle/contract'
import type { NewRecording, QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { askStores } from './recording-change.ts'
import { type RetentionFactsRow, readRetentionFacts } from './retention-facts.ts'
import { readSettings } from './retention-settings.ts'
import { flag, integer, orNull, parsed, parsedOrNull, type Row, time } from './row.ts'

/** Of a decision, what is kept. */
export interface KeptDecision {
  readonly status: RetentionStatus
  /** The version that keeps it longest; null where no rule applies. */
  readonly governing: { readonly ruleId: RuleId; readonly version: number } | null
  readonly keepUntil: Date
  /** Null for every status but `kept`. */
  readonly dueAt: Date | null
  readonly disposal: Disposal
  /** On the store, for good. */
  readonly locked: boolean
}

export interface DecisionRow extends KeptDecision {
  readonly recordingId: RecordingId
  readonly decidedAt: Date
  /** Null while it holds. */
  readonly supersededAt: Date | null
  /** Of the policy that it was made by; below zero: to be made again. */
  readonly revision: number
}

/** A place among the stale: they come in the order of their revisions, then of their ids. */
export interface StaleDecision {
  readonly recordingId: RecordingId
  readonly revision: number
}

/** How to decide. */
export interface Deciding {
  /** Of the policy that `decide` goes by. */
  readonly revision: number
  readonly now: Date
  readonly columns: ColumnKeys
  /** Pure. */
  readonly decide: (facts: RetentionFactsRow) => KeptDecision
  /** Leaves those alone that were decided by this policy already. */
  readonly onlyStale: boolean
}

export interface DecidedCounts {
  readonly decided: number
  /** Of these, how many came out otherwise than before. */
  readonly changed: number
}

export interface DueVersion {
  readonly ruleId: RuleId
  readonly version: number
}

export interface RetentionDecisionCatalog {
  /** The one that holds. */
  findDecision(
    tenantId: TenantId,
    recordingId: RecordingId,
    options?: QueryOptions,
  ): Promise<DecisionRow | null>
  listTenantsWithStale(options?: QueryOptions): Promise<readonly TenantId[]>
  /** Decisions that were made by an earlier policy, or of which a fact has changed since; `limit` after the one given. */
  listStale(
    tenantId: TenantId,
    page: { readonly after: StaleDecision | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly StaleDecision[]>
  /**
   * Decides these again, in one transaction: a new row where something changed, and the stores are asked to follow it.
   * What somebody else is deciding at the moment is left to them.
   */
  decideAgain(
    tenantId: TenantId,
    recordingIds: readonly RecordingId[],
    deciding: Deciding,
    options?: QueryOptions,
  ): Promise<DecidedCounts>
  /** Tenants with a version of a rule whose time has come, and that was not applied yet. */
  listTenantsWithDueVersions(now: Date, options?: QueryOptions): Promise<readonly TenantId[]>
  listDueVersions(tenantId: TenantId, now: Date, options?: QueryOptions): Promise<readonly DueVersion[]>
  /** From here on decisions are made by it: all of the tenant's are stale. False where another was quicker. */
  applyVersion(
    version: DueVersion & { readonly tenantId: TenantId; readonly now: Date },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

export const decisionColumns = `d.recording_id, d.decided_at, d.superseded_at, d.revision, d.status, d.rule_id, d.rule_version,
  d.keep_until, d.due_at, d.disposal, d.locked`

export function createRetentionDecisions(database: Database): RetentionDecisionCatalog {
  return {
    async findDecision(tenantId, recordingId, options) {
      const found = await database.inTenant(
        tenantId,
        session => readDecisions(session, tenantId, [recordingId]),
        options,
      )
      return found[0] ?? null
    },

    async listTenantsWithStale(options) {
      const text = 'select * from auricle.tenants_with_stale_decisions() as tenant_id'
      const found = await database.once({ text, values: [] }, options)
      return found.map(row => parsed(row, 'tenant_id', TenantId))
    },

    async listStale(tenantId, { after, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select recording_id, revision from auricle.retention_decision
                   where tenant_id = $1 and superseded_at is null and (revision, recording_id) > ($2, $3)
                     and revision < (select policy_revision from auricle.tenant where id = $1)
                   order by revision, recording_id limit $4`,
            values: [tenantId, after?.revision ?? Number.MIN_SAFE_INTEGER, after?.recordingId ?? '', limit],
          }),
        options,
      )
      return found.map(row => {
        return { recordingId: parsed(row, 'recording_id', RecordingId), revision: integer(row, 'revision') }
      })
    },

    decideAgain: (tenantId, recordingIds, deciding, options) =>
      database.inTenant(tenantId, session => decideIn(session, tenantId, recordingIds, deciding), options),

    async listTenantsWithDueVersions(now, options) {
      const text = 'select * from auricle.tenants_with_due_rules($1) as tenant_id'
      const found = await database.once({ text, values: [now] }, options)
      return found.map(row => parsed(row, 'tenant_id', TenantId))
    },

    async listDueVersions(tenantId, now, options) {
      const found = await database.inTenant(
        tenantId,
        session =>
          session.rows({
            text: `select rule_id, version from auricle.retention_rule_version
                   where tenant_id = $1 and approved_at is not null and applied_at is null and withdrawn_at is null
                     and effective_from <= $2
                   order by effective_from, rule_id, version`,
            values: [tenantId, now],
          }),
        options,
      )
      return found.map(row => {
        return { ruleId: parsed(row, 'rule_id', RuleId), version: integer(row, 'version') }
      })
    },

    applyVersion: ({ tenantId, ruleId, version, now }, event, options) =>
      database.inTenant(
        tenantId,
        async session => {
          // Whoever changes rules has that lock first.
          await readSettings(session, tenantId, 'lock')
          const applied = await session.write({
            text: `update auricle.retention_rule_version set applied_at = $4
                   where tenant_id = $1 and rule_id = $2 and version = $3 and approved_at is not null
                     and applied_at is null and withdrawn_at is null and effective_from <= $4`,
            values: [tenantId, ruleId, version, now],
          })
          if (applied === 0) return false
          await session.write({
            text: 'update auricle.tenant set policy_revision = policy_revision + 1 where id = $1',
            values: [tenantId],
          })
          await insertEvent(session, event)
          return true
        },
        options,
      ),
  }
}

/** Adds the first decision of a recording to a transaction. */
export async function insertFirstDecision(
  session: Session,
  { tenantId, id: recordingId, archivedAt: at, decision }: NewRecording,
): Promise<void> {
  await insertDecisions(session, tenantId, decision.revision, [{ recordingId, at, decision }])
}

async function decideIn(
  session: Session,
  tenantId: TenantId,
  recordingIds: readonly RecordingId[],
  { revision, now, columns, decide, onlyStale }: Deciding,
): Promise<DecidedCounts> {
  await session.rows({ text: 'select auricle.share_decisions($1)', values: [tenantId] })
  const all = await readDecisions(session, tenantId, recordingIds, 'for update skip locked')
  const earlier = all.filter(row => !onlyStale || row.revision < revision)
  const ids = earlier.map(({ recordingId }) => recordingId)
  if (ids.length === 0) return { decided: 0, changed: 0 }
  const facts = await readRetentionFacts(session, tenantId, ids, columns)
  const decisions = new Map(facts.map(row => [row.recordingId, decide(row)]))
  const changes: Change[] = []
  const same: RecordingId[] = []
  const followed: RecordingId[] = []
  for (const row of earlier) {
    // What is destroyed has no facts any more, and keeps its last decision.
    const decision = decisions.get(row.recordingId)
    if (decision === undefined || isSame(row, decision)) same.push(row.recordingId)
    else {
      changes.push({ recordingId: row.recordingId, at: after(row.decidedAt, now), decision })
      if (isForStores(row, decision)) followed.push(row.recordingId)
    }
  }
  await session.write({
    text: `update auricle.retention_decision set revision = $2
           where tenant_id = $1 and recording_id = any ($3) and superseded_at is null and revision <> $2`,
    values: [tenantId, revision, same],
  })
  await supersede(session, tenantId, revision, changes)
  await askStores(session, tenantId, followed, now)
  return { decided: earlier.length, changed: changes.length }
}

interface Change {
  readonly recordingId: RecordingId
  readonly at: Date
  readonly decision: KeptDecision
}

/** What stores follow: how long, whether for good, and that what waits for an event is held. */
function isForStores(one: KeptDecision, other: KeptDecision): boolean {
  return (
    one.keepUntil.getTime() !== other.keepUntil.getTime() ||
    one.locked !== other.locked ||
    (one.status === 'waiting') !== (other.status === 'waiting')
  )
}

async function supersede(
  session: Session,
  tenantId: TenantId,
  revision: number,
  changes: readonly Change[],
): Promise<void> {
  if (changes.length === 0) return
  await session.write({
    text: `update auricle.retention_decision d set superseded_at = c.at
           from unnest($2::text[], $3::timestamptz[]) c (recording_id, at)
           where d.tenant_id = $1 and d.recording_id = c.recording_id and d.superseded_at is null`,
    values: [tenantId, changes.map(({ recordingId }) => recordingId), changes.map(({ at }) => at)],
  })
  await insertDecisions(session, tenantId, revision, changes)
}

async function insertDecisions(
  session: Session,
  tenantId: TenantId,
  revision: number,
  changes: readonly Change[],
): Promise<void> {
  const decisions = changes.map(({ decision }) => decision)
  await session.write({
    text: `insert into auricle.retention_decision
             (tenant_id, revision, recording_id, decided_at, status, rule_id, rule_version, keep_until, due_at, disposal,
              locked)
           select $1, $2, * from unnest($3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::integer[],
             $8::timestamptz[], $9::timestamptz[], $10::text[], $11::boolean[])`,
    values: [
      tenantId,
      revision,
      changes.map(({ recordingId }) => recordingId),
      changes.map(({ at }) => at),
      decisions.map(({ status }) => status),
      decisions.map(({ governing }) => governing?.ruleId ?? null),
      decisions.map(({ governing }) => governing?.version ?? null),
      decisions.map(({ keepUntil }) => keepUntil),
      decisions.map(({ dueAt }) => dueAt),
      decisions.map(({ disposal }) => disposal),
      decisions.map(({ locked }) => locked),
    ],
  })
}

async function readDecisions(
  session: Session,
  tenantId: TenantId,
  recordingIds: readonly RecordingId[],
  locking: '' | 'for update skip locked' = '',
): Promise<readonly DecisionRow[]> {
  const found = await session.rows({
    text: `select ${decisionColumns} from auricle.retention_decision d
           where d.tenant_id = $1 and d.recording_id = any ($2) and d.superseded_at is null
           order by d.recording_id ${locking}`,
    values: [tenantId, recordingIds],
  })
  return found.map(readDecision)
}

export function readDecision(row: Row): DecisionRow {
  const ruleId = parsedOrNull(row, 'rule_id', RuleId)
  return {
    recordingId: parsed(row, 'recording_id', RecordingId),
    decidedAt: time(row, 'decided_at'),
    supersededAt: orNull(row, 'superseded_at', time),
    revision: integer(row, 'revision'),
    status: parsed(row, 'status', RetentionStatus),
    governing: ruleId === null ? null : { ruleId, version: integer(row, 'rule_version') },
    keepUntil: time(row, 'keep_until'),
    dueAt: orNull(row, 'due_at', time),
    disposal: parsed(row, 'disposal', Disposal),
    locked: flag(row, 'locked'),
  }
}

function isSame(one: KeptDecision, other: KeptDecision): boolean {
  return (
    one.status === other.status &&
    one.disposal === other.disposal &&
    one.locked === other.locked &&
    one.keepUntil.getTime() === other.keepUntil.getTime() &&
    one.dueAt?.getTime() === other.dueAt?.getTime() &&
    one.governing?.ruleId === other.governing?.ruleId &&
    one.governing?.version === other.governing?.version
  )
}

/** Rows of a recording follow each other, also where clocks do not agree. */
function after(time: Date, now: Date): Date {
  return new Date(Math.max(now.getTime(), time.getTime() + 1))
}
