// Makes the OpenAPI 3.1 document of the API from its table of routes and the contract's schemas.
import { type ProblemName, problems, RecordingId } from '@auricle/contract'
import { sessionCookieName } from '@auricle/identity'
import { z } from 'zod'
import { breakGlassHeader } from './break-glass-banner.ts'
import { type Answer, commonProblems } from './route.ts'
import { machineRoutes, type Route, routes, schemas } from './routes-table.ts'

type Json = Record<string, unknown>
type Described = Route | (typeof machineRoutes)[number]

export interface OpenApiOptions {
  /** Of the software. */
  readonly version: string
  /** Where the API is reached, without a path. */
  readonly serverUrl: string
}

/** The document, ready to be sent as JSON. */
export function openApiDocument({ version, serverUrl }: OpenApiOptions): Json {
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Auricle',
      version,
      summary: 'An encrypted voicemail and call-recording vault for healthcare.',
      description:
        'Times are RFC 3339 in UTC, lists page by cursor, and refusals are problem details (RFC 9457) whose ' +
        '`type` is stable. Every access to a recording is in the audit log before anything of it is sent.',
    },
    servers: [{ url: serverUrl }],
    security: [],
    paths: pathsOf([...routes, ...machineRoutes]),
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'As `POST /v1/sessions` gives it.',
        },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: sessionCookieName,
          description:
            'As `POST /v1/sessions` sets it for a browser that asks. For pages of this origin alone, and never beside a bearer token.',
        },
      },
    },
  }
}

function pathsOf(described: readonly Described[]): Json {
  const paths: Record<string, Json> = {}
  for (const route of described) {
    const operations: Json = paths[route.path] ?? {}
    operations[route.method] = operationOf(route, route.operationId)
    // Named beside GET, since clients of audio ask for its length and tag first.
    if (route.requestHeaders !== undefined) operations['head'] = headOf(route)
    paths[route.path] = operations
  }
  return paths
}

function operationOf(route: Described, operationId: string): Json {
  return {
    operationId,
    summary: route.summary,
    description: route.description,
    security: route.needs === 'public' ? [] : [{ bearer: [] }, { cookie: [] }],
    'x-auricle-needs': route.needs,
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: jsonContent(route.body) } }),
    responses: {
      ...answersOf(route.answers, route.needs === 'public' ? {} : bannerHeader),
      ...problemResponses(problemsOf(route)),
    },
  }
}

function headOf(route: Described): Json {
  const withoutBody = route.answers.map(answer => ({ ...answer, body: null }))
  const operation = operationOf({ ...route, answers: withoutBody }, `${route.operationId}Head`)
  return { ...operation, summary: `${route.summary}: headers only` }
}

function problemsOf(route: Described): readonly ProblemName[] {
  const isServedByRouter = routes.some(({ operationId }) => operationId === route.operationId)
  return isServedByRouter ? [...route.problems, ...commonProblems(route)] : route.problems
}

// --- parameters ---

const recordingParameter = { schema: RecordingId, description: "The recording's id." }

function pathParameters({ path, params = {} }: Described): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const { schema, description } = params[name] ?? recordingParameter
    return { name, in: 'path', required: true, description, schema: jsonSchema(schema) }
  })
}

function queryParameters({ query }: Described): Json[] {
  if (query === undefined) return []
  const { properties = {} } = z.toJSONSchema(query.schema, { io: 'output', override })
  const { required = [] } = z.toJSONSchema(query.schema, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description: query.notes[name],
    schema,
  }))
}

function headerParameters({ requestHeaders = {} }: Described): Json[] {
  return Object.entries(requestHeaders).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }))
}

// --- responses ---

const requestIdHeader = { 'X-Request-Id': "The request's id, as in the logs." }

/** Of everything that a person is known for. */
const bannerHeader = {
  [breakGlassHeader]: 'While emergency access of the person is open: its id, and `until` when.',
}

function answersOf(answers: readonly Answer[], more: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    answers.map(({ status, description, body, headers = {} }) => [
      status,
      { description, headers: headersOf({ ...headers, ...more, ...requestIdHeader }), ...contentOf(body) },
    ]),
  )
}

function contentOf(body: Answer['body']): Json {
  if (body === null) return {}
  // OpenAPI 3.1 describes raw bytes by leaving the schema out.
  if (body.type === 'bytes') return { content: { [body.contentType]: {} } }
  const other = Object.fromEntries([body.orBytes ?? []].flat().map(type => [type, {}]))
  return { content: { ...jsonContent(body.schema), ...other } }
}

/** One response a status, with an example of each problem that has it. */
function problemResponses(names: readonly ProblemName[]): Json {
  const byStatus = Map.groupBy(new Set(names), name => problems[name].status)
  return Object.fromEntries(
    [...byStatus].map(([status, sameStatus]) => [
      status,
      {
        description: sameStatus.map(name => `${problems[name].title}.`).join(' '),
        headers: headersOf({ ...requestIdHeader, ...problemHeaders[status] }),
        content: {
          'application/problem+json': {
            schema: reference('Problem'),
            examples: Object.fromEntries(sameStatus.map(name => [name, { value: problems[name] }])),
          },
        },
      },
    ]),
  )
}

const problemHeaders: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': '`Bearer`, with what is wrong with the token (RFC 6750).' },
  416: { 'Content-Range': '`bytes */whole`.' },
  429: { 'Retry-After': 'Seconds to wait.' },
  503: { 'Retry-After': 'Seconds to wait.' },
}

function headersOf(headers: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  )
}

// --- schemas ---

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const jsonContent = (name: string) => ({ 'application/json': { schema: reference(name) } })

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id })
  const made = z.toJSONSchema(registry, { io: 'input', uri: id => `#/components/schemas/${id}`, override })
  return Object.fromEntries(Object.entries(made.schemas).map(([id, schema]) => [id, bare(schema)]))
}

const jsonSchema = (schema: z.ZodType): Json => bare(z.toJSONSchema(schema, { override }))

/** A schema inside a document: where it stands names it, and the document names the dialect. */
function bare({ $schema: _, $id: __, ...schema }: Json): Json {
  return schema
}

/** The format says what the long pattern of a time says. */
function override({ jsonSchema }: { readonly jsonSchema: Json }): void {
  if (jsonSchema['format'] === 'date-time') delete jsonSchema['pattern']
}
