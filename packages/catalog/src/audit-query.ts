// The query of a search in the sealed log: newest first, from an index, whatever is filtered.
import type { EventId, PatientId, TenantId } from '@auricle/contract'
import type { Statement } from './database.ts'

/** A place in the log of a year. */
export interface LogPosition {
  readonly year: number
  readonly seq: number
}

/** All that are given must hold. */
export interface AuditFilter {
  /** Only leaves before it. */
  readonly asOf: LogPosition
  readonly actorId?: string | undefined
  readonly objectId?: string | undefined
  readonly patientId?: PatientId | undefined
  /** Any of them. */
  readonly actions?: readonly string[] | undefined
  readonly outcome?: string | undefined
  /** Time of the event: `from` inclusive, `to` exclusive. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  /** After this one, in the order of the list. */
  readonly after: { readonly at: Date; readonly id: EventId } | null
  readonly limit: number
}

export const sealColumns = `s.year, s.seq, s.event_id, s.leaf_hash, s.at, s.action, s.outcome, s.actor_id, s.object_id`

/** What a leaf and its seal are read with. */
export const withEvents = (seals: string, order: string): string =>
  `select ${sealColumns}, e.leaf, e.sealed_private, e.recorded_at from (${seals}) s
   left join auricle.audit_event e on e.tenant_id = $1 and e.id = s.event_id ${order}`

export function auditQuery(tenantId: TenantId, filter: AuditFilter): Statement {
  const values: unknown[] = [tenantId]
  const bind = (value: unknown): string => `$${values.push(value)}`
  const { asOf, actorId, objectId, patientId, actions, outcome, from, to, after, limit } = filter
  const year = bind(asOf.year)
  // Not as a row: the planner takes that for rare, and would read the whole log by its place.
  const conditions = [
    `s.tenant_id = $1`,
    `(s.year < ${year} or s.year = ${year} and s.seq < ${bind(asOf.seq)})`,
  ]
  // The patient's own index is in the order of the list, but for the ids of one moment.
  const at = patientId === undefined ? 's.at' : 'p.at'
  if (patientId !== undefined) conditions.push(`p.tenant_id = $1 and p.patient_id = ${bind(patientId)}`)
  if (actorId !== undefined) conditions.push(`s.actor_id = ${bind(actorId)}`)
  if (objectId !== undefined) conditions.push(`s.object_id = ${bind(objectId)}`)
  if (actions !== undefined) {
    const [only, ...others] = actions
    conditions.push(
      only !== undefined && others.length === 0
        ? `s.action = ${bind(only)}`
        : `s.action = any (${bind([...actions])}::text[])`,
    )
  }
  // Refusals and failures have an index of their own, which this form of the condition lets the planner use.
  if (outcome !== undefined) {
    conditions.push(
      `s.outcome = ${bind(outcome)}${outcome === 'allowed' ? '' : " and s.outcome <> 'allowed'"}`,
    )
  }
  if (from !== undefined) conditions.push(`${at} >= ${bind(from)}`)
  if (to !== undefined) conditions.push(`${at} < ${bind(to)}`)
  if (after !== null) {
    const place = bind(after.at)
    if (patientId !== undefined) conditions.push(`p.at <= ${place}`)
    conditions.push(`(s.at, s.event_id) < (${place}, ${bind(after.id)})`)
  }
  const tables =
    patientId === undefined
      ? 'auricle.audit_seal s'
      : `auricle.audit_patient p
         join auricle.audit_seal s on s.tenant_id = p.tenant_id and s.year = p.year and s.seq = p.seq`
  const seals = `select ${sealColumns} from ${tables} where ${conditions.join(' and ')}
    order by ${at} desc, s.event_id desc limit ${bind(limit)}`
  return { text: withEvents(seals, 'order by s.at desc, s.event_id desc'), values }
}
