// HTTP over a bare socket, for requests that no proper client would send and for seeing exactly what comes back.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const crlf = '\r\n'

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** False where the connection ended before the declared length. */
  readonly complete: boolean
}

export interface RawConnection extends Disposable {
  readonly socket: Socket
  /** Resolves when the bytes are handed to the system, or the other side does not take them any more. */
  send(...pieces: readonly (string | Uint8Array)[]): Promise<void>
  /** The next answer; interim ones (1xx) count too. Rejects where the connection ends before one began. */
  answer(options?: { readonly head?: boolean }): Promise<RawAnswer>
  /** Resolves when the other side has ended or cut the connection. */
  closed(): Promise<void>
  /** Everything that arrived and was not taken by `answer`. */
  rest(): Buffer
}

export async function openRaw(port: number, host = '127.0.0.1'): Promise<RawConnection> {
  const socket = connect({ port, host, noDelay: true })
  await once(socket, 'connect')
  let arrived = Buffer.alloc(0)
  let ended = false
  let wake = Promise.withResolvers<void>()
  const news = () => {
    wake.resolve()
    wake = Promise.withResolvers<void>()
  }
  socket.on('data', (piece: Buffer) => {
    arrived = Buffer.concat([arrived, piece])
    news()
  })
  // A reset is one of the ways in which a connection ends.
  socket.on('error', () => undefined)
  for (const event of ['end', 'close'] as const) {
    socket.on(event, () => {
      ended = true
      news()
    })
  }
  const until = async (is: () => boolean) => {
    while (!is() && !ended) await wake.promise
  }
  const headEnd = () => arrived.indexOf(crlf + crlf)

  return {
    socket,
    async send(...pieces) {
      for (const piece of pieces) {
        if (socket.destroyed) return
        await new Promise<void>(resolve => socket.write(piece, () => resolve()))
      }
    },
    async answer({ head = false } = {}) {
      await until(() => headEnd() !== -1)
      const end = headEnd()
      if (end === -1) throw new Error('the connection ended without an answer')
      const { status, headers } = parseHead(arrived.toString('latin1', 0, end))
      const start = end + 2 * crlf.length
      const isBare = head || status < 200 || status === 204 || status === 304
      const length = isBare ? 0 : Number(headers['content-length'] ?? 0)
      if (!isBare && headers['transfer-encoding'] === 'chunked') {
        const lastChunk = () => arrived.indexOf(`0${crlf}${crlf}`, start)
        await until(() => lastChunk() !== -1)
        const last = lastChunk()
        const body = joinChunks(arrived.subarray(start, last === -1 ? arrived.length : last))
        arrived = last === -1 ? Buffer.alloc(0) : arrived.subarray(last + '0'.length + 2 * crlf.length)
        return { status, headers, body, complete: last !== -1 }
      }
      await until(() => arrived.length >= start + length)
      const body = arrived.subarray(start, start + length)
      arrived = arrived.subarray(start + length)
      return { status, headers, body, complete: body.length === length }
    },
    async closed() {
      await until(() => false)
    },
    rest: () => arrived,
    [Symbol.dispose]: () => socket.destroy(),
  }
}

function parseHead(text: string): Pick<RawAnswer, 'status' | 'headers'> {
  const [first = '', ...lines] = text.split(crlf)
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  return { status: Number(first.split(' ')[1]), headers }
}

/** Of text without `0 CR LF CR LF` within: enough for the answers of a test. */
function joinChunks(chunks: Buffer): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < chunks.length; ) {
    const lineEnd = chunks.indexOf(crlf, at)
    const size = Number.parseInt(chunks.toString('latin1', at, lineEnd), 16)
    const start = lineEnd + crlf.length
    pieces.push(chunks.subarray(start, start + size))
    at = start + size + crlf.length
  }
  return Buffer.concat(pieces)
}

/** The lines of a request up to its body. */
export function requestHead(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join(crlf)
}

/** One chunk of `Transfer-Encoding: chunked`; without bytes the last one. */
export function chunk(bytes: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(bytes.length.toString(16) + crlf), bytes, Buffer.from(crlf)])
}
