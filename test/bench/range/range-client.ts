// Asks for byte ranges over one connection that stays open, and says when the first byte of each body came.
import { once } from 'node:events'
import { connect } from 'node:net'

export interface RangeAnswer {
  readonly firstByteMs: number
  readonly body: Buffer
}

export interface RangeClient extends Disposable {
  /** Throws for any answer but 206. */
  get(path: string, range: { start: number; end: number }, headers?: readonly string[]): Promise<RangeAnswer>
}

const headEnd = Buffer.from('\r\n\r\n')
const host = '127.0.0.1'

export async function openRangeClient(port: number): Promise<RangeClient> {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  const pieces: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]()
  return {
    async get(path, { start, end }, headers = []) {
      const lines = [`GET ${path} HTTP/1.1`, `host: ${host}`, `range: bytes=${start}-${end - 1}`, ...headers]
      const startedMs = performance.now()
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      let firstByteMs: number | null = null
      let bodyBytes = Number.NaN
      let arrived = Buffer.alloc(0)
      let bodyAt = -1
      for (;;) {
        const next = await pieces.next()
        if (next.done === true) throw new Error('the connection was closed')
        arrived = Buffer.concat([arrived, next.value])
        if (bodyAt === -1) {
          const found = arrived.indexOf(headEnd)
          if (found === -1) continue
          bodyAt = found + headEnd.length
          const head = arrived.toString('latin1', 0, found)
          if (!head.startsWith('HTTP/1.1 206')) throw new Error(`no partial answer: ${head}`)
          bodyBytes = Number(/^content-length: *(\d+)/im.exec(head)?.[1])
        }
        if (arrived.length > bodyAt) firstByteMs ??= performance.now() - startedMs
        if (firstByteMs === null || arrived.length < bodyAt + bodyBytes) continue
        return { firstByteMs, body: arrived.subarray(bodyAt, bodyAt + bodyBytes) }
      }
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}
