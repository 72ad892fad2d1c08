// Where a search of the log goes on, and as of which size of it: every page is of the same log. Opaque to callers.
import type { LogPosition } from '@auricle/catalog'
import { EventId } from '@auricle/contract'
import { VaultError } from '../error.ts'

export interface SearchCursor {
  /** Of the last event shown. */
  readonly at: Date
  readonly id: EventId
  /** The first position that was not there when the first page was read. */
  readonly asOf: LogPosition
}

const layout = /^(-?\d{1,16})\.(evt_[0-9a-z]{26})\.(\d{4})\.(\d{1,16})$/

export function encodeSearchCursor({ at, id, asOf }: SearchCursor): string {
  return Buffer.from(`${at.getTime()}.${id}.${asOf.year}.${asOf.seq}`, 'latin1').toString('base64url')
}

/** Throws `malformed` for anything but what `encodeSearchCursor` returns. */
export function decodeSearchCursor(cursor: string): SearchCursor {
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const [, milliseconds, idText, year, seq] = layout.exec(text) ?? []
  const id = EventId.safeParse(idText)
  const read = { at: new Date(Number(milliseconds)), asOf: { year: Number(year), seq: Number(seq) } }
  // Encoding again refuses the many other texts that decode to the same bytes.
  if (
    !id.success ||
    Number.isNaN(read.at.getTime()) ||
    encodeSearchCursor({ ...read, id: id.data }) !== cursor
  ) {
    throw new VaultError('malformed', 'The cursor is not one that a page before has given')
  }
  return { ...read, id: id.data }
}
