// What is due by the decisions as they stand: found by an index on it, whatever else there is.
import { MailboxId, RecordingId, RecordingKind, type RuleId, type TenantId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database } from './database.ts'
import { DispositionKind, heldNow } from './disposition-row.ts'
import { firstOrNull, integer, orNull, parsed, parsedOrNull, type Row, time } from './row.ts'

/** A recording whose time is over by the decision that the catalog has of it. */
export interface DueRecording {
  readonly recordingId: RecordingId
  readonly dueAt: Date
  readonly keepUntil: Date
  readonly disposal: 'automatic' | 'review'
  readonly kind: RecordingKind
  readonly mailboxId: MailboxId | null
  /** Of all its objects, sealed. */
  readonly bytes: number
}

export interface DueQuery {
  readonly now: Date
  /** Only what was due before then. Default: `now`. */
  readonly dueBefore?: Date | undefined
  readonly disposal?: 'automatic' | 'review' | undefined
  readonly kind?: RecordingKind | undefined
  readonly mailboxId?: MailboxId | undefined
  readonly ruleId?: RuleId | undefined
  /** Only these. */
  readonly recordingIds?: readonly RecordingId[] | undefined
  /** Also what a person took out of a disposition since the rules last decided on it. */
  readonly alsoKept: boolean
  readonly after: Pick<DueRecording, 'dueAt' | 'recordingId'> | null
  readonly limit: number
}

export interface DueCatalog {
  /**
   * What is due by the decisions as they stand, in that order: not held, not in an open disposition, not being destroyed.
   */
  listDue(tenantId: TenantId, query: DueQuery, options?: QueryOptions): Promise<readonly DueRecording[]>
  /** When the vault itself last proposed something for review; null where it never did. */
  lastProposedByVault(tenantId: TenantId, options?: QueryOptions): Promise<Date | null>
}

/** Of items that a person took out. */
const byPerson = `('reviewer', 'rejected', 'cancelled')`

export function createDueRecordings(database: Database): DueCatalog {
  return {
    async listDue(tenantId, query, options) {
      const values: unknown[] = [tenantId]
      const bind = (value: unknown): string => `$${values.push(value)}`
      const dueBefore =
        query.dueBefore === undefined || query.dueBefore > query.now ? query.now : query.dueBefore
      const conditions = [
        'd.tenant_id = $1 and d.superseded_at is null',
        // As the index on what is due has it.
        `d.due_at is not null and d.due_at <= ${bind(dueBefore)}`,
        `d.status = 'kept' and d.disposal <> 'none'`,
        'r.destroying_at is null and r.destroyed_at is null',
        `not exists (
          select from auricle.disposition_item i
          where i.tenant_id = $1 and i.recording_id = d.recording_id and i.state in ('listed', 'destroying')
        )`,
        `not ${heldNow('d.recording_id')}`,
      ]
      if (!query.alsoKept) {
        conditions.push(`not exists (
          select from auricle.disposition_item i
          where i.tenant_id = $1 and i.recording_id = d.recording_id and i.state = 'kept'
            and i.changed_at >= d.decided_at and i.reason in ${byPerson}
        )`)
      }
      if (query.disposal !== undefined) conditions.push(`d.disposal = ${bind(query.disposal)}`)
      if (query.kind !== undefined) conditions.push(`r.kind = ${bind(query.kind)}`)
      if (query.mailboxId !== undefined) conditions.push(`r.mailbox_id = ${bind(query.mailboxId)}`)
      if (query.ruleId !== undefined) conditions.push(`d.rule_id = ${bind(query.ruleId)}`)
      if (query.recordingIds !== undefined)
        conditions.push(`d.recording_id = any (${bind(query.recordingIds)}::text[])`)
      if (query.after !== null)
        conditions.push(
          `(d.due_at, d.recording_id) > (${bind(query.after.dueAt)}, ${bind(query.after.recordingId)})`,
        )
      const statement = {
        text: `select d.recording_id, d.due_at, d.keep_until, d.disposal, r.kind, r.mailbox_id,
                 (select coalesce(sum(b.sealed_bytes), 0)::bigint from auricle.recording_object b
                  where b.tenant_id = $1 and b.recording_id = d.recording_id) as bytes
               from auricle.retention_decision d
               join auricle.recording r on r.tenant_id = d.tenant_id and r.id = d.recording_id
               where ${conditions.join(' and ')}
               order by d.due_at, d.recording_id limit ${bind(query.limit)}`,
        values,
      }
      const found = await database.inTenant(tenantId, session => session.rows(statement), options)
      return found.map(readDue)
    },

    async lastProposedByVault(tenantId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select max(proposed_at) as at from auricle.disposition
                   where tenant_id = $1 and kind = 'review' and proposed_by is null`,
            values: [tenantId],
          })
        },
        options,
      )
      return firstOrNull(found, row => orNull(row, 'at', time))
    },
  }
}

function readDue(row: Row): DueRecording {
  return {
    recordingId: parsed(row, 'recording_id', RecordingId),
    dueAt: time(row, 'due_at'),
    keepUntil: time(row, 'keep_until'),
    disposal: parsed(row, 'disposal', DispositionKind),
    kind: parsed(row, 'kind', RecordingKind),
    mailboxId: parsedOrNull(row, 'mailbox_id', MailboxId),
    bytes: integer(row, 'bytes'),
  }
}
