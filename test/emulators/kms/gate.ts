// What stands before the gRPC server on the socket, so that a connection can be cut under a call, at any byte.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Gate extends AsyncDisposable {
  readonly port: number
  /** Destroys the connection through which that peer of the inner server calls. */
  cut(peer: string): void
  /** The same once so many bytes more have gone to the caller. */
  cutAfter(peer: string, bytes: number): void
  /** Destroys every connection that there is; new ones are let in. */
  cutAll(): void
}

interface Passage {
  readonly outer: Socket
  readonly inner: Socket
  bytesLeft: number
}

/** Passes bytes between callers and the server on `innerPort`. */
export async function openGate(innerPort: number, port: number): Promise<Gate> {
  const passages = new Map<string, Passage>()
  const server = createServer(outer => {
    const inner = connect(innerPort, '127.0.0.1')
    const passage: Passage = { outer, inner, bytesLeft: Number.POSITIVE_INFINITY }
    const end = () => {
      outer.destroy()
      inner.destroy()
    }
    for (const socket of [outer, inner]) {
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
    }
    inner.on('connect', () => passages.set(`127.0.0.1:${inner.localPort}`, passage))
    inner.on('close', () => passages.delete(`127.0.0.1:${inner.localPort}`))
    outer.pipe(inner)
    inner.on('data', (bytes: Buffer) => {
      const passed = bytes.subarray(0, passage.bytesLeft)
      passage.bytesLeft -= passed.length
      if (passage.bytesLeft > 0) outer.write(passed)
      else outer.write(passed, end)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const cut = ({ outer, inner }: Passage) => {
    outer.resetAndDestroy()
    inner.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut(peer) {
      const passage = passages.get(peer)
      if (passage !== undefined) cut(passage)
    },
    cutAfter(peer, bytes) {
      const passage = passages.get(peer)
      if (passage !== undefined) passage.bytesLeft = bytes
    },
    cutAll() {
      for (const passage of passages.values()) cut(passage)
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const passage of passages.values()) cut(passage)
      await closed
    },
  }
}
