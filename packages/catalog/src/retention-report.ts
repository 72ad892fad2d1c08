// The retention report of a tenant as of any instant: figures, holds, lines, the last look at the stores.

import type { ReportAmount } from '@auricle/contract'
import {
  DriftRunId,
  HoldId,
  type MailboxId,
  type RecordingId,
  type ReportSection,
  type RuleId,
  type TenantId,
} from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import type { Database, Session, Statement } from './database.ts'
import {
  figuresStatement,
  type ReportFigures,
  type ReportFrame,
  readAmount,
  readFigures,
  readFrame,
} from './retention-figures.ts'
import {
  type DestroyedLine,
  destroyedLines,
  type OverdueFigure,
  type OverdueLine,
  overdueFigures,
  overdueLines,
  readDestroyedLine,
  readOverdueFigure,
  readOverdueLine,
} from './retention-lines.ts'
import { bytes, integer, parsed, type Row, text, time } from './row.ts'
import { openColumn } from './sealed-column.ts'

export interface HoldFigure extends ReportAmount {
  readonly id: HoldId
  /** Null where it was not opened. */
  readonly matter: string | null
  readonly placedAt: Date
  readonly custodians: number
  readonly acknowledged: number
}

export interface ReconciledRun {
  readonly id: DriftRunId
  readonly startedAt: Date
  readonly endedAt: Date
  readonly recordings: number
  readonly objects: number
  readonly findings: readonly {
    readonly kind: string
    readonly store: 'primary' | 'recovery'
    readonly found: number
    readonly mended: number
  }[]
}

export interface RetentionReportRows extends ReportFigures {
  readonly frame: ReportFrame
  readonly tenantName: string
  /** As it was stored (`StoragePrice`): whoever takes it checks it. */
  readonly storagePrice: unknown
  readonly overdue: readonly OverdueFigure[]
  readonly holds: readonly HoldFigure[]
  /** How many that were destroyed have a certificate that is signed. */
  readonly certified: number
  readonly reconciled: ReconciledRun | null
  readonly ruleNames: ReadonlyMap<RuleId, string>
  readonly mailboxNames: ReadonlyMap<MailboxId, string>
}

export interface ReportWanted {
  readonly asOf: Date
  readonly sections: readonly ReportSection[]
  readonly columns: ColumnKeys | null
}

