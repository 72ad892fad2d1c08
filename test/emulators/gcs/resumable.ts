// Resumable uploads: begun once, then filled by whoever has the address of the session.
import { type Answer, type Call, json } from './call.ts'
import { isFinal, parseUploadRange, type UploadRange, uploadQuantumBytes } from './content-range.ts'
import { readJson } from './json.ts'
import { invalid } from './refusal.ts'
import { cancelled, type Session } from './session.ts'
import { storeBytes } from './stored-bytes.ts'
import { finishUpload, parseHashes, prepareUpload, type Upload } from './upload.ts'

export async function beginResumable(call: Call): Promise<Answer> {
  const metadata = await readJson(call.body)
  const type = call.headers['x-upload-content-type']
  const upload = prepareUpload(call, metadata, typeof type === 'string' ? type : null)
  const size = call.headers['x-upload-content-length']
  if (size !== undefined && !/^\d{1,15}$/.test(String(size))) {
    throw invalid('Invalid X-Upload-Content-Length header.')
  }
  const session = call.service.sessions.begin({
    upload,
    size: size === undefined ? null : Number(size),
    bytes: storeBytes({ md5: upload.expected.md5 !== null }),
  })
  const path = `${call.origin}/upload/storage/v1/b/${upload.bucketName}/o`
  return {
    status: 200,
    headers: {
      location: `${path}?uploadType=resumable&upload_id=${session.id}`,
      'x-guploader-uploadid': session.id,
    },
  }
}

export async function putChunk(call: Call): Promise<Answer> {
  const session = theSession(call)
  // Done once, it is answered the same however often it is asked: so a lost acknowledgement can be made up for.
  if (session.state.type === 'finished') return json(session.state.resource)
  const range = parseUploadRange(call.headers['content-range'])
  if (range.type === 'status') return status(call, session, range)
  return receiveChunk(call, session, range)
}

export function cancelSession(call: Call): Answer {
  const session = theSession(call)
  if (session.state.type !== 'open') throw invalid('The upload is finished.')
  session.state = { type: 'cancelled' }
  session.bytes = storeBytes()
  throw cancelled()
}

function theSession(call: Call): Session {
  return call.service.sessions.find(call.query.get('upload_id') ?? '')
}

/** Also the way to say that what has arrived is all of it: `bytes *\/N` with N bytes there. */
function status(call: Call, session: Session, { total }: { readonly total: number | null }): Answer {
  const isWhole = total !== null && total === session.bytes.size
  return isWhole ? finish(call, session) : incomplete(session)
}

function incomplete(session: Session): Answer {
  const { size } = session.bytes
  return { status: 308, headers: size === 0 ? {} : { range: `bytes=0-${size - 1}` } }
}

async function receiveChunk(
  call: Call,
  session: Session,
  range: Extract<UploadRange, { type: 'bytes' }>,
): Promise<Answer> {
  const { bytes } = session
  if (range.start > bytes.size) {
    throw invalid(`The upload has ${bytes.size} bytes; the request begins at ${range.start}.`)
  }
  // What is there already is not taken again.
  let known = bytes.size - range.start
  let received = 0
  /** What has arrived and is not yet a full quantum: a chunk that breaks off leaves whole ones. */
  let waiting: Buffer[] = []
  let waitingBytes = 0
  for await (const piece of call.received(call.body)) {
    received += piece.length
    if (range.end !== null && range.start + received > range.end) throw invalid('More bytes than announced.')
    const skipped = Math.min(known, piece.length)
    known -= skipped
    waiting.push(piece.subarray(skipped))
    waitingBytes += piece.length - skipped
    while (waitingBytes >= uploadQuantumBytes) {
      const missing = uploadQuantumBytes - (bytes.size % uploadQuantumBytes)
      const taken = takeBytes(waiting, missing)
      for (const part of taken.first) bytes.append(part)
      waiting = taken.rest
      waitingBytes -= missing
    }
  }
  if (range.end !== null && range.start + received < range.end) throw invalid('Fewer bytes than announced.')
  if (isFinal(range)) {
    for (const part of waiting) bytes.append(part)
    const total = range.total ?? session.size ?? bytes.size
    if (total !== bytes.size) throw invalid(`${total} bytes were announced, ${bytes.size} have arrived.`)
    return finish(call, session)
  }
  if (waitingBytes > 0) throw notAQuantum(received)
  return incomplete(session)
}

function takeBytes(pieces: readonly Buffer[], count: number): { first: Buffer[]; rest: Buffer[] } {
  const first: Buffer[] = []
  const rest: Buffer[] = []
  let missing = count
  for (const piece of pieces) {
    if (missing > 0) first.push(piece.subarray(0, missing))
    if (piece.length > missing) rest.push(piece.subarray(missing))
    missing = Math.max(0, missing - piece.length)
  }
  return { first, rest }
}

const notAQuantum = (received: number) =>
  invalid(
    `All requests but the last have to bring multiples of ${uploadQuantumBytes} bytes; this one brought ${received}.`,
  )

function finish(call: Call, session: Session): Answer {
  const sums = parseHashes(call.headers['x-goog-hash'])
  const { expected } = session.upload
  const upload: Upload = {
    ...session.upload,
    expected: { crc32c: sums.crc32c ?? expected.crc32c, md5: sums.md5 ?? expected.md5 },
  }
  try {
    if (sums.crc32c !== undefined && expected.crc32c !== null && sums.crc32c !== expected.crc32c) {
      throw invalid('The checksums at the beginning and at the end of the upload differ.')
    }
    const resource = finishUpload(call.service, upload, session.bytes, call.origin)
    session.state = { type: 'finished', resource }
    return json(resource)
  } catch (error) {
    session.state = { type: 'failed' }
    throw error
  } finally {
    session.bytes = storeBytes()
  }
}
