// Which bytes a `Range` header asks for (RFC 9110 sections 14.1.2 and 14.2).
import type { ByteRange } from '@auricle/contract'

export type Wanted =
  | { readonly type: 'whole' }
  | { readonly type: 'unsatisfiable' }
  | ({ readonly type: 'part' } & ByteRange)

const oneRange = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i

/** Several ranges, other units, and what is no range at all are ignored, as the RFC allows: then the whole is wanted. */
export function wantedRange(header: string | undefined, sizeBytes: number): Wanted {
  const match = oneRange.exec(header ?? '')
  if (match === null) return { type: 'whole' }
  const [, first, last = '', suffix] = match
  if (suffix !== undefined) {
    const lengthBytes = Math.min(Number(suffix), sizeBytes)
    if (lengthBytes === 0) return { type: 'unsatisfiable' }
    return { type: 'part', start: sizeBytes - lengthBytes, end: sizeBytes }
  }
  const start = Number(first)
  const end = last === '' ? sizeBytes : Number(last) + 1
  if (end <= start && last !== '') return { type: 'whole' }
  if (start >= sizeBytes) return { type: 'unsatisfiable' }
  return { type: 'part', start, end: Math.min(end, sizeBytes) }
}
