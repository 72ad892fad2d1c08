// Reads what Cloud Storage says when it refuses, and what the transport says when nobody answered.
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { ApiFailure } from './api-failure.ts'

const ErrorBody = z.object({
  error: z.object({
    message: z.string().default(''),
    errors: z.array(z.object({ reason: z.string().default('') })).default([]),
  }),
})

/** A refusal is short; more than this is somebody else's page. */
const bodyCharactersMost = 4096
const messageCharactersMost = 300
const millisecondsPerSecond = 1000

export async function readFailure(status: number, headers: Headers, body: unknown): Promise<ApiFailure> {
  const { reason, message } = parse(isReadable(body) ? await readText(body) : body)
  const sentence = message.slice(0, messageCharactersMost)
  return new ApiFailure({
    status,
    reason,
    message: sentence === '' ? `Answered with status ${status}` : sentence,
    retryAfterMs: retryAfter(headers.get('retry-after')),
  })
}

/** Only a code is kept of what the transport says: its sentences quote the address. */
export function unanswered(error: unknown): ApiFailure {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return noAnswer(cause.code)
    if (cause.name === 'TimeoutError') return noAnswer('ETIMEDOUT')
  }
  return noAnswer('no answer')
}

const noAnswer = (code: string): ApiFailure =>
  new ApiFailure({ status: null, reason: code, message: `The request was not answered (${code})` })

function parse(body: unknown): { reason: string; message: string } {
  const value = typeof body === 'string' ? parseJson(body) : body
  const parsed = ErrorBody.safeParse(value)
  // A download is refused in plain text.
  if (!parsed.success) return { reason: '', message: typeof body === 'string' ? body : '' }
  const { message, errors } = parsed.data.error
  return { reason: errors[0]?.reason ?? '', message }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isReadable(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

async function readText(body: Readable): Promise<string> {
  let text = ''
  try {
    for await (const piece of body) {
      text += String(piece)
      if (text.length > bodyCharactersMost) break
    }
  } catch {
    // The status alone has to do.
  }
  return text
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfter(header: string | null): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * millisecondsPerSecond
  const at = header.endsWith('GMT') ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}
