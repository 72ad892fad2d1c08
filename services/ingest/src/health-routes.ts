// `/healthz`: the process lives. `/readyz`: it can take a delivery, or says what is missing. `/metrics`: Prometheus.
import type { Metrics } from '@auricle/runtime'
import { Router } from 'express'

export interface HealthParts {
  /** Resolves when deliveries can be committed. */
  readonly check: () => Promise<void>
  readonly metrics: Metrics
}

export function healthRoutes({ check, metrics }: HealthParts): Router {
  const router = Router()
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'live' })
  })
  router.get('/readyz', async (_request, response) => {
    try {
      await check()
      response.json({ status: 'ready' })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      response.status(503).json({ status: 'not ready', missing: ['database'], code })
    }
  })
  router.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.render())
  })
  return router
}
