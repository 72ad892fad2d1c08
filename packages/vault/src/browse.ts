// Listing, showing, marking and labelling recordings: facts, no audio.
import type { AuditRecord } from '@auricle/audit'
import type { Catalog, RecordingFilter, RecordingRow } from '@auricle/catalog'
import {
  Label,
  type LabelChange,
  type MailboxId,
  type RecordingId,
  type RecordingPage,
  type RecordingQuery,
  type RecordingView,
} from '@auricle/contract'
import type { Decide, Decision, UserActor } from '@auricle/identity'
import { stateAt } from '@auricle/retention'
import type { CallOptions } from '@auricle/sealed'
import { appendAccess, appendOrRefuse } from './access-event.ts'
import { auditRecord } from './audit-record.ts'
import { authorize } from './authorize.ts'
import { refusalOf, VaultError } from './error.ts'
import type { EventAppender } from './log/durable-event.ts'
import type { RequestFacts } from './request-facts.ts'
import type { TenantSecrets, TenantSecretsCache } from './tenant-secrets.ts'

export interface BrowseParts {
  readonly catalog: Pick<Catalog, 'listRecordings' | 'findRecording' | 'commitHeard' | 'commitLabels'>
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly decide: Decide
  readonly now?: () => Date
}

/**
 * Recordings that the actor may see: of their mailboxes, or of all where their role or open emergency access says so;
 * without those whose labels keep them out. A mailbox that is not theirs gives `denied`.
 */
export async function listRecordings(
  parts: BrowseParts,
  facts: RequestFacts,
  query: RecordingQuery,
  options: CallOptions,
): Promise<RecordingPage> {
  const { actor } = facts
  const { tenantId } = actor
  const secrets = await parts.secrets.get(tenantId, options)
  const now = parts.now?.() ?? new Date()
  const circumstances = { now, purpose: facts.purposeOfUse }
  const general = parts.decide(actor, 'recording.list', { type: 'tenant', tenantId }, circumstances)
  const sight = sightOf(actor, query.mailbox, now)
  const foreign =
    query.mailbox !== undefined && sight.mailboxIds !== null && !sight.mailboxIds.includes(query.mailbox)
  const decision = general.allowed ? withSight(general, sight, foreign) : general
  const object = query.mailbox === undefined ? null : { type: 'mailbox', id: query.mailbox, version: null }
  const searching = { ...facts, number: query.number }
  const appending = { ...parts, secrets }
  if (!decision.allowed) {
    await appendAccess(appending, searching, 'recording.listed', object, decision, options)
    throw refusalOf(decision)
  }

  const filter: RecordingFilter = {
    mailboxIds: query.mailbox === undefined ? sight.mailboxIds : [query.mailbox],
    withoutLabels: sight.withoutLabels,
    label: query.label,
    kind: query.kind,
    after: query.after === undefined ? undefined : new Date(query.after),
    before: query.before === undefined ? undefined : new Date(query.before),
    number: query.number,
    heard: query.heard,
    held: query.held,
    cursor: query.cursor,
    limit: query.limit,
  }
  // Read first, since the event names the patients of the page; nothing of it is shown before the event is durable.
  const page = await parts.catalog.listRecordings(tenantId, filter, secrets.columns, options)
  const shown = {
    patients: [...new Set(page.recordings.flatMap(({ patientId }) => patientId ?? []))],
    detail: { kind: 'found', count: page.recordings.length } as const,
  }
  await appendAccess(appending, { ...searching, ...shown }, 'recording.listed', object, decision, options)
  return { recordings: page.recordings.map(row => viewOf(row, now)), nextCursor: page.nextCursor }
}

