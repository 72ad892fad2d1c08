// Answers a request whose body may not have been read: closing at once would reset the connection under the answer.
import type { Request, Response } from 'express'

/** How much of a refused body is still taken in, and for how long, so that its sender gets to read why. */
const drainMaxBytes = 4 * 1024 * 1024
const drainMaxMs = 5_000

export async function sendAndDrain(
  request: Request,
  response: Response,
  status: number,
  body: object,
): Promise<void> {
  if (response.headersSent || response.destroyed) return
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  if (status === 401) response.set('WWW-Authenticate', 'Bearer realm="auricle ingest"')
  if (status === 503) response.set('Retry-After', '5')
  response.status(status).type(type).send(JSON.stringify(body))
  if (request.complete) return
  drain(request)
}

function drain(request: Request): void {
  let bytes = 0
  const timer = setTimeout(() => request.destroy(), drainMaxMs)
  timer.unref()
  request.on('data', (piece: Buffer) => {
    bytes += piece.length
    if (bytes > drainMaxBytes) request.destroy()
  })
  request.on('close', () => clearTimeout(timer))
  request.resume()
}
