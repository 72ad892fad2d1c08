// Alerts: what the compliance officer must look at, each once for its kind and subject.
import type { AuditRecord } from '@auricle/audit'
import { AlertId, TenantId, UserId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'

export interface NewAlert {
  readonly id: AlertId
  readonly tenantId: TenantId
  /** A stable word. */
  readonly kind: string
  readonly subject: { readonly type: string; readonly id: string }
  readonly raisedAt: Date
}

export interface AlertRow extends NewAlert {
  readonly acknowledgedAt: Date | null
  readonly acknowledgedBy: UserId | null
}

/** An alert, and the event that says it was raised. */
export interface RaisedAlert {
  readonly alert: NewAlert
  readonly event: AuditRecord
}

export interface AlertFilter {
  /** Only those that nobody, or that somebody, acknowledged. */
  readonly open?: boolean | undefined
  /** The last one of the page before. */
  readonly beforeId: AlertId | null
  readonly limit: number
}

export interface AlertCatalog {
  /** False, and nothing written, where there is one of that kind for that subject already. */
  raiseAlert(raised: RaisedAlert, options?: QueryOptions): Promise<boolean>
  /** Newest first. */
  listAlerts(tenantId: TenantId, filter: AlertFilter, options?: QueryOptions): Promise<readonly AlertRow[]>
  findAlert(tenantId: TenantId, id: AlertId, options?: QueryOptions): Promise<AlertRow | null>
  /** False, and nothing written, where it was acknowledged before. */
  acknowledgeAlert(
    acknowledgement: {
      readonly tenantId: TenantId
      readonly id: AlertId
      readonly by: UserId
      readonly at: Date
    },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Of all tenants, how many of each kind wait to be acknowledged. */
  countOpenAlerts(options?: QueryOptions): Promise<Readonly<Record<string, number>>>
}

export function createAlerts(database: Database): AlertCatalog {
  return {
    raiseAlert: (raised, options) =>
      database.inTenant(raised.alert.tenantId, session => insertAlert(session, raised), options),

    async listAlerts(tenantId, { open, beforeId, limit }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select * from auricle.alert
                   where tenant_id = $1 and ($2::text is null or id < $2)
                     and ($3::boolean is null or (acknowledged_at is null) = $3)
                   order by id desc limit $4`,
            values: [tenantId, beforeId, open ?? null, limit],
          })
        },
        options,
      )
      return found.map(readAlert)
    },

    async findAlert(tenantId, id, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.alert where tenant_id = $1 and id = $2',
            values: [tenantId, id],
          })
        },
        options,
      )
      return firstOrNull(found, readAlert)
    },

    acknowledgeAlert: ({ tenantId, id, by, at }, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const changed = await session.write({
            text: `update auricle.alert set acknowledged_at = $3, acknowledged_by = $4
                   where tenant_id = $1 and id = $2 and acknowledged_at is null`,
            values: [tenantId, id, at, by],
          })
          if (changed === 0) return false
          await insertEvent(session, event)
          return true
        },
        options,
      )
    },

    async countOpenAlerts(options) {
      const found = await database.once({ text: 'select * from auricle.open_alerts()', values: [] }, options)
      return Object.fromEntries(found.map(row => [text(row, 'kind'), integer(row, 'alerts')]))
    },
  }
}

/** Adds an alert and its event to a transaction; false, and neither, where it was raised before. */
export async function insertAlert(session: Session, { alert, event }: RaisedAlert): Promise<boolean> {
  const added = await session.write({
    text: `insert into auricle.alert (tenant_id, id, kind, subject_type, subject_id, raised_at)
           values ($1, $2, $3, $4, $5, $6) on conflict (tenant_id, kind, subject_id) do nothing`,
    values: [alert.tenantId, alert.id, alert.kind, alert.subject.type, alert.subject.id, alert.raisedAt],
  })
  if (added === 0) return false
  await insertEvent(session, event)
  return true
}

function readAlert(row: Row): AlertRow {
  return {
    id: parsed(row, 'id', AlertId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    kind: text(row, 'kind'),
    subject: { type: text(row, 'subject_type'), id: text(row, 'subject_id') },
    raisedAt: time(row, 'raised_at'),
    acknowledgedAt: orNull(row, 'acknowledged_at', time),
    acknowledgedBy: parsedOrNull(row, 'acknowledged_by', UserId),
  }
}
