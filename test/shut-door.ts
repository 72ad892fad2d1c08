// A way to a server that can be shut for good: for tests of what happens when it never comes back.
import { once } from 'node:events'
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net'

export interface ShutDoor extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Ends every connection through it, and takes no more. */
  shut(): void
}

/** On a port that is free, unless it is told which. */
export async function openShutDoor(to: NetConnectOpts, port = 0): Promise<ShutDoor> {
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const inner = connect(to)
    for (const socket of [client, inner]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    client.pipe(inner).pipe(client)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the door has no port')
  const shut = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return {
    host: '127.0.0.1',
    port: address.port,
    shut,
    async [Symbol.asyncDispose]() {
      shut()
    },
  }
}
