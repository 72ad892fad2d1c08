// Whether a mailbox, or one recording, is part of the designated record set: decided with a rationale, and listed.
import type { Catalog, RecordSetRow } from '@auricle/catalog'
import {
  type NewRecordSetDecision,
  newRecordSetDecisionId,
  RecordSetDecisionId,
  type RecordSetDecisionView,
  type RecordSetPage,
  type RecordSetQuery,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { wordedEvent } from '../log-reading/reading.ts'
import { authorizeReading, named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

export interface RecordSetParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'findMailbox'
    | 'findRetentionFacts'
    | 'decideRecordSet'
    | 'listRecordSetOfMailboxes'
    | 'listRecordSetOfRecordings'
    | 'countRecordSet'
  >
}

/** Ends the decision before it, which keeps its row. Throws `not_found`. */
export async function decideRecordSet(
  parts: RecordSetParts,
  facts: RequestFacts,
  { mailbox, recording, decision, rationale }: NewRecordSetDecision,
  options: CallOptions,
): Promise<RecordSetDecisionView> {
  const { tenantId, userId } = facts.actor
  const object =
    mailbox !== null ? named('mailbox', mailbox) : recording !== null ? named('recording', recording) : null
  const asked = { action: 'record_set.decide', log: 'record_set.decided', object } as const
  const { now, secrets, decision: allowed } = await authorize(parts, facts, asked, options)
  const subject =
    mailbox !== null ? { mailboxId: mailbox } : recording !== null ? { recordingId: recording } : null
  if (subject === null) throw new VaultError('malformed', 'It is about a mailbox or about one recording')
  const [one] =
    'recordingId' in subject
      ? await parts.catalog.findRetentionFacts(tenantId, [subject.recordingId], secrets.columns, options)
      : []
  const isThere =
    'recordingId' in subject
      ? one !== undefined
      : (await parts.catalog.findMailbox(tenantId, subject.mailboxId, options)) !== null
  if (!isThere) throw new VaultError('not_found', 'There is no such mailbox or recording')
  const row: RecordSetRow = {
    ...{ tenantId, id: newRecordSetDecisionId(), subject, decision, rationale },
    ...{ decidedAt: now, decidedBy: userId },
  }
  const patients = one?.patientId == null ? [] : [one.patientId]
  const reasons = [decision, ...allowed.reasons]
  const about = { action: 'record_set.decided', object, reasons, patients } as const
  const event = await wordedEvent(facts, secrets, about, rationale, now)
  await parts.catalog.decideRecordSet(row, secrets.columns, event, options)
  return viewOf(row)
}

/** Every mailbox with its counts, those with something undecided first; and decisions of single recordings, paged. */
export async function listRecordSet(
  parts: RecordSetParts,
  facts: RequestFacts,
  { cursor, limit }: RecordSetQuery,
  options: CallOptions,
): Promise<RecordSetPage> {
  const { tenantId } = facts.actor
  const asked = { action: 'retention.read', log: 'record_set.listed', object: null } as const
  const { secrets } = await authorizeReading(parts, facts, asked, options)
  const { columns } = secrets
  const page = { beforeId: cursor === undefined ? null : parseCursor(cursor), limit: limit + 1 }
  const rows = await parts.catalog.listRecordSetOfRecordings(tenantId, page, columns, options)
  const shown = rows.slice(0, limit)
  return {
    mailboxes: cursor === undefined ? await mailboxesOf(parts, tenantId, columns, options) : [],
    decisions: shown.map(viewOf),
    nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
  }
}

async function mailboxesOf(
  { catalog }: RecordSetParts,
  tenantId: RecordSetRow['tenantId'],
  columns: Parameters<Catalog['listRecordSetOfMailboxes']>[1],
  options: CallOptions,
): Promise<RecordSetPage['mailboxes']> {
  const decided = new Map<string, RecordSetRow>()
  for (const row of await catalog.listRecordSetOfMailboxes(tenantId, columns, options))
    if ('mailboxId' in row.subject) decided.set(row.subject.mailboxId, row)
  const counted = await catalog.countRecordSet(tenantId, options)
  return counted
    .map(({ mailbox, recordings, undecided }) => {
      const latest = mailbox === null ? undefined : decided.get(mailbox.id)
      const decision = latest?.decision ?? 'undecided'
      return {
        mailbox,
        decision,
        latest: latest === undefined ? null : viewOf(latest),
        recordings,
        undecided,
      }
    })
    .toSorted((a, b) => Number(b.undecided > 0) - Number(a.undecided > 0))
}

function parseCursor(cursor: string): RecordSetDecisionId {
  const id = RecordSetDecisionId.safeParse(cursor)
  if (!id.success) throw new VaultError('malformed', 'The cursor is not one that a page before has given')
  return id.data
}

function viewOf({
  id,
  subject,
  decision,
  rationale,
  decidedAt,
  decidedBy,
}: RecordSetRow): RecordSetDecisionView {
  return {
    id,
    mailbox: 'mailboxId' in subject ? subject.mailboxId : null,
    recording: 'recordingId' in subject ? subject.recordingId : null,
    ...{ decision, rationale, decidedAt: decidedAt.toISOString(), decidedBy },
  }
}
