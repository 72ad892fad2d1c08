// The door for PBXs: `POST /v1/ingest/{connector}` and `PUT /v1/ingest/{connector}/{name}`.
import { randomUUID } from 'node:crypto'
import { ConnectorId, type ProblemName, problems } from '@auricle/contract'
import { LimitsError } from '@auricle/limits'
import type { Delivery, DeliveryRequest, PbxConnector, ProvenBy } from '@auricle/pbx'
import type { Connectors, OpenConnector, Received } from '@auricle/vault'
import { type Request, type Response, Router } from 'express'
import { readBody } from './body.ts'
import type { FailureLimits, Sender } from './failure-limits.ts'
import { problemName, problemOf, problemSlug } from './problem.ts'
import { sendAndDrain } from './send-and-drain.ts'

/** Beside the audio a multipart body holds its metadata and boundaries. */
const bodyOverheadBytes = 1024 * 1024
const millisecondsPerSecond = 1000

export interface DeliveryParts {
  readonly connectors: Connectors
  readonly kinds: ReadonlyMap<string, PbxConnector<unknown>>
  readonly receive: (
    connector: OpenConnector,
    delivery: Delivery,
    options: { readonly request: string; readonly signal: AbortSignal },
  ) => Promise<Received>
  readonly failures: FailureLimits
  /** Called once a delivery whose sender proved to have a secret; never throws. */
  readonly noteSecret: (connector: OpenConnector, provenBy: ProvenBy, request: string) => Promise<void>
  readonly now: () => Date
  /** Called once a delivery, after its answer is decided. */
  readonly observe: (outcome: DeliveryOutcome) => void
  /** Logs the refusal of a known connector in the audit log; never throws. */
  readonly noteRefusal: (connector: OpenConnector, reason: string, request: string) => Promise<void>
  /** Ends what still runs when the service is closed; a service that stops lets its deliveries end first. */
  readonly signal: AbortSignal
}

export type DeliveryOutcome = {
  readonly request: string
  readonly connector: ConnectorId | null
  /** The connector's kind, or `unknown`. */
  readonly kind: string
  /** `received`, `duplicate`, or the slug of the problem. */
  readonly outcome: string
  readonly bytes: number
  readonly durationMs: number
  readonly error?: unknown
}

export function deliveryRoutes(parts: DeliveryParts): Router {
  const router = Router({ caseSensitive: true })
  const deliver = (method: 'POST' | 'PUT') => (request: Request, response: Response) =>
    handle(parts, method, request, response)
  router.post('/v1/ingest/:connector', deliver('POST'))
  router.put('/v1/ingest/:connector/:name', deliver('PUT'))
  router.all(['/v1/ingest/:connector', '/v1/ingest/:connector/:name'], (request, response) => {
    response.set('Allow', request.params['name'] === undefined ? 'POST' : 'PUT')
    return refuse(request, response, 'methodNotAllowed')
  })
  router.use((request, response) => refuse(request, response, 'notFound'))
  return router
}

function refuse(request: Request, response: Response, name: ProblemName, instance: string = randomUUID()) {
  const problem = problems[name]
  return sendAndDrain(request, response, problem.status, { ...problem, instance })
}

