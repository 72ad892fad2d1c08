// An HTTP server that opens and closes as one thing: it stops taking connections first, lets running requests end,
// and only then cuts what is left.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { RuntimeError } from './error.ts'

/** A client has this long to send its headers. */
const headersTimeoutMs = 15_000
/** Longer than load balancers keep an idle connection (60 s is usual), so that they close it and not we. */
const keepAliveTimeoutMs = 65_000
/** Of the grace of a stop. The rest is for closing what the requests used, before the process is ended anyway. */
const requestsShare = 0.75

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** How long a whole stop may take, in milliseconds: running requests are cut off after three quarters of it. */
  readonly graceMs: number
  /** Aborted while starting: rejects with the reason. Aborted later: no new connection is taken from then on. */
  readonly signal?: AbortSignal | undefined
}

export interface Listening extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** `http://host:port`, no trailing slash. */
  readonly url: string
}

/**
 * Listens with `app`. There is no limit on how long a request takes as a whole, since bodies may be hours of audio:
 * whoever reads a body owns its idle timeout. Throws `RuntimeError`: `address_in_use` or `address_unusable`.
 */
export async function listen(app: RequestListener, options: ListenOptions): Promise<Listening> {
  const { host, port, graceMs, signal } = options
  signal?.throwIfAborted()
  const sockets = new Set<Socket>()
  const running = new Set<ServerResponse>()
  let closing = false

  const server = createServer({
    requestTimeout: 0,
    headersTimeout: headersTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const serve: RequestListener = (request, response) => {
    running.add(response)
    if (closing) response.setHeader('connection', 'close')
    response.once('close', () => {
      running.delete(response)
      // Only now is its connection idle.
      if (closing) setImmediate(() => server.closeIdleConnections())
    })
    app(request, response)
  }
  server.on('request', serve)
  server.on('checkContinue', (request, response) => {
    continueOnceRead(request, response)
    serve(request, response)
  })

  server.listen({ host, port })
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw refusal(cause, host, port)
  }
  const address = server.address() as AddressInfo

  // From the start: once aborted, it may be closed long before anybody disposes of it.
  const closed = once(server, 'close')
  const close = () => {
    if (closing) return
    closing = true
    // From here and not from disposal: servers that are disposed of one after another stop together.
    const cut = setTimeout(() => server.closeAllConnections(), graceMs * requestsShare)
    server.once('close', () => clearTimeout(cut))
    for (const response of running) {
      if (!response.headersSent) response.setHeader('connection', 'close')
    }
    server.close()
    // Node takes a connection that has not asked for anything yet, as browsers open them, for a busy one.
    const busy = new Set(Array.from(running, ({ req }) => req.socket))
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy()
  }
  signal?.addEventListener('abort', close, { once: true })
  if (signal?.aborted === true) {
    close()
    throw signal.reason
  }

  return {
    host,
    port: address.port,
    url: `http://${address.family === 'IPv6' ? `[${host}]` : host}:${address.port}`,
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', close)
      close()
      await closed
    },
  }
}

/** Who waits for `100 Continue` gets it when the body is wanted, and a refusal before it has sent anything. */
function continueOnceRead(request: IncomingMessage, response: ServerResponse): void {
  const onListener = (event: string | symbol) => {
    if (event !== 'readable' && event !== 'data') return
    request.off('newListener', onListener)
    if (!response.headersSent) response.writeContinue()
  }
  request.on('newListener', onListener)
}

function refusal(cause: unknown, host: string, port: number): RuntimeError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null
  return code === 'EADDRINUSE'
    ? new RuntimeError('address_in_use', `Another program already listens on ${host}, port ${port}`, {
        cause,
      })
    : new RuntimeError('address_unusable', `Cannot listen on ${host}, port ${port} (${String(code)})`, {
        cause,
      })
}
