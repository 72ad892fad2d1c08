// The query of a list of recordings: newest first, from an index, whatever is filtered.
import { indexNumber } from './blind-index.ts'
import type { RecordingFilter } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import { decodeCursor } from './cursor.ts'
import type { Statement } from './database.ts'
import { recordingColumns, recordingJoins } from './recording-row.ts'

/**
 * Null where nothing can match: no mailboxes, or a number without digits. The statement asks for one row more than
 * `limit`, which tells whether there is a next page. Throws `bad_cursor`.
 */
export function recordingQuery(
  tenantId: string,
  filter: RecordingFilter,
  keys: ColumnKeys,
): Statement | null {
  const values: unknown[] = [tenantId]
  const bind = (value: unknown): string => `$${values.push(value)}`
  const conditions = ['r.tenant_id = $1', 'r.destroying_at is null']

  // An array is only bound where it says something, so that the usual list keeps its plan.
  if (filter.withoutLabels.length > 0)
    conditions.push(`not r.labels && ${bind([...filter.withoutLabels])}::text[]`)
  if (filter.label !== undefined) conditions.push(`r.labels @> array[${bind(filter.label)}]::text[]`)
  if (filter.kind !== undefined) conditions.push(`r.kind = ${bind(filter.kind)}`)
  if (filter.after !== undefined) conditions.push(`r.started_at >= ${bind(filter.after)}`)
  if (filter.before !== undefined) conditions.push(`r.started_at < ${bind(filter.before)}`)
  if (filter.heard !== undefined) conditions.push(`r.heard_at is ${filter.heard ? 'not null' : 'null'}`)
  if (filter.held !== undefined) {
    conditions.push(`${filter.held ? '' : 'not '}exists (
      select from auricle.hold_cover h
      where h.tenant_id = r.tenant_id and h.recording_id = r.id and h.released_at is null
    )`)
  }
  if (filter.cursor !== undefined) {
    const { startedAt, id } = decodeCursor(filter.cursor)
    conditions.push(`(r.started_at, r.id) < (${bind(startedAt)}, ${bind(id)})`)
  }
  if (filter.number !== undefined) {
    const from = indexNumber(keys, 'recording.from_number', filter.number)
    const to = indexNumber(keys, 'recording.to_number', filter.number)
    if (from === null || to === null) return null
    conditions.push(`(r.from_index = ${bind(from)} or r.to_index = ${bind(to)})`)
  }
  const order = 'order by r.started_at desc, r.id desc'
  const limit = bind(filter.limit + 1)

  if (filter.mailboxIds === null) {
    return page(
      `select r.* from auricle.recording r where ${conditions.join(' and ')} ${order} limit ${limit}`,
    )
  }
  if (filter.mailboxIds.length === 0) return null
  const mailboxes = `${bind([...new Set(filter.mailboxIds)])}::text[]`
  if (filter.number !== undefined) {
    // A number has few recordings: they are found by it and sorted.
    conditions.push(`r.mailbox_id = any (${mailboxes})`)
    return page(
      `select r.* from auricle.recording r where ${conditions.join(' and ')} ${order} limit ${limit}`,
    )
  }
  // Each mailbox gives its newest from its own stretch of the index; one index scan cannot serve several in order.
  conditions.push('r.mailbox_id = wanted.id')
  return page(`
    select n.* from unnest(${mailboxes}) wanted (id)
    cross join lateral (
      select r.* from auricle.recording r where ${conditions.join(' and ')} ${order} limit ${limit}
    ) n
    order by n.started_at desc, n.id desc limit ${limit}`)

  function page(newest: string): Statement {
    return { text: `select ${recordingColumns} from (${newest}) r ${recordingJoins} ${order}`, values }
  }
}
