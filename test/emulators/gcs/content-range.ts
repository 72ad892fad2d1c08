// The two range headers: which bytes of an upload a request carries, and which bytes of an object are asked for.
import { invalid } from './refusal.ts'

/** Chunks of an upload are multiples of this, but for the last. */
export const uploadQuantumBytes = 262_144

export type UploadRange =
  /** `bytes *\/N` or `bytes *\/*`: how far is it? */
  | { readonly type: 'status'; readonly total: number | null }
  /** `end` is exclusive; null: to the end of the request, which ends the object. Total null: more will follow. */
  | {
      readonly type: 'bytes'
      readonly start: number
      readonly end: number | null
      readonly total: number | null
    }

/** Of the `Content-Range` of a PUT to an upload session. A request without one carries the whole object. */
export function parseUploadRange(header: string | undefined): UploadRange {
  if (header === undefined) return { type: 'bytes', start: 0, end: null, total: null }
  const match = /^bytes (?:\*|(\d{1,15})-(\*|\d{1,15}))\/(\*|\d{1,15})$/.exec(header)
  if (match === null) throw invalid(`Failed to parse Content-Range header: ${header}`)
  const [, first, last, whole] = match
  const total = whole === '*' ? null : Number(whole)
  if (first === undefined) return { type: 'status', total }
  const start = Number(first)
  const end = last === '*' ? null : Number(last) + 1
  if (end !== null && end <= start) throw invalid(`Invalid Content-Range: ${header}`)
  if (total !== null && (end ?? start) > total) throw invalid(`Invalid Content-Range: ${header}`)
  return { type: 'bytes', start, end, total }
}

/** Whether nothing comes after the request with this range. */
export function isFinal(range: UploadRange): boolean {
  return range.type === 'bytes' && (range.end === null || range.end === range.total)
}

export type ReadRange =
  /** `end` is exclusive. */
  | { readonly type: 'part'; readonly start: number; readonly end: number }
  | { readonly type: 'whole' }
  | { readonly type: 'unsatisfiable' }

/** Of the `Range` of a GET (RFC 9110, 14.2): what cannot be parsed, or names several ranges, is ignored. */
export function parseReadRange(header: string | undefined, size: number): ReadRange {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '')
  if (match === null) return { type: 'whole' }
  const [, first = '', last = ''] = match
  if (first === '') {
    if (last === '') return { type: 'whole' }
    const start = Math.max(0, size - Number(last))
    return start < size ? { type: 'part', start, end: size } : { type: 'unsatisfiable' }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return { type: 'whole' }
  if (start >= size) return { type: 'unsatisfiable' }
  return { type: 'part', start, end: last === '' ? size : Math.min(size, Number(last) + 1) }
}
