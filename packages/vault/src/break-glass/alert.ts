// Alerts of the vault: made with their event, listed, acknowledged.
import { type AuditEvent, newPrivatePart } from '@auricle/audit'
import type { AlertRow, Catalog, RaisedAlert } from '@auricle/catalog'
import {
  type AlertId,
  type AlertPage,
  type AlertQuery,
  type AlertView,
  newAlertId,
  type TenantId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { appendOrRefuse } from '../access-event.ts'
import { auditRecord, type EventFacts, type PrivateFacts } from '../audit-record.ts'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'

export type AlertKind =
  | 'break_glass_started'
  | 'review_overdue'
  | 'activity_review_overdue'
  | 'emergency_code_used'
  | 'group_roles_changed'
  | 'identity_linked'
  | 'factors_reset'
  | 'sign_in_locked'
  | 'log_refused'
  | 'log_stragglers'

/** Told of each alert once it is durable, for logs and counters. */
export type OnAlert = (alert: { readonly id: AlertId; readonly kind: string }) => void

/** An alert and its event, to be committed with what it is about. */
export async function newAlert(
  tenantId: TenantId,
  kind: AlertKind,
  subject: { readonly type: string; readonly id: string },
  cause: Pick<EventFacts, 'actor' | 'request'>,
  secret: PrivateFacts | null,
  now: Date,
): Promise<RaisedAlert> {
  const alert = { id: newAlertId(), tenantId, kind, subject, raisedAt: now }
  const object = { type: 'alert', id: alert.id, version: null }
  const facts: EventFacts = {
    ...cause,
    tenantId,
    action: 'alert.raised',
    outcome: 'allowed',
    object,
    reasons: [kind],
  }
  return { alert, event: await auditRecord(facts, secret, now) }
}

export type AlertParts = AuthorizeParts & {
  readonly catalog: Pick<Catalog, 'listAlerts' | 'findAlert' | 'acknowledgeAlert'>
}

/** Newest first. */
export async function listAlerts(
  parts: AlertParts,
  facts: RequestFacts,
  { open, cursor, limit }: AlertQuery,
  options: CallOptions,
): Promise<AlertPage> {
  const { tenantId } = facts.actor
  const now = parts.now?.() ?? new Date()
  const secrets = await parts.secrets.get(tenantId, options)
  const circumstances = { now, purpose: facts.purposeOfUse }
  const decision = parts.decide(facts.actor, 'alert.read', { type: 'tenant', tenantId }, circumstances)
  await appendOrRefuse({ ...parts, secrets }, facts, 'alert.listed', null, decision, options)
  const rows = await parts.catalog.listAlerts(
    tenantId,
    { open, beforeId: cursor ?? null, limit: limit + 1 },
    options,
  )
  const page = rows.slice(0, limit)
  return {
    alerts: page.map(viewOf),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  }
}

/** Throws `conflict` where somebody has done so before. */
export async function acknowledgeAlert(
  parts: AlertParts,
  facts: RequestFacts,
  id: AlertId,
  options: CallOptions,
): Promise<AlertView> {
  const { tenantId, userId } = facts.actor
  const object: AuditEvent['object'] = { type: 'alert', id, version: null }
  const alert = await parts.catalog.findAlert(tenantId, id, options)
  if (alert === null) throw new VaultError('not_found', 'There is no such alert')
  const { now, record } = await authorize(
    parts,
    facts,
    { action: 'alert.acknowledge', log: 'alert.acknowledged', object },
    options,
  )
  const change = { tenantId, id, by: userId, at: now }
  const isFirst = await parts.catalog.acknowledgeAlert(change, await record(object, [alert.kind]), options)
  if (!isFirst) throw new VaultError('conflict', 'The alert was acknowledged before')
  return viewOf({ ...alert, acknowledgedAt: now, acknowledgedBy: userId })
}

function viewOf({ id, kind, subject, raisedAt, acknowledgedAt, acknowledgedBy }: AlertRow): AlertView {
  return {
    id,
    kind,
    subject,
    raisedAt: raisedAt.toISOString(),
    acknowledgement:
      acknowledgedAt === null || acknowledgedBy === null
        ? null
        : { by: acknowledgedBy, at: acknowledgedAt.toISOString() },
  }
}

/** What a request says of itself, for the private part of its events. */
export function originPart(
  { ip, userAgent }: Pick<RequestFacts, 'ip' | 'userAgent'>,
  reason?: string,
): PrivateFacts['part'] {
  return newPrivatePart({ ip, userAgent, reason })
}
