// Rows as the driver returns them are untrusted: each column is read by what it must be, or the row is damaged.
import { CatalogError } from './error.ts'

export type Row = Readonly<Record<string, unknown>>

interface Parser<Value> {
  safeParse(value: unknown): { success: true; data: Value } | { success: false }
}

function damaged(column: string): CatalogError {
  return new CatalogError('damaged', `The database holds a row whose ${column} is not as it must be`)
}

export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw damaged(column)
  return value
}

/** Integers of 64 bits arrive as text. */
export function integer(row: Row, column: string): number {
  const value = row[column]
  const parsed = typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof parsed !== 'number' || !Number.isSafeInteger(parsed)) throw damaged(column)
  return parsed
}

export function flag(row: Row, column: string): boolean {
  const value = row[column]
  if (typeof value !== 'boolean') throw damaged(column)
  return value
}

export function time(row: Row, column: string): Date {
  const value = row[column]
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw damaged(column)
  return value
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw damaged(column)
  // The driver's Buffers are views of what it received; callers get plain arrays of the same bytes.
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

export function texts(row: Row, column: string): readonly string[] {
  const value = row[column]
  if (!Array.isArray(value)) throw damaged(column)
  return value.map(item => {
    if (typeof item !== 'string') throw damaged(column)
    return item
  })
}

/** A column that a schema of the contract knows: an id, a word of a closed list, a wrap. */
export function parsed<Value>(row: Row, column: string, parser: Parser<Value>): Value {
  const result = parser.safeParse(row[column])
  if (!result.success) throw damaged(column)
  return result.data
}

/** Null stays null; anything else is read. */
export function orNull<Value>(
  row: Row,
  column: string,
  read: (row: Row, column: string) => Value,
): Value | null {
  return row[column] === null ? null : read(row, column)
}

/** As `parsed`, and null stays null. */
export function parsedOrNull<Value>(row: Row, column: string, parser: Parser<Value>): Value | null {
  return row[column] === null ? null : parsed(row, column, parser)
}

/** The one row of a look-up by a unique key; null without one. */
export function firstOrNull<Value>(rows: readonly Row[], read: (row: Row) => Value): Value | null {
  const [row] = rows
  return row === undefined ? null : read(row)
}
