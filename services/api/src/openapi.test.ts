// Holds the OpenAPI document to the specification, to the table of routes, and to the problems there are.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { problems } from '@auricle/contract'
import { Validator } from '@seriousme/openapi-schema-validator'
import { z } from 'zod'
import { openApiDocument } from './openapi.ts'
import { commonProblems } from './route.ts'
import { machineRoutes, routes } from './routes-table.ts'

const Operation = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  'x-auricle-needs': z.string(),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), description: z.string() })),
  responses: z.record(z.string(), z.looseObject({ description: z.string().min(1) })),
})
const Document = z.looseObject({
  openapi: z.literal('3.1.0'),
  info: z.looseObject({ version: z.string() }),
  servers: z.array(z.strictObject({ url: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.looseObject({})) }),
})

const made = openApiDocument({ version: '1.2.3', serverUrl: 'http://127.0.0.1:8080' })
const document = Document.parse(JSON.parse(JSON.stringify(made)))
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

test('it is valid OpenAPI 3.1, also after a round through JSON', async () => {
  const validator = new Validator()
  const result = await validator.validate(structuredClone(document))
  assert.deepEqual(result, { valid: true })
  assert.equal(validator.version, '3.1')
  assert.deepEqual(JSON.parse(JSON.stringify(made)), made)
})

test('the validator would refuse a wrong document', async () => {
  const wrong = structuredClone(document)
  const play = wrong.paths['/v1/recordings/{id}/audio']?.['get']
  assert.ok(play !== undefined)
  play.responses = { '200': { description: 'x', content: 7 } }
  assert.equal((await new Validator().validate(wrong)).valid, false)
})

test('version and server are those of the service', () => {
  assert.equal(document.info.version, '1.2.3')
  assert.deepEqual(document.servers, [{ url: 'http://127.0.0.1:8080' }])
})

test('it describes exactly the routes of the table', () => {
  const described = operations
    .filter(({ method }) => method !== 'head')
    .map(({ path, method }) => `${method} ${path}`)
  const served = [...routes, ...machineRoutes].map(({ method, path }) => `${method} ${path}`)
  assert.deepEqual(described.sort(), served.sort())
  assert.equal(new Set(served).size, served.length)
})

test('operation ids are unique, and HEAD of audio is named', () => {
  const ids = operations.map(({ operation }) => operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.includes('playRecordingHead'))
})

/** Public, and refused with 401 where what they were sent proves nothing. */
const signsIn: ReadonlySet<string> = new Set([
  ...['signIn', 'signInByPasskey', 'emergencySignIn', 'completeAcceptance'],
])

test('whatever is not public wants a token, and says so', () => {
  for (const { path, operation } of operations) {
    const isPublic = operation['x-auricle-needs'] === 'public'
    assert.deepEqual(operation.security, isPublic ? [] : [{ bearer: [] }, { cookie: [] }], path)
    assert.equal('401' in operation.responses, !isPublic || signsIn.has(operation.operationId), path)
  }
})

test('only what gives nothing away is public', () => {
  const open = operations.filter(({ operation }) => operation['x-auricle-needs'] === 'public')
  assert.deepEqual(open.map(({ path }) => path).sort(), [
    '/healthz',
    '/metrics',
    '/readyz',
    '/v1/invitations/accept',
    '/v1/invitations/complete',
    '/v1/invitations/look',
    '/v1/openapi.json',
    '/v1/sessions',
    '/v1/sessions/emergency',
    '/v1/sessions/passkey',
    '/v1/sessions/passkey/options',
    '/v1/sign-in',
    '/v1/sign-in/{provider}',
    '/v1/sign-in/{provider}/back-channel-logout',
    '/v1/sign-in/{provider}/callback',
  ])
})

test('every problem a route names exists and stands under its status', () => {
  for (const route of routes) {
    const operation = document.paths[route.path]?.[route.method]
    for (const name of [...route.problems, ...commonProblems(route)]) {
      const response = JSON.stringify(operation?.responses[String(problems[name].status)])
      assert.ok(response.includes(`"${problems[name].type}"`), `${route.operationId}: ${name}`)
    }
  }
})

test('a status is either an answer or a refusal', () => {
  for (const route of routes) {
    const refused = new Set<number>(
      [...route.problems, ...commonProblems(route)].map(name => problems[name].status),
    )
    for (const { status } of route.answers) assert.ok(!refused.has(status), `${route.operationId}: ${status}`)
  }
})

test('every reference leads somewhere, and every schema is used', () => {
  const text = JSON.stringify(document)
  const referred = new Set(
    [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
  )
  assert.deepEqual([...referred].sort(), Object.keys(document.components.schemas).sort())
  assert.ok(!text.includes('"$id"'))
})

test('filters are described as they are parsed', () => {
  const list = document.paths['/v1/recordings']?.['get']
  const schemaOf = (name: string) => list?.parameters.find(parameter => parameter.name === name)?.['schema']
  assert.deepEqual(schemaOf('heard'), { type: 'boolean' })
  assert.deepEqual(schemaOf('limit'), { type: 'integer', minimum: 1, maximum: 200, default: 50 })
  assert.deepEqual(schemaOf('after'), { type: 'string', format: 'date-time' })
  for (const { operation } of operations) {
    for (const { name, description } of operation.parameters) assert.ok(description.length > 0, name)
  }
})

test('docs/api.md explains every problem and every call', async () => {
  const page = await readFile(new URL('../../../docs/api.md', import.meta.url), 'utf8')
  for (const { type, status, title } of Object.values(problems)) {
    const slug = type.slice(type.lastIndexOf(':') + 1)
    assert.ok(page.includes(`\n### ${slug}\n\n${status}. ${title}.`), `docs/api.md lacks a section ${slug}`)
  }
  for (const { method, path } of [...routes, ...machineRoutes]) {
    assert.ok(page.includes(`\`${method.toUpperCase()} ${path}`), `docs/api.md lacks ${method} ${path}`)
  }
})
