// Rules of keeping, version by version: read as they were agreed, and changed one after another.
import type { AuditRecord } from '@auricle/audit'
import { RuleDefinition, RuleEffect, RuleId, type TenantId, UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { CatalogError } from './error.ts'
import { insertEvent } from './events.ts'
import { type RetentionSettingsRow, readSettings } from './retention-settings.ts'
import { integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'

export interface RuleVersionRow {
  readonly ruleId: RuleId
  readonly name: string
  /** From 1. */
  readonly version: number
  /** Null: the rule ends with this version. */
  readonly definition: RuleDefinition | null
  /** Against what was agreed for the rule before it. */
  readonly effect: RuleEffect
  readonly proposedAt: Date
  /** Null: at the machine's console; so of every other name here. */
  readonly proposedBy: UserId | null
  readonly approvedAt: Date | null
  readonly approvedBy: UserId | null
  /** Known with the approval. */
  readonly effectiveFrom: Date | null
  readonly withdrawnAt: Date | null
  readonly withdrawnBy: UserId | null
  /** Since when decisions are made by it. */
  readonly appliedAt: Date | null
}

/** What is there when a change is judged; nobody else changes it until that is written. */
export interface RulesNow {
  readonly settings: RetentionSettingsRow
  /** Of all rules, by rule and version. */
  readonly versions: readonly RuleVersionRow[]
}

export interface RuleChange {
  /** New, or one that is there: then its approval, withdrawal and application are written, and nothing else of it. */
  readonly version: RuleVersionRow
  readonly events: readonly AuditRecord[]
}

export interface RetentionRuleCatalog {
  /** Of all rules, by rule and version. */
  listRuleVersions(tenantId: TenantId, options?: QueryOptions): Promise<readonly RuleVersionRow[]>
  /**
   * Writes what `judge` makes of the rules as they are, one change of a tenant after the other. A version that is applied
   * by it makes every decision of the tenant due again. What `judge` throws is thrown, and nothing written. Throws
   * `taken` where another rule has the name, `not_found` where there is no such tenant.
   */
  changeRules(
    tenantId: TenantId,
    judge: (now: RulesNow) => Promise<RuleChange>,
    options?: QueryOptions,
  ): Promise<RuleVersionRow>
}

export function createRetentionRules(database: Database): RetentionRuleCatalog {
  return {
    listRuleVersions: (tenantId, options) =>
      database.inTenant(tenantId, session => readVersions(session, tenantId), options),

    changeRules: (tenantId, judge, options) =>
      database.inTenant(
        tenantId,
        async session => {
          const settings = await readSettings(session, tenantId, 'lock')
          if (settings === null) throw new CatalogError('not_found', 'There is no such tenant')
          const versions = await readVersions(session, tenantId)
          const { version, events } = await judge({ settings, versions })
          const known = versions.filter(({ ruleId }) => ruleId === version.ruleId)
          if (known.length === 0) await insertRule(session, tenantId, version)
          await writeVersion(session, tenantId, version)
          const before = known.find(row => row.version === version.version)
          if (version.appliedAt !== null && (before?.appliedAt ?? null) === null)
            await session.write({
              text: 'update auricle.tenant set policy_revision = policy_revision + 1 where id = $1',
              values: [tenantId],
            })
          for (const event of events) await insertEvent(session, event)
          return version
        },
        options,
      ),
  }
}

async function readVersions(session: Session, tenantId: TenantId): Promise<readonly RuleVersionRow[]> {
  const rows = await session.rows({
    text: `select r.id, r.name, v.* from auricle.retention_rule r
           join auricle.retention_rule_version v on v.tenant_id = r.tenant_id and v.rule_id = r.id
           where r.tenant_id = $1 order by r.id, v.version`,
    values: [tenantId],
  })
  return rows.map(readVersion)
}

async function insertRule(session: Session, tenantId: TenantId, first: RuleVersionRow): Promise<void> {
  await session.write({
    text: `insert into auricle.retention_rule (tenant_id, id, name, created_at, created_by)
           values ($1, $2, $3, $4, $5)`,
    values: [tenantId, first.ruleId, first.name, first.proposedAt, first.proposedBy],
  })
}

async function writeVersion(session: Session, tenantId: TenantId, row: RuleVersionRow): Promise<void> {
  await session.write({
    text: `insert into auricle.retention_rule_version (tenant_id, rule_id, version, definition, effect, proposed_at,
             proposed_by, approved_at, approved_by, effective_from, withdrawn_at, withdrawn_by, applied_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           on conflict (tenant_id, rule_id, version) do update set
             approved_at = excluded.approved_at, approved_by = excluded.approved_by,
             effective_from = excluded.effective_from, withdrawn_at = excluded.withdrawn_at,
             withdrawn_by = excluded.withdrawn_by, applied_at = excluded.applied_at`,
    values: [
      ...[tenantId, row.ruleId, row.version],
      row.definition === null ? null : JSON.stringify(row.definition),
      ...[row.effect, row.proposedAt, row.proposedBy, row.approvedAt, row.approvedBy],
      ...[row.effectiveFrom, row.withdrawnAt, row.withdrawnBy, row.appliedAt],
    ],
  })
}

function readVersion(row: Row): RuleVersionRow {
  return {
    ruleId: parsed(row, 'rule_id', RuleId),
    name: text(row, 'name'),
    version: integer(row, 'version'),
    definition: parsedOrNull(row, 'definition', RuleDefinition),
    effect: parsed(row, 'effect', RuleEffect),
    proposedAt: time(row, 'proposed_at'),
    proposedBy: parsedOrNull(row, 'proposed_by', UserId),
    approvedAt: orNull(row, 'approved_at', time),
    approvedBy: parsedOrNull(row, 'approved_by', UserId),
    effectiveFrom: orNull(row, 'effective_from', time),
    withdrawnAt: orNull(row, 'withdrawn_at', time),
    withdrawnBy: parsedOrNull(row, 'withdrawn_by', UserId),
    appliedAt: orNull(row, 'applied_at', time),
  }
}