async function handle(
  parts: DeliveryParts,
  method: 'POST' | 'PUT',
  request: Request,
  response: Response,
): Promise<void> {
  const startedMs = performance.now()
  const requestId = randomUUID()
  const id = ConnectorId.safeParse(request.params['connector'])
  let connector: OpenConnector | null = null
  const observe = (outcome: string, bytes: number, error?: unknown) =>
    parts.observe({
      request: requestId,
      connector: connector?.row.id ?? null,
      kind: connector?.row.kind ?? 'unknown',
      outcome,
      bytes,
      durationMs: performance.now() - startedMs,
      ...(error === undefined ? {} : { error }),
    })
  try {
    connector = id.success ? await parts.connectors.find(id.data, { signal: parts.signal }) : null
    const sender = senderOf(connector, request)
    parts.failures.refuseWaiting(sender)
    if (connector === null) {
      await parts.failures.count(sender, parts)
      observe(problemSlug('unknownConnector'), 0)
      return await refuse(request, response, 'unknownConnector', requestId)
    }
    const { receipt, duplicate, audioBytes } = await take(parts, connector, method, request, requestId)
    observe(duplicate ? 'duplicate' : 'received', audioBytes ?? 0)
    // 200 and nothing else: some PBXs take any other success for a failure.
    await sendAndDrain(request, response, 200, receipt)
  } catch (failure) {
    const error = await counted(parts, senderOf(connector, request), failure)
    const problem = problemOf(error, requestId)
    const slug = problemSlug(problemName(failure))
    observe(problemSlug(problemName(error)), 0, error)
    // Whoever has to wait is in the log for what they did before.
    if (connector !== null && problem.status < 500 && !(failure instanceof LimitsError)) {
      await parts.noteRefusal(connector, slug, requestId)
    }
    if (error instanceof LimitsError && error.retryAfterMs !== null) {
      response.set('Retry-After', String(Math.ceil(error.retryAfterMs / millisecondsPerSecond)))
    }
    await sendAndDrain(request, response, problem.status, problem)
  }
}

function senderOf(connector: OpenConnector | null, request: Request): Sender {
  return { connectorId: connector?.row.id ?? null, address: request.ip ?? null }
}

/** The failure itself, or that there were too many of its kind. Only what nobody vouches for is counted. */
async function counted(parts: DeliveryParts, sender: Sender, failure: unknown): Promise<unknown> {
  if (problemName(failure) !== 'badSignature') return failure
  try {
    await parts.failures.count(sender, parts)
    return failure
  } catch (error) {
    return error instanceof LimitsError ? error : failure
  }
}

async function take(
  parts: DeliveryParts,
  connector: OpenConnector,
  method: 'POST' | 'PUT',
  request: Request,
  requestId: string,
): Promise<Received> {
  const { row, pbxSecrets, previous } = connector
  const kind = parts.kinds.get(row.kind)
  if (kind === undefined) throw new TypeError('a connector of a kind that this version does not know')
  const { signal, now } = parts
  const delivery = await kind.open(
    deliveryRequest(method, request, row, signal),
    kind.parseSecrets(pbxSecrets),
    {
      now: now(),
      ...(previous === null
        ? {}
        : {
            previous: {
              secrets: kind.parseSecrets(previous.pbxSecrets),
              holds: () => now() < previous.until,
            },
          }),
      signal,
    },
  )
  try {
    return await parts.receive(connector, delivery, { request: requestId, signal })
  } finally {
    // Also of what is refused for other reasons: it tells as well which secret the PBX has.
    const provenBy = delivery.provenBy?.() ?? null
    if (provenBy !== null) await parts.noteSecret(connector, provenBy, requestId)
  }
}

function deliveryRequest(
  method: 'POST' | 'PUT',
  request: Request,
  row: OpenConnector['row'],
  signal: AbortSignal,
): DeliveryRequest {
  const name = request.params['name']
  const maxBytes = method === 'PUT' ? row.maxBytes : row.maxBytes + bodyOverheadBytes
  return {
    method,
    name: typeof name === 'string' ? name : null,
    headers: headersOf(request),
    query: queryOf(request),
    body: readBody(request, { maxBytes, idleTimeoutMs: row.idleTimeoutMs, signal }),
  }
}

function headersOf(request: Request): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {}
  for (const [name, values] of Object.entries(request.headersDistinct)) headers[name] = values?.join(', ')
  return headers
}

function queryOf(request: Request): Record<string, string | undefined> {
  const parameters = new URL(request.url, 'http://localhost').searchParams
  return Object.fromEntries([...parameters.keys()].map(name => [name, parameters.get(name) ?? undefined]))
}
