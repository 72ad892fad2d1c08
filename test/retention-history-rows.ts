// A random history as rows of a tenant, written past every check: what a report reads, and nothing else.
import { randomBytes } from 'node:crypto'
import {
  type HoldId,
  type MailboxId,
  newDispositionId,
  newHoldId,
  newIntakeId,
  newMailboxId,
  newRecordingId,
  newRuleId,
  newUserId,
  type RecordingId,
  type RuleId,
} from '@auricle/contract'
import type pg from 'pg'
import type { TestTenant } from './catalog-fixture.ts'
import { type History, historyStart, type Story } from './retention-history.ts'

export interface Planted {
  readonly recordings: readonly RecordingId[]
  readonly mailboxes: readonly MailboxId[]
  readonly rules: readonly RuleId[]
  readonly holds: readonly HoldId[]
}

type Rows = readonly (readonly [table: string, row: Readonly<Record<string, unknown>>])[]

/** `seal` makes the name of a hold's matter for its place. */
export async function plantHistory(
  superuser: pg.Pool,
  tenant: TestTenant,
  history: History,
  seal: (holdId: HoldId) => Uint8Array,
): Promise<Planted> {
  const planted = {
    recordings: history.stories.map(() => newRecordingId()),
    mailboxes: [0, 1, 2].map(() => newMailboxId()),
    rules: [0, 1, 2].map(() => newRuleId()),
    holds: history.holds.map(() => newHoldId()),
  }
  await insertRows(superuser, tenant, [
    ...planted.mailboxes.map((id, n) => ['mailbox', { id, address: `2${n}`, name: `Mailbox ${n}` }] as const),
    ...planted.rules.map(
      (id, n) => ['retention_rule', { id, name: `Rule ${n}`, created_at: historyStart }] as const,
    ),
    ...history.holds.map(({ placedAt, releasedAt }, n) => {
      const id = planted.holds[n] ?? newHoldId()
      const release = releasedAt === null ? null : randomBytes(30)
      return [
        'legal_hold',
        {
          ...{ id, matter: seal(id), placed_at: placedAt, released_at: releasedAt },
          release_reason: release,
        },
      ] as const
    }),
    ...history.holds.flatMap(({ placedAt, releasedAt }, n) => [
      [
        'hold_custodian',
        { hold_id: planted.holds[n], user_id: newUserId(), added_at: placedAt, acknowledged_at: releasedAt },
      ] as const,
    ]),
    ...history.stories.flatMap((story, n) =>
      rowsOf(tenant, planted, story, planted.recordings[n] ?? newRecordingId()),
    ),
  ])
  await superuser.query('update auricle.tenant set retention_zone = $2 where id = $1', [
    tenant.tenantId,
    history.zone,
  ])
  return planted
}

function rowsOf(tenant: TestTenant, planted: Planted, story: Story, id: RecordingId): Rows {
  const { archivedAt, destroyedAt, item } = story
  const dispositionId = newDispositionId()
  return [
    [
      'recording',
      {
        ...{ id, connector_id: tenant.connectorId, intake_id: newIntakeId(), kind: story.kind },
        mailbox_id: story.mailbox === null ? null : planted.mailboxes[story.mailbox],
        source_id: destroyedAt === null ? randomBytes(30) : null,
        ...{ started_at: story.receivedAt, received_at: story.receivedAt, archived_at: archivedAt },
        ...{ duration_ms: story.durationMs, audio_state: 'ready', retain_until: archivedAt },
        ...{ destroying_at: destroyedAt, destroyed_at: destroyedAt },
        ...{ stored_bytes: story.bytes, copied_at: story.copiedAt },
      },
    ],
    ...story.decisions.map(
      decision =>
        [
          'retention_decision',
          {
            ...{ recording_id: id, decided_at: decision.decidedAt, superseded_at: decision.supersededAt },
            ...{
              revision: 1,
              status: decision.status,
              keep_until: decision.keepUntil,
              due_at: decision.dueAt,
            },
            ...{ disposal: decision.disposal, locked: false },
            ...(decision.rule === null
              ? {}
              : { rule_id: planted.rules[decision.rule], rule_version: 1 + decision.rule }),
          },
        ] as const,
    ),
    ...story.covers.map(
      ({ hold, coveredAt, releasedAt }) =>
        [
          'hold_cover',
          {
            ...{
              hold_id: planted.holds[hold],
              recording_id: id,
              covered_at: coveredAt,
              released_after: releasedAt === null ? null : 0,
              released_at: releasedAt,
            },
          },
        ] as const,
    ),
    ...(item === null ? [] : itemRows(tenant, item, id, dispositionId)),
  ]
}

function itemRows(
  tenant: TestTenant,
  item: NonNullable<Story['item']>,
  recording: RecordingId,
  disposition: string,
): Rows {
  const { proposedAt, stages, approvedAt, readyAt, leftAt, failedAt, error } = item
  const review = { disposition_id: disposition, stage: 1, reviewed_by: tenant.userId, verdict: 'approve' }
  return [
    [
      'disposition',
      {
        ...{ id: disposition, kind: stages === 0 ? 'automatic' : 'review', proposed_at: proposedAt, stages },
        ...{ state: readyAt === null ? 'proposed' : 'waiting', ready_at: readyAt },
      },
    ],
    ...(approvedAt === null ? [] : [['disposition_review', { ...review, reviewed_at: approvedAt }] as const]),
    [
      'disposition_item',
      {
        ...{
          disposition_id: disposition,
          recording_id: recording,
          state: leftAt === null ? 'listed' : 'kept',
        },
        ...{ rule_id: newRuleId(), rule_version: 1, keep_until: proposedAt, due_at: proposedAt },
        ...{ changed_at: leftAt ?? failedAt ?? proposedAt, reason: leftAt === null ? error : 'rule_changed' },
        ...{ attempts: failedAt === null ? 0 : 1, first_failed_at: failedAt },
      },
    ],
  ]
}

async function insertRows(superuser: pg.Pool, { tenantId }: TestTenant, rows: Rows): Promise<void> {
  const client = await superuser.connect()
  try {
    await client.query('begin')
    await client.query('set local session_replication_role = replica')
    for (const [table, row] of rows) {
      const columns = ['tenant_id', ...Object.keys(row)]
      const places = columns.map((_, index) => `$${index + 1}`)
      await client.query(
        `insert into auricle.${table} (${columns.join(', ')}) values (${places.join(', ')})`,
        [tenantId, ...Object.values(row)],
      )
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
