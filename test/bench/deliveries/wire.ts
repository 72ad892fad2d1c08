// A client that costs little: requests that are bytes already, over sockets that stay open.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface WireRequest {
  /** Head and body, in order. */
  readonly pieces: readonly Uint8Array[]
}

const headEnd = '\r\n\r\n'
const statusAt = 'HTTP/1.1 '.length

/** Sends all requests over that many sockets and resolves when each was answered. Throws where an answer is no 200. */
export async function sendAll(
  { host, port }: { readonly host: string; readonly port: number },
  requests: readonly WireRequest[],
  connections: number,
): Promise<void> {
  const waiting = requests.values()
  const work = async () => {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    const answers = readAnswers(socket)
    // The iterator is shared: whoever is free takes the next request.
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      const { pieces } = next.value
      socket.cork()
      for (const piece of pieces) socket.write(piece)
      socket.uncork()
      const { value: status } = await answers.next()
      if (status !== 200) throw new Error(`answered ${status ?? 'by closing the connection'}`)
    }
    socket.destroy()
  }
  await Promise.all(Array.from({ length: connections }, work))
}

/** Status codes, one an answer; answers have a Content-Length. */
async function* readAnswers(socket: Socket): AsyncGenerator<number> {
  let text = ''
  for await (const piece of socket) {
    text += piece.toString('latin1')
    const head = text.indexOf(headEnd)
    if (head === -1) continue
    const bodyBytes = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? Number.NaN)
    if (Number.isNaN(bodyBytes)) throw new Error(`an answer without a length: ${text.slice(0, head)}`)
    if (text.length < head + headEnd.length + bodyBytes) continue
    const status = Number(text.slice(statusAt, statusAt + 3))
    text = ''
    yield status
  }
}
