// Dispositions as people meet them: previewed, proposed, looked at by others, taken out of, cancelled, listed.
//
// Nobody reviews what they proposed, and nobody twice. What is proposed is decided anew first, by all rules and facts.
import type { Catalog, DispositionItemRow, DispositionRow, DueQuery, DueRecording } from '@auricle/catalog'
import {
  type DispositionDetail,
  type DispositionId,
  type DispositionItemPage,
  type DispositionItemQuery,
  type DispositionItemView,
  type DispositionPage,
  type DispositionPreview,
  type DispositionQuery,
  type DispositionReview,
  type DispositionSelection,
  type DispositionView,
  dispositionItemsMost,
  newDispositionId,
  type RecordingId,
  RecordingKind,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named, refuse } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { decideAgain } from '../retention/apply-policy.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'

export interface DispositionParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'listDue'
    | 'openDisposition'
    | 'reviewDisposition'
    | 'cancelDisposition'
    | 'listDispositions'
    | 'findDisposition'
    | 'listDispositionItems'
    | 'decideAgain'
    | 'findRetentionSettings'
    | 'listRuleVersions'
  >
}

const examplesMost = 20
const absent = () => new VaultError('not_found', 'There is no such disposition')

/** What proposing it would list, by the decisions as they stand. Nothing is written. */
export async function previewDisposition(
  parts: DispositionParts,
  facts: RequestFacts,
  selection: DispositionSelection,
  options: CallOptions,
): Promise<DispositionPreview> {
  const asked = { action: 'disposition.read', log: 'disposition.listed', object: null } as const
  const { now } = await authorizeReading(parts, facts, asked, options)
  const query = { ...queryOf(selection, now), limit: dispositionItemsMost + 1 }
  const found = await parts.catalog.listDue(facts.actor.tenantId, query, options)
  const due = found.slice(0, dispositionItemsMost)
  const ids = due.map(({ recordingId }) => recordingId)
  const listed = new Set(ids)
  const kinds = RecordingKind.options.map(
    kind => [kind, due.filter(row => row.kind === kind).length] as const,
  )
  return {
    count: due.length,
    bytes: due.reduce((sum, { bytes }) => sum + bytes, 0),
    more: found.length > due.length,
    firstDueAt: due[0]?.dueAt.toISOString() ?? null,
    lastDueAt: due.at(-1)?.dueAt.toISOString() ?? null,
    byKind: Object.fromEntries(kinds) as Record<RecordingKind, number>,
    leftOut: (selection.recordings ?? []).filter(id => !listed.has(id)),
    examples: ids.slice(0, examplesMost),
  }
}

/** Of what is due, no more than one disposition takes. Throws `conflict` where nothing of it is. */
export async function proposeDisposition(
  parts: DispositionParts,
  facts: RequestFacts,
  selection: DispositionSelection,
  options: CallOptions,
): Promise<DispositionDetail> {
  const { tenantId, userId: by } = facts.actor
  const id = newDispositionId()
  const object = named('disposition', id)
  const asked = { action: 'disposition.propose', log: 'disposition.proposed', object } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  const decide = (ids: readonly RecordingId[]) =>
    ids.length === 0
      ? null
      : decideAgain({ ...parts, now: () => now }, tenantId, ids, { onlyStale: false }, options)
  // What is named by hand may be due by rules that have not come to it yet.
  await decide(selection.recordings ?? [])
  const query = { ...queryOf(selection, now), limit: dispositionItemsMost }
  const due: readonly DueRecording[] = await parts.catalog.listDue(tenantId, query, options)
  const ids = due.map(({ recordingId }) => recordingId)
  if (selection.recordings === undefined) await decide(ids)
  const listed = await parts.catalog.openDisposition(
    { id, tenantId, kind: 'review', at: now, by },
    ids,
    count => record(object, [], { detail: { kind: 'found', count } }),
    options,
  )
  if (listed.length === 0)
    throw new VaultError('conflict', 'Nothing of that is due, free of holds and in no other disposition')
  return findDetail(parts, facts, id, secrets, options)
}

/** One stage, by somebody who neither proposed it nor looked at it before. Throws `denied`, `conflict`. */
export async function reviewDisposition(
  parts: DispositionParts,
  facts: RequestFacts,
  id: DispositionId,
  { verdict, note, keep }: DispositionReview,
  options: CallOptions,
): Promise<DispositionDetail> {
  const { tenantId, userId: by } = facts.actor
  const object = named('disposition', id)
  const log = 'disposition.reviewed'
  const { now, secrets, record } = await authorize(
    parts,
    facts,
    { action: 'disposition.review', log, object },
    options,
  )
  const review = { tenantId, id, by, at: now, verdict, note: note ?? null, keep: [...new Set(keep)] }
  const event = await record(object, [verdict, ...(keep.length > 0 ? ['taken_out'] : [])])
  const { status } = await parts.catalog.reviewDisposition(review, secrets.columns, event, options)
  switch (status) {
    case 'reviewed':
      return findDetail(parts, facts, id, secrets, options)
    case 'absent':
      throw absent()
    case 'own':
    case 'again': {
      const reason = status === 'own' ? 'own_proposal' : 'reviewed_before'
      return refuse(parts, facts, { log, object, reason }, options)
    }
    case 'not_proposed':
      throw new VaultError('conflict', 'It is not up for review any more')
    case 'not_listed':
      throw new VaultError('conflict', 'A recording to take out is not, or no longer, in it')
    case 'nothing_left':
      throw new VaultError('conflict', 'Nothing would be left of it: reject it instead')
    default:
      return status satisfies never
  }
}

