// An HTTP server of a test on the loopback, that is gone at the end whatever its clients do.
import { once } from 'node:events'
import type { Server } from 'node:http'

export interface LoopbackServer extends AsyncDisposable {
  readonly port: number
}

/** On a port that is free, unless it is told which. */
export async function listenOnLoopback(server: Server, port = 0): Promise<LoopbackServer> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('A TCP server has a port')
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