export async function showRecording(
  parts: BrowseParts,
  facts: RequestFacts,
  id: RecordingId,
  options: CallOptions,
): Promise<RecordingView> {
  const { tenantId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const row = await find(parts, facts, 'recording.shown', id, secrets, options)
  const decision = decideOn(parts, facts, 'recording.show', row)
  const object = { type: 'recording', id, version: null }
  const about = { ...facts, patients: patientsOf(row) }
  await appendOrRefuse({ ...parts, secrets }, about, 'recording.shown', object, decision, options)
  return viewOf(row, timeOf(parts))
}

/** Marks heard or unheard, in one transaction with its event. Who heard it first stays on record. */
export async function markRecording(
  parts: BrowseParts,
  facts: RequestFacts,
  id: RecordingId,
  heard: boolean,
  options: CallOptions,
): Promise<RecordingView> {
  const { tenantId, userId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const row = await find(parts, facts, 'recording.marked', id, secrets, options)
  const decision = decideOn(parts, facts, 'recording.mark', row)
  const object = { type: 'recording', id, version: null }
  const patients = patientsOf(row)
  if (!decision.allowed) {
    const about = { ...facts, patients }
    await appendOrRefuse({ ...parts, secrets }, about, 'recording.marked', object, decision, options)
  }
  const event = await auditRecord(
    {
      tenantId,
      action: 'recording.marked',
      outcome: 'allowed',
      actor: facts.actor,
      object,
      reasons: [heard ? 'heard' : 'unheard', ...decision.reasons],
      patients,
      request: facts.request,
    },
    null,
  )
  const mark = { tenantId, recordingId: id, heard: heard ? { at: new Date(), by: userId } : null }
  await parts.catalog.commitHeard(mark, event, options)
  return viewOf(await find(parts, facts, 'recording.marked', id, secrets, options), timeOf(parts))
}

/** Puts labels on or takes them off, in one transaction with the event that names them. */
export async function labelRecording(
  parts: BrowseParts,
  facts: RequestFacts,
  id: RecordingId,
  { add, remove }: LabelChange,
  options: CallOptions,
): Promise<RecordingView> {
  const { tenantId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const { mailboxId, labels } = await find(parts, facts, 'recording.labelled', id, secrets, options)
  const resource = { type: 'recording', tenantId, recordingId: id, mailboxId, labels } as const
  const object = { type: 'recording', id, version: null }
  const asked = { resource, log: 'recording.labelled', object } as const
  const words = [...add, ...remove.map(label => `without_${label}`)]
  // Taking off is the greater right: it lets others in.
  const actions = [
    ...(remove.length > 0 ? ['recording.unlabel' as const] : []),
    ...(add.length > 0 ? ['recording.label' as const] : []),
  ]
  let event: AuditRecord | null = null
  for (const action of actions) {
    const { record } = await authorize(parts, facts, { action, ...asked }, options)
    event ??= await record(object, words)
  }
  if (event !== null)
    await parts.catalog.commitLabels({ tenantId, recordingId: id, add, remove }, event, options)
  return viewOf(await find(parts, facts, 'recording.labelled', id, secrets, options), timeOf(parts))
}

/** The log says where it was emergency access that let somebody see more than their own. */
function withSight(
  general: Decision,
  { isEmergency }: { readonly isEmergency: boolean },
  foreign: boolean,
): Decision {
  if (foreign) return { allowed: false, reasons: ['not_owner'] }
  return isEmergency ? { allowed: true, reasons: ['break_glass', ...general.reasons] } : general
}

/** What somebody sees in a list, of one mailbox or of all: null for all mailboxes. As `can` has it for `recording.show`. */
function sightOf(
  { roles, mailboxes, breakGlass, token }: UserActor,
  mailbox: MailboxId | undefined,
  now: Date,
) {
  const isOfficer = roles.includes('compliance_officer')
  const hasBroken = token.kind === 'session' && breakGlass !== null && breakGlass.until > now
  const kinds = [
    ...(roles.includes('clinician') ? ['owner', 'team', 'delegation'] : []),
    ...(roles.includes('supervisor') ? ['supervises'] : []),
  ]
  const own: MailboxId[] = mailboxes
    .filter(({ kind, until }) => kinds.includes(kind) && (until === null || until > now))
    .map(({ mailboxId }) => mailboxId)
  const reachesOthers = hasBroken && !(mailbox !== undefined && own.includes(mailbox))
  const sees = (label: Label): boolean => {
    if (isOfficer) return true
    const isKeyed = roles.includes(`hears_${label}`)
    // The key to psychotherapy is for one's own mailboxes, also in an emergency.
    return label === 'psychotherapy' ? isKeyed && !reachesOthers : isKeyed || hasBroken
  }
  return {
    mailboxIds: isOfficer || hasBroken ? null : own,
    isEmergency: hasBroken && !isOfficer,
    withoutLabels: Label.options.filter(label => !sees(label)),
  }
}

function decideOn(
  { decide, now }: BrowseParts,
  { actor, purposeOfUse }: RequestFacts,
  action: 'recording.show' | 'recording.mark',
  { tenantId, id: recordingId, mailboxId, labels }: RecordingRow,
) {
  const resource = { type: 'recording', tenantId, recordingId, mailboxId, labels } as const
  return decide(actor, action, resource, { now: now?.() ?? new Date(), purpose: purposeOfUse })
}

/** Who asks for what is not there, or is another tenant's, may be trying ids: that is in the log too. */
async function find(
  parts: BrowseParts,
  facts: RequestFacts,
  log: 'recording.shown' | 'recording.marked' | 'recording.labelled',
  id: RecordingId,
  secrets: TenantSecrets,
  options: CallOptions,
): Promise<RecordingRow> {
  const row = await parts.catalog.findRecording(facts.actor.tenantId, id, secrets.columns, options)
  if (row !== null) return row
  const decision = { allowed: false, reasons: ['not_found'] }
  const object = { type: 'recording', id, version: null }
  await appendAccess({ ...parts, secrets }, facts, log, object, decision, options)
  throw new VaultError('not_found', 'No such recording')
}

const patientsOf = ({ patientId }: RecordingRow) => (patientId === null ? [] : [patientId])

const timeOf = ({ now }: BrowseParts) => now?.() ?? new Date()

function viewOf(row: RecordingRow, now: Date): RecordingView {
  const holds = row.holdIds.map(holdId => ({ holdId }))
  const state = stateAt(row.decision, holds, now)
  return {
    id: row.id,
    kind: row.kind,
    mailbox: row.mailbox,
    connector: row.connectorId,
    direction: row.direction,
    from: row.from,
    fromName: row.fromName,
    to: row.to,
    patientReference: row.patientReference,
    note: row.note,
    startedAt: row.startedAt.toISOString(),
    receivedAt: row.receivedAt.toISOString(),
    archivedAt: row.archivedAt.toISOString(),
    durationMs: row.durationMs,
    channels: row.channels,
    codec: row.codec,
    contentType: row.originalContentType,
    sizeBytes: row.originalBytes,
    audioState: row.audioState,
    labels: row.labels,
    heardAt: row.heardAt?.toISOString() ?? null,
    heardBy: row.heardBy,
    retainUntil: row.decision.keepUntil.toISOString(),
    retention: { state: state.state, until: state.state === 'due' ? null : state.until.toISOString() },
    held: holds.length > 0,
  }
}