/** Before anything of it is destroyed. Throws `conflict`. */
export async function cancelDisposition(
  parts: DispositionParts,
  facts: RequestFacts,
  id: DispositionId,
  options: CallOptions,
): Promise<DispositionDetail> {
  const { tenantId, userId: by } = facts.actor
  const object = named('disposition', id)
  const asked = { action: 'disposition.propose', log: 'disposition.cancelled', object } as const
  const { now, secrets, record } = await authorize(parts, facts, asked, options)
  const outcome = await parts.catalog.cancelDisposition(
    { tenantId, id, by, at: now },
    await record(),
    options,
  )
  if (outcome === 'absent') throw absent()
  if (outcome === 'too_late')
    throw new VaultError(
      'conflict',
      'It is over, or recordings of it are being destroyed: a hold stops those',
    )
  return findDetail(parts, facts, id, secrets, options)
}

/** Newest first. */
export async function listDispositions(
  parts: DispositionParts,
  facts: RequestFacts,
  { state, cursor, limit }: DispositionQuery,
  options: CallOptions,
): Promise<DispositionPage> {
  const asked = { action: 'disposition.read', log: 'disposition.listed', object: null } as const
  await authorizeReading(parts, facts, asked, options)
  const filter = { state, beforeId: cursor ?? null, limit: limit + 1 }
  const found = await parts.catalog.listDispositions(facts.actor.tenantId, filter, options)
  const page = found.slice(0, limit)
  return {
    dispositions: page.map(viewOf),
    nextCursor: found.length > limit ? (page.at(-1)?.id ?? null) : null,
  }
}

export async function showDisposition(
  parts: DispositionParts,
  facts: RequestFacts,
  id: DispositionId,
  options: CallOptions,
): Promise<DispositionDetail> {
  const { secrets } = await authorizeReading(parts, facts, askedOf(id), options)
  return findDetail(parts, facts, id, secrets, options)
}

/** Its recordings, by id. */
export async function listDispositionItems(
  parts: DispositionParts,
  facts: RequestFacts,
  id: DispositionId,
  { state, cursor, limit }: DispositionItemQuery,
  options: CallOptions,
): Promise<DispositionItemPage> {
  const { secrets } = await authorizeReading(parts, facts, askedOf(id), options)
  const { tenantId } = facts.actor
  if ((await parts.catalog.findDisposition(tenantId, id, secrets.columns, options)) === null) throw absent()
  const filter = { state, afterId: cursor ?? null, limit: limit + 1 }
  const found = await parts.catalog.listDispositionItems(tenantId, id, filter, options)
  const page = found.slice(0, limit)
  return {
    items: page.map(itemOf),
    nextCursor: found.length > limit ? (page.at(-1)?.recordingId ?? null) : null,
  }
}

const askedOf = (id: DispositionId) =>
  ({ action: 'disposition.read', log: 'disposition.listed', object: named('disposition', id) }) as const

function queryOf(selection: DispositionSelection, now: Date): Omit<DueQuery, 'limit'> {
  const { recordings, rule, mailbox, kind, disposal, dueBefore } = selection
  return {
    ...{ now, after: null, disposal, kind, mailboxId: mailbox, ruleId: rule, recordingIds: recordings },
    dueBefore: dueBefore === undefined ? undefined : new Date(dueBefore),
    alsoKept: recordings !== undefined,
  }
}

async function findDetail(
  { catalog }: DispositionParts,
  { actor: { tenantId } }: RequestFacts,
  id: DispositionId,
  { columns }: TenantSecrets,
  options: CallOptions,
): Promise<DispositionDetail> {
  const found = await catalog.findDisposition(tenantId, id, columns, options)
  if (found === null) throw absent()
  return { ...viewOf(found), reviews: found.reviews.map(row => ({ ...row, at: row.at.toISOString() })) }
}

function viewOf(row: DispositionRow): DispositionView {
  const { id, state, kind, proposedAt, proposedBy, stages, readyAt, endedAt, endedBy, counts } = row
  return {
    ...{ id, state, kind, proposedBy, stages, endedBy, counts },
    proposedAt: proposedAt.toISOString(),
    readyAt: readyAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
  }
}

function itemOf(row: DispositionItemRow): DispositionItemView {
  const { recordingId, state, reason, attempts, bytes, held } = row
  return {
    ...{ recording: recordingId, state, reason, attempts, bytes, held },
    rule: { id: row.ruleId, version: row.ruleVersion },
    keepUntil: row.keepUntil.toISOString(),
    dueAt: row.dueAt.toISOString(),
    changedAt: row.changedAt.toISOString(),
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
  }
}
