// Exact search in sealed columns: a keyed hash of the value stands beside it, one key domain a column.
import { createHmac } from 'node:crypto'
import type { ColumnKeys } from './column-keys.ts'

const indexBytes = 16

/**
 * The first 16 bytes of HMAC-SHA-256 over the column's name, a zero byte and the number's digits; null for a value
 * without digits, which nobody can search for. The same number has another index in another column or tenant.
 */
export function indexNumber(
  keys: Pick<ColumnKeys, 'indexing'>,
  column: 'recording.from_number' | 'recording.to_number',
  value: string | null,
): Uint8Array | null {
  const digits = value === null ? '' : digitsOf(value)
  if (digits === '') return null
  return createHmac('sha256', keys.indexing)
    .update(`${column}\0${digits}`, 'utf8')
    .digest()
    .subarray(0, indexBytes)
}

/**
 * The digits of a telephone number, in order: punctuation and a leading plus do not count, so `+1 (202) 555-0100`
 * equals `12025550100` and not `2025550100`. Of a SIP or tel URI only the part before `@` or `;` is read.
 */
export function digitsOf(value: string): string {
  const [user = ''] = value.replace(/^\s*(?:sips?|tel):/i, '').split(/[@;]/, 1)
  return user.replace(/[^0-9]/g, '')
}
