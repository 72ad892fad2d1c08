// The two ways in which bytes get into the bucket: in one request, or chunk by chunk into a session.
//
// Either way the checksum of all the bytes is with the service before the object exists: in the metadata in front of
// the bytes, or with the last chunk. Bytes that differ are refused, and nothing has to be deleted that could not be.
import { randomUUID } from 'node:crypto'
import { ApiFailure, meaningOf } from './api-failure.ts'
import type { Bucket, Call } from './bucket.ts'
import { type Chunk, split } from './chunks.ts'
import { type ApiAnswer, type ApiRequest, firstTry, type SendOptions } from './connection.ts'
import { parseResource, type Resource, resourceFields } from './resource.ts'

/** What the object is to be besides its bytes. */
export interface NewObject {
  readonly name: string
  readonly contentType: string
  readonly metadata: Readonly<Record<string, string>>
  readonly retention?: { readonly mode: 'Locked' | 'Unlocked'; readonly retainUntilTime: string } | undefined
}

const createOnly = { ifGenerationMatch: '0' }

/** Throws `ApiFailure`; after an uncertain try also when the object is our own. */
export async function insertWhole(
  bucket: Bucket,
  object: NewObject,
  { pieces }: Pick<Chunk, 'pieces'>,
  { crc32c, ...options }: SendOptions & { readonly crc32c: string },
): Promise<Resource> {
  const boundary = randomUUID()
  const head = Buffer.from(
    `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n` +
      `${JSON.stringify({ ...object, crc32c })}\r\n` +
      `--${boundary}\r\ncontent-type: ${object.contentType}\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const request: ApiRequest = {
    method: 'POST',
    path: bucket.uploadPath,
    query: { uploadType: 'multipart', name: object.name, ...createOnly, fields: resourceFields },
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: [head, ...pieces, tail],
  }
  const tries = firstTry()
  for (;;) {
    try {
      return parseResource((await bucket.connection.sendOnce(request, options)).body)
    } catch (error) {
      // Damaged on its way and refused: the bytes are still here.
      const failure = meaningOf(error) === 'checksum' ? tryAgain(error) : error
      await bucket.connection.pause(failure, tries, options).catch(() => {
        throw error
      })
    }
  }
}

const tryAgain = (error: unknown): unknown =>
  error instanceof ApiFailure
    ? new ApiFailure({ status: null, reason: error.reason, message: error.said })
    : error

/** The address of a session: whoever has it may write, and do nothing else. */
export async function beginSession(bucket: Bucket, object: NewObject, call: Call): Promise<string> {
  const answer = await bucket.connection.send(
    {
      method: 'POST',
      path: bucket.uploadPath,
      query: { uploadType: 'resumable', name: object.name, ...createOnly, fields: resourceFields },
      headers: {
        'content-type': 'application/json; charset=UTF-8',
        'x-upload-content-type': object.contentType,
      },
      body: [Buffer.from(JSON.stringify(object))],
    },
    call,
  )
  const address = answer.headers.get('location')
  if (address !== null) return address
  throw new ApiFailure({
    status: null,
    reason: 'no session',
    message: 'No session came of the request for one',
  })
}

/** Best effort: nothing exists of an upload that was not finished, and a session ends by itself after a week. */
export async function cancelSession(bucket: Bucket, address: string): Promise<void> {
  await bucket.connection
    .sendOnce({ method: 'DELETE', path: address }, { signal: undefined })
    .catch(() => undefined)
}

export interface SessionChunk extends Chunk {
  /** Where in the object it begins. */
  readonly offset: number
  /** Of all the bytes up to here; sent with the last chunk. */
  readonly crc32c: string
}

/** Sends a chunk whole, however often the connection breaks; the object, when it was the last. */
export async function sendChunk(
  bucket: Bucket,
  address: string,
  chunk: SessionChunk,
  options: SendOptions,
): Promise<Resource | null> {
  const end = chunk.offset + chunk.bytes
  const total = chunk.isLast ? String(end) : '*'
  const tries = firstTry()
  let storedBytes = chunk.offset
  let isAsking = false
  for (;;) {
    try {
      const request = isAsking ? statusRequest(address) : bytesRequest(address, chunk, storedBytes, total)
      const answer = await bucket.connection.sendOnce(request, options)
      if (answer.status !== resumeIncomplete) return parseResource(answer.body)
      storedBytes = storedIn(answer, chunk, end)
      isAsking = false
      if (storedBytes === end && !chunk.isLast) return null
      // All is there and not finished, or a part was not taken: a try like any other, or it could go on for ever.
      if (tries.count > 1) await bucket.connection.pause(notFinished(), tries, options)
      else tries.count++
    } catch (error) {
      await bucket.connection.pause(error, tries, options)
      isAsking = true
    }
  }
}

const resumeIncomplete = 308

const notFinished = (): ApiFailure =>
  new ApiFailure({ status: null, reason: 'incomplete', message: 'The upload does not come to its end' })

function bytesRequest(address: string, chunk: SessionChunk, from: number, total: string): ApiRequest {
  const end = chunk.offset + chunk.bytes
  const { rest } = split(chunk.pieces, from - chunk.offset)
  const range = end === from ? '*' : `${from}-${end - 1}`
  return {
    method: 'PUT',
    path: address,
    headers: {
      'content-range': `bytes ${range}/${total}`,
      ...(chunk.isLast ? { 'x-goog-hash': `crc32c=${chunk.crc32c}` } : {}),
    },
    body: rest,
  }
}

const statusRequest = (address: string): ApiRequest => ({
  method: 'PUT',
  path: address,
  headers: { 'content-range': 'bytes */*' },
  body: [],
})

/** How much of the object the service has. Throws when it has lost what it had. */
function storedIn({ headers }: ApiAnswer<unknown>, { offset }: SessionChunk, end: number): number {
  const match = /^bytes=0-(\d{1,16})$/.exec(headers.get('range') ?? '')
  const stored = match === null ? 0 : Number(match[1]) + 1
  if (offset <= stored && stored <= end) return stored
  throw new ApiFailure({ status: 0, reason: 'lost', message: 'The session has not what it was given' })
}
