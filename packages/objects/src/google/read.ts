// Reads an object or a range of it: exactly its bytes, taken up again where the connection broke, or an error.
//
// All of an object is checked against its checksum at the end. A range cannot be: what the vault reads in ranges is
// sealed, and each segment of a sealed object carries a tag of its own.
import type { Readable } from 'node:stream'
import type { ByteRange } from '@auricle/contract'
import { ObjectError } from '../error.ts'
import { ApiFailure } from './api-failure.ts'
import type { Bucket, Call } from './bucket.ts'
import { checksumIn, createChecksum } from './checksum.ts'
import { type ApiAnswer, firstTry } from './connection.ts'
import { createDeadline, type Deadline } from './deadline.ts'

/** So much read makes up for the tries that came before: a long object may break more often than a short one. */
const progressBytes = 1_048_576

export async function* readObject(
  bucket: Bucket,
  objectName: string,
  range: ByteRange | null,
  { signal }: Call,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (range !== null) checkOrder(range)
  if (range !== null && range.start === range.end)
    return await checkEmpty(bucket, objectName, range, { signal })
  const { connection } = bucket
  const { tryTimeoutMs } = connection.settings
  const checksum = range === null ? createChecksum() : null
  let expected: Expected | null = null
  let position = range?.start ?? 0
  let tries = firstTry()
  let triedAt = position
  for (;;) {
    using deadline = createDeadline(tryTimeoutMs, signal)
    try {
      const answer = await deadline.during(
        connection.open(requestOf(bucket, objectName, range, { position, expected }), deadline.signal),
      )
      expected = expectedIn(answer, range, { position, expected })
      for await (const piece of arriving(answer.body, deadline)) {
        checksum?.update(piece)
        position += piece.length
        if (position > expected.end) throw tooLong()
        yield piece
        signal?.throwIfAborted()
      }
      if (position === expected.end) break
      throw brokenOff('The answer ended early')
    } catch (error) {
      signal?.throwIfAborted()
      if (position - triedAt >= progressBytes) tries = firstTry()
      triedAt = position
      await connection.pause(error, tries, { signal })
    }
  }
  if (checksum === null || expected.crc32c === null || checksum.text() === expected.crc32c) return
  throw new ObjectError('damaged', 'The bytes of the object are not those of its checksum')
}

interface Expected {
  readonly generation: string
  /** Where the last byte that is wanted ends. */
  readonly end: number
  readonly crc32c: string | null
}

interface Where {
  readonly position: number
  readonly expected: Expected | null
}

function checkOrder({ start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end) return
  throw badRange()
}

/** No request asks for nothing, so the object's size is asked for. */
async function checkEmpty(bucket: Bucket, objectName: string, { end }: ByteRange, call: Call): Promise<void> {
  const resource = await bucket.get(objectName, call)
  if (resource === null) throw new ObjectError('not_found', 'There is no such object')
  if (end > Number(resource.size)) throw badRange()
}

function requestOf(
  bucket: Bucket,
  objectName: string,
  range: ByteRange | null,
  { position, expected }: Where,
) {
  const end = expected?.end ?? range?.end ?? null
  const isPart = range !== null || position > 0
  return {
    method: 'GET',
    path: bucket.pathOf(objectName),
    query: { alt: 'media', ...(expected === null ? {} : { generation: expected.generation }) },
    headers: {
      // What is stored compressed comes as it is stored.
      'accept-encoding': 'gzip',
      ...(isPart ? { range: `bytes=${position}-${end === null ? '' : end - 1}` } : {}),
    },
  } as const
}

const partialContent = 206

/** What is on its way, and whether that is what was asked for. */
function expectedIn(
  { status, headers }: ApiAnswer<unknown>,
  range: ByteRange | null,
  { position, expected }: Where,
): Expected {
  const generation = headers.get('x-goog-generation') ?? expected?.generation ?? null
  const length = headers.get('content-length')
  const answered = status === partialContent ? parseRange(headers.get('content-range')) : null
  if (generation === null || (expected !== null && expected.generation !== generation)) throw notTheObject()
  if (status === partialContent) {
    if (answered === null || answered.start !== position) throw notTheObject()
    if (range !== null && range.end > answered.sizeBytes) throw badRange()
    return expected ?? { generation, end: range?.end ?? answered.sizeBytes, crc32c: null }
  }
  // The whole although a part was asked for, or without its length: nothing that can be relied on.
  if (range !== null || position > 0 || length === null) throw notTheObject()
  return { generation, end: Number(length), crc32c: checksumIn(headers.get('x-goog-hash')) }
}

function parseRange(header: string | null): { readonly start: number; readonly sizeBytes: number } | null {
  const match = /^bytes (\d{1,16})-\d{1,16}\/(\d{1,16})$/.exec(header ?? '')
  return match === null ? null : { start: Number(match[1]), sizeBytes: Number(match[2]) }
}

async function* arriving(body: Readable, deadline: Deadline): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: AsyncIterator<unknown> = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await deadline.during(pieces.next()).catch((error: unknown) => {
        throw error instanceof ApiFailure ? error : brokenOff('The connection broke')
      })
      if (done === true) return
      if (value instanceof Uint8Array) yield value
    }
  } finally {
    body.destroy()
  }
}

const badRange = (): ObjectError => new ObjectError('bad_range', 'The range does not lie within the object')
const notTheObject = (): ApiFailure => brokenOff('What was answered is not what was asked for')
const tooLong = (): ObjectError => new ObjectError('damaged', 'The object is longer than it was')
const brokenOff = (message: string): ApiFailure =>
  new ApiFailure({ status: null, reason: 'broken off', message })
