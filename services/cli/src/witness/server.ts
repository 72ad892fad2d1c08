// The witness over HTTP (C2SP tlog-witness): `POST /add-checkpoint`, and `GET /{hash of an origin}/checkpoint` for
// whoever wants to know what it cosigned last.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { formatTreeSize, monitoringPath, treeSizeContentType } from '@auricle/audit'
import { createHealth, type Listening, type Logger, listen, type Metrics } from '@auricle/runtime'
import type { Witness, WitnessAnswer } from '@auricle/vault'

export interface WitnessServerParts {
  readonly witness: Witness
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly shutdownGraceMs: number
  readonly logger: Logger
  readonly metrics: Metrics
}

/** 63 hashes, and 16 signatures of the largest kind that there is; a request of ours has less than a tenth. */
const bodyMaxBytes = 96 * 1024
/** From the first byte of a request to the last. */
const bodyTimeoutMs = 10_000
/** Requests that are read or wait for the disk at once. */
const runningMost = 256

const textType = 'text/plain; charset=utf-8'

interface Reply {
  readonly status: number
  readonly type: string
  readonly body: string
}

const refused = (status: number, body: string): Reply => ({ status, type: textType, body: `${body}\n` })

/** Listens when it resolves. */
export async function startWitness(
  parts: WitnessServerParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<Listening> {
  const { witness, logger, metrics } = parts
  const origins = new Map(witness.origins.map(origin => [`/${monitoringPath(origin)}`, origin]))
  const health = createHealth({ checks: {}, metrics })
  let running = 0

  async function answer(request: IncomingMessage): Promise<Reply> {
    const [path = '/'] = (request.url ?? '/').split('?', 1)
    if (path === '/add-checkpoint') {
      if (request.method !== 'POST') return refused(405, 'a checkpoint is sent with POST')
      const body = await readText(request)
      return typeof body === 'string' ? replyOf(await decide(body)) : body
    }
    const origin = origins.get(path)
    if (origin === undefined) return refused(404, 'there is nothing here')
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refused(405, 'a checkpoint is read with GET')
    const note = await witness.latest(origin)
    return note === null
      ? refused(404, 'no checkpoint of this log was cosigned yet')
      : { status: 200, type: textType, body: note }
  }

  async function decide(body: string): Promise<WitnessAnswer> {
    const startedMs = performance.now()
    const given = await witness.addCheckpoint(body)
    const fields = {
      outcome: given.kind,
      durationMs: Math.round(performance.now() - startedMs),
      ...('size' in given ? { count: given.size } : {}),
    }
    // Signed by the log's own key, and not what it said before: nothing a stranger could send.
    if (given.kind === 'inconsistent')
      logger.error('A log asked for a cosignature of another history', fields)
    else logger.debug('A checkpoint was looked at', fields)
    return given
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = running >= runningMost ? refused(503, 'too many requests at once') : await counted(request)
    response.statusCode = reply.status
    response.setHeader('Content-Type', reply.type)
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    if (reply.status === 503) response.setHeader('Retry-After', '1')
    // What of a body was not read stays unread: the connection does not go on behind it.
    if (!request.complete) response.setHeader('Connection', 'close')
    response.end(request.method === 'HEAD' ? undefined : reply.body)
  }

  async function counted(request: IncomingMessage): Promise<Reply> {
    running++
    try {
      return await answer(request)
    } catch (error) {
      // The state cannot be read or written: nothing may be signed, and nothing was.
      logger.error('A checkpoint could not be looked at', { error })
      return refused(500, 'the witness cannot answer now')
    } finally {
      running--
    }
  }

  return await listen(
    (request, response) =>
      health(request, response, () => {
        serve(request, response).catch((error: unknown) => {
          logger.error('An answer failed', { error })
          response.destroy()
        })
      }),
    { host: parts.host, port: parts.port, graceMs: parts.shutdownGraceMs, signal },
  )
}

function replyOf(answer: WitnessAnswer): Reply {
  switch (answer.kind) {
    case 'cosigned':
      return { status: 200, type: textType, body: answer.lines }
    case 'malformed':
      return refused(400, 'this is no request for a cosignature')
    case 'unknown_log':
      return refused(404, 'this witness does not know the log')
    case 'untrusted':
      return refused(403, 'no key of the log signed this checkpoint')
    case 'stale':
      return { status: 409, type: treeSizeContentType, body: formatTreeSize(answer.size) }
    case 'inconsistent':
      return refused(422, 'this checkpoint does not go on from the one that was cosigned last')
    default:
      return answer satisfies never
  }
}

/** The body as text, or what to answer in its place. Bytes that are no UTF-8 become text that no request has. */
async function readText(request: IncomingMessage): Promise<string | Reply> {
  if (Number(request.headers['content-length'] ?? 0) > bodyMaxBytes)
    return refused(413, 'the body is too large')
  const { promise, resolve } = Promise.withResolvers<string | Reply>()
  const pieces: Buffer[] = []
  let bytes = 0
  const late = setTimeout(() => resolve(refused(408, 'the body took too long')), bodyTimeoutMs)
  request.on('data', (piece: Buffer) => {
    bytes += piece.length
    if (bytes > bodyMaxBytes) resolve(refused(413, 'the body is too large'))
    else pieces.push(piece)
  })
  request.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')))
  request.on('error', () => resolve(refused(400, 'the body broke off')))
  request.on('close', () => resolve(refused(400, 'the body broke off')))
  try {
    return await promise
  } finally {
    clearTimeout(late)
    request.removeAllListeners('data')
    request.pause()
  }
}
