// What a request's JSON may hold where one looks: records, texts, truths and times, or a refusal.
import { invalid } from './refusal.ts'

export type JsonRecord = Readonly<Record<string, unknown>>

const mostBodyBytes = 1_048_576

export async function readJson(body: AsyncIterable<Buffer>): Promise<JsonRecord> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > mostBodyBytes) throw invalid('The request is too large.')
    pieces.push(piece)
  }
  if (length === 0) return {}
  try {
    return asRecord(JSON.parse(Buffer.concat(pieces).toString()), 'request')
  } catch (cause) {
    throw cause instanceof SyntaxError ? Object.assign(invalid('Parse Error'), { cause }) : cause
  }
}

export function asRecord(value: unknown, what: string): JsonRecord {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonRecord
  throw invalid(`Invalid value for field ${what}.`)
}

export function asText(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw invalid(`Invalid value for field ${what}.`)
}

export function asTruth(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value
  throw invalid(`Invalid value for field ${what}.`)
}

/** A number of 64 bits, which the API writes as a text and takes as either. */
export function asInt64(value: unknown, what: string): number {
  const isDecimal = typeof value === 'number' || (typeof value === 'string' && /^\d{1,15}$/.test(value))
  const number = Number(value)
  if (isDecimal && Number.isSafeInteger(number) && number >= 0) return number
  throw invalid(`Invalid value for field ${what}.`)
}

/** RFC 3339, in milliseconds since 1970. */
export function asTime(value: unknown, what: string): number {
  const text = asText(value, what)
  const isTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
  const time = isTime ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw invalid(`Invalid value for field ${what}.`)
  return time
}

export const writeTime = (time: number): string => new Date(time).toISOString()
