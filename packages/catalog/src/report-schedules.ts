// Reports on a schedule: what is to be made when and for whom, and each run with what came of it.
import type { AuditRecord } from '@auricle/audit'
import {
  ReportFormat,
  ReportInterval,
  ReportRunId,
  ReportScheduleId,
  ReportSection,
  StoredReport,
  TenantId,
  UserId,
} from '@auricle/contract'
import { z } from 'zod'
import type { QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import {
  firstOrNull,
  flag,
  integer,
  orNull,
  parsed,
  parsedOrNull,
  type Row,
  text,
  texts,
  time,
} from './row.ts'

export interface ReportScheduleRow {
  readonly id: ReportScheduleId
  readonly name: string
  readonly sections: readonly ReportSection[]
  readonly formats: readonly ReportFormat[]
  readonly every: ReportInterval
  readonly mailTo: readonly string[]
  readonly toStore: boolean
  readonly nextRunAt: Date
  readonly createdAt: Date
  readonly createdBy: UserId | null
  readonly endedAt: Date | null
}

export type NewReportScheduleRow = Omit<ReportScheduleRow, 'nextRunAt' | 'endedAt'> & {
  readonly tenantId: TenantId
}

export interface ReportRunRow {
  readonly id: ReportRunId
  readonly scheduleId: ReportScheduleId
  readonly asOf: Date
  readonly startedAt: Date
  readonly endedAt: Date | null
  readonly outcome: 'sent' | 'failed' | null
  readonly error: string | null
  readonly stored: readonly StoredReport[]
  readonly attempts: number
}

export interface ReportScheduleCatalog {
  /** Due first when the next day, Monday or month of the tenant's zone begins. */
  addReportSchedule(
    schedule: NewReportScheduleRow,
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<ReportScheduleRow>
  /** False where there is none of that id that has not ended. */
  endReportSchedule(
    end: {
      readonly tenantId: TenantId
      readonly id: ReportScheduleId
      readonly at: Date
      readonly by: UserId
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Newest first. */
  listReportSchedules(
    tenantId: TenantId,
    page: {
      readonly withEnded: boolean
      readonly beforeId: ReportScheduleId | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly ReportScheduleRow[]>
  findReportSchedule(
    tenantId: TenantId,
    id: ReportScheduleId,
    options?: QueryOptions,
  ): Promise<ReportScheduleRow | null>
  /** Newest first. */
  listReportRuns(
    tenantId: TenantId,
    page: {
      readonly scheduleId: ReportScheduleId | null
      readonly beforeId: ReportRunId | null
      readonly limit: number
    },
    options?: QueryOptions,
  ): Promise<readonly ReportRunRow[]>
  findReportRun(tenantId: TenantId, id: ReportRunId, options?: QueryOptions): Promise<ReportRunRow | null>
  /** Of any tenant, the longest due first. */
  listDueReports(
    now: Date,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly { readonly tenantId: TenantId; readonly id: ReportScheduleId }[]>
  /** The run of a schedule as of an instant: that of `run` where there was none. */
  openReportRun(
    run: {
      readonly tenantId: TenantId
      readonly id: ReportRunId
      readonly scheduleId: ReportScheduleId
      readonly asOf: Date
      readonly startedAt: Date
    },
    options?: QueryOptions,
  ): Promise<ReportRunRow>
  /** Counts an attempt, of several at once the first; false for the others, and once the run has ended. */
  takeReportRun(
    run: { readonly tenantId: TenantId; readonly id: ReportRunId; readonly attempts: number },
    options?: QueryOptions,
  ): Promise<boolean>
  commitReportFailure(
    failure: { readonly tenantId: TenantId; readonly id: ReportRunId; readonly errorCode: string },
    options?: QueryOptions,
  ): Promise<void>
  /** The commit point of a run: its outcome, and when its schedule is due next. False where it had ended before. */
  endReportRun(
    end: {
      readonly tenantId: TenantId
      readonly id: ReportRunId
      readonly at: Date
      readonly outcome: 'sent' | 'failed'
      readonly errorCode: string | null
      readonly stored: readonly StoredReport[]
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
}

/** When the day, week or month after an instant begins in the tenant's zone. */
const nextBegin = (every: string, after: string, zone: string) => `
  (date_trunc(${every}, ${after} at time zone ${zone}) + ('1 ' || ${every})::interval) at time zone ${zone}`

export function createReportSchedules(database: Database): ReportScheduleCatalog {
  const rowsOf = (
    tenantId: TenantId,
    statement: Parameters<Session['rows']>[0],
    options: QueryOptions | undefined,
  ) => database.inTenant(tenantId, session => session.rows(statement), options)

  return {
    addReportSchedule: (schedule, event, options) => {
      const { tenantId } = schedule
      return database.inTenant(
        tenantId,
        async session => {
          const [row] = await session.rows({
            text: `insert into auricle.report_schedule (tenant_id, id, name, sections, formats, every, mail_to, to_store,
                     next_run_at, created_at, created_by)
                   select t.id, $2, $3, $4, $5, $6, $7, $8, ${nextBegin('$6', '$9::timestamptz', 't.retention_zone')}, $9, $10
                   from auricle.tenant t where t.id = $1
                   returning *`,
            values: [
              ...[tenantId, schedule.id, schedule.name, schedule.sections, schedule.formats, schedule.every],
              ...[schedule.mailTo, schedule.toStore, schedule.createdAt, schedule.createdBy],
            ],
          })
          await insertEvent(session, event)
          return readSchedule(row ?? {})
        },
        options,
      )
    },

    endReportSchedule: ({ tenantId, id, at, by }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const written = await session.write({
            text: `update auricle.report_schedule set ended_at = $3, ended_by = $4
                   where tenant_id = $1 and id = $2 and ended_at is null`,
            values: [tenantId, id, at, by],
          })
          if (written > 0) await insertEvent(session, event)
          return written > 0
        },
        options,
      )
    },

    async listReportSchedules(tenantId, { withEnded, beforeId, limit }, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select * from auricle.report_schedule
                 where tenant_id = $1 and ($2 or ended_at is null) and ($3::text is null or id < $3)
                 order by id desc limit $4`,
          values: [tenantId, withEnded, beforeId, limit],
        },
        options,
      )
      return rows.map(readSchedule)
    },

    async findReportSchedule(tenantId, id, options) {
      const statement = {
        text: 'select * from auricle.report_schedule where tenant_id = $1 and id = $2',
        values: [tenantId, id],
      }
      return firstOrNull(await rowsOf(tenantId, statement, options), readSchedule)
    },

    async listReportRuns(tenantId, { scheduleId, beforeId, limit }, options) {
      const rows = await rowsOf(
        tenantId,
        {
          text: `select * from auricle.report_run
                 where tenant_id = $1 and ($2::text is null or schedule_id = $2) and ($3::text is null or id < $3)
                 order by id desc limit $4`,
          values: [tenantId, scheduleId, beforeId, limit],
        },
        options,
      )
      return rows.map(readRun)
    },

    async findReportRun(tenantId, id, options) {
      const statement = {
        text: 'select * from auricle.report_run where tenant_id = $1 and id = $2',
        values: [tenantId, id],
      }
      return firstOrNull(await rowsOf(tenantId, statement, options), readRun)
    },

    async listDueReports(now, limit, options) {
      const rows = await database.once(
        { text: 'select * from auricle.due_report_schedules($1, $2)', values: [now, limit] },
        options,
      )
      return rows.map(row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        id: parsed(row, 'id', ReportScheduleId),
      }))
    },

    openReportRun: ({ tenantId, id, scheduleId, asOf, startedAt }, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `insert into auricle.report_run (tenant_id, id, schedule_id, as_of, started_at)
                   values ($1, $2, $3, $4, $5) on conflict (tenant_id, schedule_id, as_of) do nothing`,
            values: [tenantId, id, scheduleId, asOf, startedAt],
          })
          const [row] = await session.rows({
            text: 'select * from auricle.report_run where tenant_id = $1 and schedule_id = $2 and as_of = $3',
            values: [tenantId, scheduleId, asOf],
          })
          return readRun(row ?? {})
        },
        options,
      )
    },

    takeReportRun: ({ tenantId, id, attempts }, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const taken = await session.write({
            text: `update auricle.report_run set attempts = attempts + 1
                   where tenant_id = $1 and id = $2 and attempts = $3 and ended_at is null`,
            values: [tenantId, id, attempts],
          })
          return taken > 0
        },
        options,
      )
    },

    commitReportFailure: ({ tenantId, id, errorCode }, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: 'update auricle.report_run set error = $3 where tenant_id = $1 and id = $2 and ended_at is null',
            values: [tenantId, id, errorCode],
          })
        },
        options,
      )
    },

    endReportRun: ({ tenantId, id, at, outcome, errorCode, stored }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const [run] = await session.rows({
            text: `update auricle.report_run set ended_at = $3, outcome = $4, error = $5, stored = $6
                   where tenant_id = $1 and id = $2 and ended_at is null returning schedule_id, as_of`,
            values: [tenantId, id, at, outcome, errorCode, JSON.stringify(stored)],
          })
          if (run === undefined) return false
          await session.write({
            text: `update auricle.report_schedule s
                   set next_run_at = ${nextBegin('s.every', '$3::timestamptz', 't.retention_zone')}
                   from auricle.tenant t
                   where s.tenant_id = $1 and s.id = $2 and s.next_run_at = $3 and t.id = s.tenant_id`,
            values: [tenantId, text(run, 'schedule_id'), time(run, 'as_of')],
          })
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },
  }
}

function readSchedule(row: Row): ReportScheduleRow {
  return {
    id: parsed(row, 'id', ReportScheduleId),
    name: text(row, 'name'),
    sections: parsed(row, 'sections', z.array(ReportSection)),
    formats: parsed(row, 'formats', z.array(ReportFormat)),
    every: parsed(row, 'every', ReportInterval),
    mailTo: texts(row, 'mail_to'),
    toStore: flag(row, 'to_store'),
    nextRunAt: time(row, 'next_run_at'),
    createdAt: time(row, 'created_at'),
    createdBy: parsedOrNull(row, 'created_by', UserId),
    endedAt: orNull(row, 'ended_at', time),
  }
}

function readRun(row: Row): ReportRunRow {
  return {
    id: parsed(row, 'id', ReportRunId),
    scheduleId: parsed(row, 'schedule_id', ReportScheduleId),
    asOf: time(row, 'as_of'),
    startedAt: time(row, 'started_at'),
    endedAt: orNull(row, 'ended_at', time),
    outcome: parsedOrNull(row, 'outcome', z.enum(['sent', 'failed'])),
    error: orNull(row, 'error', text),
    stored: parsed(row, 'stored', z.array(StoredReport)),
    attempts: integer(row, 'attempts'),
  }
}
