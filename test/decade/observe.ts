// What the vault did by itself, read from its rows as the superuser sees them, and told to the model.
import type { RecordingId } from '@auricle/contract'
import type { World } from './world.ts'

interface DispositionRow {
  readonly id: string
  readonly kind: 'automatic' | 'review'
  readonly proposed_by: string | null
  readonly proposed_at: Date
  readonly stages: number
  readonly ready_at: Date | null
}

interface ItemRow {
  readonly disposition_id: string
  readonly recording_id: RecordingId
  readonly state: string
  readonly reason: string | null
  readonly rule_id: string
  readonly rule_version: number
  readonly changed_at: Date
}

/** Dispositions that the model does not know yet. */
export async function learnDispositions({ vault, model }: World): Promise<void> {
  const { superuserPool } = vault.database
  const { rows } = await superuserPool.query<DispositionRow>(
    'select * from auricle.disposition where not (id = any ($1)) order by proposed_at, id',
    [[...model.dispositions.keys()]],
  )
  for (const row of rows) {
    const { rows: items } = await superuserPool.query<ItemRow>(
      'select * from auricle.disposition_item where disposition_id = $1 order by recording_id',
      [row.id],
    )
    model.proposed(
      {
        ...{
          id: row.id,
          kind: row.kind,
          by: row.proposed_by,
          at: row.proposed_at.getTime(),
          stages: row.stages,
        },
        state: row.kind === 'automatic' ? 'waiting' : 'proposed',
        readyAt: row.ready_at?.getTime() ?? null,
      },
      items.map(item => ({ id: item.recording_id, rule: `${item.rule_id}/${item.rule_version}` })),
    )
  }
}

/** Items that ended without a person, of what the model takes for open; returns why others failed last. */
export async function learnItems({ vault, model }: World): Promise<ReadonlyMap<RecordingId, string>> {
  const failures = new Map<RecordingId, string>()
  const open = [...model.dispositions.values()].filter(disposition => disposition.open.size > 0)
  if (open.length === 0) return failures
  const { rows } = await vault.database.superuserPool.query<ItemRow>(
    `select * from auricle.disposition_item where disposition_id = any ($1) order by changed_at, recording_id`,
    [open.map(({ id }) => id)],
  )
  for (const row of rows) {
    const id = row.recording_id
    const item = model.recordings.get(id)?.item
    if (item?.disposition.id !== row.disposition_id) continue
    if (row.state === 'destroyed') model.destroyed(id, row.changed_at.getTime())
    else if (row.state === 'kept' || row.state === 'stopped')
      model.stopped(id, row.reason ?? '', row.state === 'stopped', row.changed_at.getTime())
    else if (row.reason !== null) failures.set(id, row.reason)
  }
  return failures
}
