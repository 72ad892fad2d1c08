// What machines ask a service: `/healthz` whether the process lives, `/readyz` whether it can work and what is
// missing, `/metrics` for Prometheus.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Metrics } from './metrics.ts'

export interface HealthParts {
  /** What the service cannot do without, by name; each resolves when it is there. */
  readonly checks: Readonly<Record<string, (options: { readonly signal: AbortSignal }) => Promise<void>>>
  readonly metrics: Pick<Metrics, 'contentType' | 'render'>
}

const checkTimeoutMs = 2_000

/** A handler for `app.use`: answers its three paths, and hands everything else on. */
export function createHealth(parts: HealthParts) {
  return (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    const path = request.url?.split('?', 1)[0]
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const answer = isRead ? answers[path ?? ''] : undefined
    if (answer === undefined) next()
    else answer(parts, response).catch(next)
  }
}

type Answer = (parts: HealthParts, response: ServerResponse) => Promise<void>

const answers: Readonly<Record<string, Answer>> = {
  '/healthz': async (_parts, response) => sendJson(response, 200, { status: 'live' }),
  '/readyz': async ({ checks }, response) => {
    const missing = await findMissing(checks)
    if (missing.length === 0) sendJson(response, 200, { status: 'ready' })
    else sendJson(response, 503, { status: 'not ready', missing })
  },
  '/metrics': async ({ metrics }, response) => {
    response.setHeader('Content-Type', metrics.contentType)
    response.end(await metrics.render())
  },
}

async function findMissing(
  checks: HealthParts['checks'],
): Promise<readonly { name: string; code: string }[]> {
  const signal = AbortSignal.timeout(checkTimeoutMs)
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        await check({ signal })
        return null
      } catch (error) {
        return { name, code: error instanceof Error && 'code' in error ? String(error.code) : 'unknown' }
      }
    }),
  )
  return found.filter(result => result !== null)
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Cache-Control', 'no-store')
  response.end(JSON.stringify(body))
}