export interface RetentionReportCatalog {
  /**
   * All of one state of the database; names of matters are opened with `columns`. What none of the sections shows is not
   * asked for, and empty. Null where there is no such tenant.
   */
  readRetentionReport(
    tenantId: TenantId,
    { asOf, sections, columns }: ReportWanted,
    options?: QueryOptions,
  ): Promise<RetentionReportRows | null>
  /** Should have been destroyed by then and was not; by id. */
  listOverdue(
    tenantId: TenantId,
    asOf: Date,
    page: { readonly after: RecordingId | null; readonly limit: number },
    options?: QueryOptions,
  ): Promise<readonly OverdueLine[]>
  /** Newest first. */
  listDestroyed(
    tenantId: TenantId,
    asOf: Date,
    page: {
      readonly before: Pick<DestroyedLine, 'destroyedAt' | 'recordingId'> | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly DestroyedLine[]>
}

export function createRetentionReport(database: Database): RetentionReportCatalog {
  return {
    readRetentionReport: (tenantId, { asOf, sections, columns }, options) => {
      const wants = (...shown: readonly ReportSection[]) => shown.some(section => sections.includes(section))
      return database.inSnapshot(
        tenantId,
        async session => {
          const [tenant] = await session.rows({
            text: 'select name, storage_price from auricle.tenant where id = $1',
            values: [tenantId],
          })
          if (tenant === undefined) return null
          const rows = async (isWanted: boolean, statement: () => Statement) =>
            isWanted ? await session.rows(statement()) : []
          const frame = await readFrame(session, tenantId, asOf)
          const counted = wants('status', 'due', 'holds', 'destroyed', 'storage')
          const figures = await rows(counted, () => figuresStatement(tenantId, asOf, frame))
          const overdue = await rows(wants('overdue'), () => overdueFigures(tenantId, asOf))
          return {
            ...readFigures(figures),
            frame,
            tenantName: text(tenant, 'name'),
            storagePrice: tenant['storage_price'],
            overdue: overdue.map(readOverdueFigure),
            holds: wants('holds') ? await readHolds(session, tenantId, asOf, columns) : [],
            certified: wants('destroyed') ? await countCertified(session, tenantId, asOf) : 0,
            reconciled: wants('reconciliation') ? await readReconciled(session, tenantId, asOf) : null,
            ruleNames: await readNames<RuleId>(session, tenantId, 'retention_rule'),
            mailboxNames: await readNames<MailboxId>(session, tenantId, 'mailbox'),
          }
        },
        options,
      )
    },

    async listOverdue(tenantId, asOf, page, options) {
      const statement = overdueLines(tenantId, asOf, page)
      const rows = await database.inTenant(tenantId, session => session.rows(statement), options)
      return rows.map(readOverdueLine)
    },

    async listDestroyed(tenantId, asOf, page, options) {
      const statement = destroyedLines(tenantId, asOf, page)
      const rows = await database.inTenant(tenantId, session => session.rows(statement), options)
      return rows.map(readDestroyedLine)
    },
  }
}

async function readHolds(
  session: Session,
  tenantId: TenantId,
  asOf: Date,
  columns: ColumnKeys | null,
): Promise<readonly HoldFigure[]> {
  const rows = await session.rows({
    text: `select h.id, h.matter, h.placed_at, coalesce(c.recordings, 0) as recordings, coalesce(c.bytes, 0) as bytes,
             coalesce(c.sound_ms, 0) as sound_ms, coalesce(u.custodians, 0) as custodians,
             coalesce(u.acknowledged, 0) as acknowledged
           from auricle.legal_hold h
           left join (
             select c.hold_id, count(*) as recordings, sum(r.stored_bytes) as bytes, sum(r.duration_ms) as sound_ms
             from auricle.hold_cover c
             join auricle.recording r on r.tenant_id = c.tenant_id and r.id = c.recording_id
             where c.tenant_id = $1 and c.covered_at <= $2 and (c.released_at is null or c.released_at > $2)
               and r.archived_at <= $2 and (r.destroyed_at is null or r.destroyed_at > $2)
             group by c.hold_id
           ) c on c.hold_id = h.id
           left join (
             select u.hold_id, count(*) as custodians, count(*) filter (where u.acknowledged_at <= $2) as acknowledged
             from auricle.hold_custodian u where u.tenant_id = $1 and u.added_at <= $2 group by u.hold_id
           ) u on u.hold_id = h.id
           where h.tenant_id = $1 and h.placed_at <= $2 and (h.released_at is null or h.released_at > $2)
           order by h.placed_at, h.id`,
    values: [tenantId, asOf],
  })
  return rows.map(row => {
    const id = parsed(row, 'id', HoldId)
    const place = { tenantId, table: 'legal_hold', column: 'matter', rowId: id }
    return {
      ...readAmount(row),
      id,
      matter: columns === null ? null : openColumn(columns, place, bytes(row, 'matter')),
      placedAt: time(row, 'placed_at'),
      custodians: integer(row, 'custodians'),
      acknowledged: integer(row, 'acknowledged'),
    }
  })
}

async function countCertified(session: Session, tenantId: TenantId, asOf: Date): Promise<number> {
  const [row] = await session.rows({
    text: 'select count(*) as certified from auricle.certificate where tenant_id = $1 and issued_at <= $2',
    values: [tenantId, asOf],
  })
  return row === undefined ? 0 : integer(row, 'certified')
}

async function readReconciled(
  session: Session,
  tenantId: TenantId,
  asOf: Date,
): Promise<ReconciledRun | null> {
  const [run] = await session.rows({
    text: `select id, started_at, ended_at, recordings, objects from auricle.drift_run
           where tenant_id = $1 and ended_at <= $2 order by started_at desc, id desc limit 1`,
    values: [tenantId, asOf],
  })
  if (run === undefined) return null
  const id = parsed(run, 'id', DriftRunId)
  const findings = await session.rows({
    text: `select kind, store, count(*) as found, count(*) filter (where mended) as mended
           from auricle.drift_finding where tenant_id = $1 and run_id = $2 group by kind, store order by kind, store`,
    values: [tenantId, id],
  })
  return {
    id,
    startedAt: time(run, 'started_at'),
    endedAt: time(run, 'ended_at'),
    recordings: integer(run, 'recordings'),
    objects: integer(run, 'objects'),
    findings: findings.map(row => ({
      kind: text(row, 'kind'),
      store: parsed(row, 'store', z.enum(['primary', 'recovery'])),
      found: integer(row, 'found'),
      mended: integer(row, 'mended'),
    })),
  }
}

async function readNames<Id extends string>(
  session: Session,
  tenantId: TenantId,
  table: 'retention_rule' | 'mailbox',
): Promise<ReadonlyMap<Id, string>> {
  const rows: readonly Row[] = await session.rows({
    text: `select id, name from auricle.${table} where tenant_id = $1`,
    values: [tenantId],
  })
  return new Map(rows.map(row => [text(row, 'id') as Id, text(row, 'name')]))
}
