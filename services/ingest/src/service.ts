// Puts the ingest service together: what it uses, and where it listens.
import { randomUUID } from 'node:crypto'
import { sniffAudio, sniffBytes } from '@auricle/audio'
import type { Catalog } from '@auricle/catalog'
import { guardKeys, type KeyService, type OnKeyUse } from '@auricle/keys'
import type { Limits, Rate } from '@auricle/limits'
import type { ObjectStore } from '@auricle/objects'
import { connectors as kinds } from '@auricle/pbx'
import {
  type Config,
  createHealth,
  type Listening,
  type Logger,
  listen,
  type Metrics,
} from '@auricle/runtime'
import {
  createConnectors,
  type EventLog,
  isDurable,
  noteRefusal,
  type OpenConnector,
  receive,
} from '@auricle/vault'
import express, { type Request, type Response } from 'express'
import { type DeliveryOutcome, deliveryRoutes } from './delivery-routes.ts'
import { createFailureLimits } from './failure-limits.ts'
import { problemName, problemOf } from './problem.ts'
import { createSecretUses } from './secret-uses.ts'
import { sendAndDrain } from './send-and-drain.ts'

export interface IngestParts {
  readonly config: Pick<Config, 'ingest' | 'shutdownGraceMs'>
  readonly catalog: Pick<
    Catalog,
    'findConnector' | 'findIntakeBySource' | 'commitIntake' | 'notePreviousSecret' | 'check'
  >
  readonly log: EventLog
  /** It creates objects and never reads or deletes one. */
  readonly objects: Pick<ObjectStore, 'put'>
  /** It unwraps under `connectors` keys and only wraps under `recordings` keys. */
  readonly keys: Pick<KeyService, 'ensure' | 'key'>
  readonly noteKeyUse: OnKeyUse
  readonly limits: Limits
  readonly logger: Logger
  readonly metrics: Metrics
  /** Default: the system's clock. */
  readonly now?: () => Date
}

/** Refusals of one connector that reach the audit log. */
const refusalRate: Rate = { burst: 30, everyMs: 2_000 }

/** Listens when it resolves; disposing lets running deliveries end. */
export async function startIngest(
  parts: IngestParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<Listening> {
  const { config, catalog, log, limits, logger, metrics, now = () => new Date() } = parts
  const keys = guardKeys(parts.keys, { isDurable, onUse: parts.noteKeyUse })
  const observe = ({ error, ...delivery }: DeliveryOutcome) => {
    metrics.countDelivery({ connectorKind: delivery.kind, outcome: delivery.outcome })
    metrics.countAudioBytes('in', delivery.bytes)
    const fields = {
      requestId: delivery.request,
      connectorId: delivery.connector,
      outcome: delivery.outcome,
      bytes: delivery.bytes,
      durationMs: Math.round(delivery.durationMs),
      error,
    }
    if (delivery.outcome === 'internal') logger.error('Delivery failed', fields)
    else logger.info('Delivery', fields)
  }
  const refuse = async (connector: OpenConnector, reason: string, request: string) => {
    const { allowed } = await limits.take(`ingest:refusals:${connector.row.id}`, refusalRate)
    if (!allowed) return
    await noteRefusal({ log }, connector.row, reason, request, {}).catch((error: unknown) =>
      logger.warn('A refused delivery could not be logged', { requestId: request, error }),
    )
  }
  await using opening = new AsyncDisposableStack()
  const closed = new AbortController()
  opening.defer(() => closed.abort(new DOMException('the service is closed', 'AbortError')))
  const app = express()
  app.disable('x-powered-by').set('etag', false).set('trust proxy', 'loopback')
  app.use(createHealth({ checks: { database: options => catalog.check(options) }, metrics }))
  app.use(
    deliveryRoutes({
      connectors: createConnectors(catalog, keys, () => now().getTime()),
      kinds: new Map(Object.entries(kinds)),
      receive: (connector, delivery, options) =>
        receive({ ...parts, keys, now, sniff: sniffAudio, sniffBytes }, connector, delivery, options),
      failures: createFailureLimits(limits, () => now().getTime()),
      noteSecret: createSecretUses({ catalog, logger, metrics, now }),
      now,
      observe,
      noteRefusal: refuse,
      signal: closed.signal,
    }),
  )
  // Express' own answer to an error shows its stack, and the path that it could not read.
  app.use((error: unknown, request: Request, response: Response, _next: unknown) => {
    const problem = problemOf(error, randomUUID())
    if (problemName(error) === 'internal') {
      logger.error('A request failed', { requestId: problem.instance, error })
    }
    return sendAndDrain(request, response, problem.status, problem)
  })
  const { host, port } = config.ingest
  const listening = opening.use(await listen(app, { host, port, graceMs: config.shutdownGraceMs, signal }))
  const opened = opening.move()
  return {
    host,
    port: listening.port,
    url: listening.url,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
