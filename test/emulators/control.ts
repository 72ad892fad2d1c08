// The door for a harness to emulators in another process: counts, faults and what else a service lets be done.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Uses } from './callers.ts'
import { parseFaultRule } from './fault-rule.ts'
import type { FaultScript } from './faults.ts'

export interface Controlled {
  readonly faults: FaultScript
  /** How many requests there were of each operation. */
  readonly requests: Readonly<Record<string, number>>
  /** Which permissions were needed, and by whom. */
  readonly uses: Uses
  /** By name: what is looked at or done, with the members of the request's JSON. */
  readonly commands: Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => unknown>>
}

export interface Control extends AsyncDisposable {
  readonly url: string
}

/**
 * `GET /SERVICE` tells the counts of requests, faults and permissions, `POST /SERVICE/faults` adds a rule (`FaultRuleText`),
 * `DELETE /SERVICE/faults` forgets all, and `POST /SERVICE/COMMAND` runs a command of the service.
 */
export async function startControl(
  services: ReadonlyMap<string, Controlled>,
  { port = 0 }: { readonly port?: number } = {},
): Promise<Control> {
  const server = createServer(async (request, response) => {
    const [status, value] = await act(services, request).catch((error: Error) => [
      400,
      { error: error.message },
    ])
    response
      .writeHead(Number(status), { 'content-type': 'application/json' })
      .end(JSON.stringify(value ?? null))
  })
  server.keepAliveTimeout = 0
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const { port: actualPort } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${actualPort}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function act(
  services: ReadonlyMap<string, Controlled>,
  request: IncomingMessage,
): Promise<[number, unknown]> {
  const [, name = '', what = ''] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/')
  const service = services.get(name)
  if (service === undefined) return [404, { error: `There is no service ${name}` }]
  const { faults, requests, uses, commands } = service
  if (request.method === 'GET' && what === '') {
    const { injected, injectedByOperation } = faults
    return [200, { requests, injected, injectedByOperation, uses }]
  }
  if (request.method === 'DELETE' && what === 'faults') {
    faults.clear()
    return [200, null]
  }
  if (request.method !== 'POST') return [404, { error: 'There is no such thing' }]
  const input = await json(request)
  if (what === 'faults') {
    faults.add(parseFaultRule(input))
    return [200, null]
  }
  const command = Object.hasOwn(commands, what) ? commands[what] : undefined
  if (command === undefined) return [404, { error: `${name} has no command ${what}` }]
  return [200, await command(input as Readonly<Record<string, unknown>>)]
}
