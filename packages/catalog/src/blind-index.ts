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
  return digits === '' ? null : indexOf(keys, column, digits)
}

/**
 * The same over a patient's reference, as the PBX gave it but for white space around it and for how its letters are
 * composed (NFC); null where nothing is left.
 */
export function indexReference(keys: Pick<ColumnKeys, 'indexing'>, reference: string): Uint8Array | null {
  const normal = reference.normalize('NFC').trim()
  return normal === '' ? null : indexOf(keys, 'patient.reference', normal)
}

function indexOf(keys: Pick<ColumnKeys, 'indexing'>, column: string, value: string): Uint8Array {
  return createHmac('sha256', keys.indexing)
    .update(`${column}\0${value}`, 'utf8')
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
