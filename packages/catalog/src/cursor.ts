// Where a list of recordings goes on: the start and id of the last one shown, opaque to callers.
import { RecordingId } from '@auricle/contract'
import { CatalogError } from './error.ts'

export interface Position {
  readonly startedAt: Date
  readonly id: RecordingId
}

const layout = /^(-?\d{1,16})\.(rec_[0-9a-z]{26})$/

export function encodeCursor({ startedAt, id }: Position): string {
  return Buffer.from(`${startedAt.getTime()}.${id}`, 'latin1').toString('base64url')
}

/** Throws `bad_cursor` for anything but what `encodeCursor` returns. */
export function decodeCursor(cursor: string): Position {
  const [, milliseconds, idText] = layout.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  const startedAt = new Date(Number(milliseconds))
  const id = RecordingId.safeParse(idText)
  // Encoding again refuses the many other texts that decode to the same bytes.
  if (
    !id.success ||
    Number.isNaN(startedAt.getTime()) ||
    encodeCursor({ startedAt, id: id.data }) !== cursor
  ) {
    throw new CatalogError('bad_cursor', 'The cursor is not one that a page before has given')
  }
  return { startedAt, id: id.data }
}
