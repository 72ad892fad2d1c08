// An emulated metadata server of a machine at Google: who the machine is, and tokens for its service account.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface MetadataServerOptions {
  /** The access token, which is the caller's name in the callers of the emulators. */
  readonly token: string
  readonly email: string
  /**
   * Whether each fetch gives a token of its own, the name with a full stop and a number, so that after one has expired
   * there is another to be had. Default: no.
   */
  readonly rotates?: boolean | undefined
  /** What the answer says of the token; the library fetches anew within the last five minutes. Default: an hour. */
  readonly expiresInSeconds?: number | undefined
  readonly projectId?: string | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
}

export interface MetadataServer extends AsyncDisposable {
  /** For `GCE_METADATA_HOST`. */
  readonly host: string
  /** How many tokens were given. */
  readonly fetches: number
}

const defaultExpirySeconds = 3_600
const base = '/computeMetadata/v1/'
const flavor = { 'metadata-flavor': 'Google', server: 'Metadata Server for VM' }
const scopes = ['https://www.googleapis.com/auth/cloud-platform']

export async function startMetadataServer(options: MetadataServerOptions): Promise<MetadataServer> {
  const { token, email, rotates = false, expiresInSeconds = defaultExpirySeconds } = options
  const { projectId = 'auricle-test', port = 0 } = options
  let fetches = 0

  const nextToken = () => {
    fetches++
    return JSON.stringify({
      access_token: rotates ? `${token}.${fetches}` : token,
      expires_in: expiresInSeconds,
      token_type: 'Bearer',
    })
  }
  const account: Readonly<Record<string, () => string>> = {
    token: nextToken,
    email: () => email,
    scopes: () => `${scopes.join('\n')}\n`,
    aliases: () => 'default\n',
    '': () => JSON.stringify({ aliases: ['default'], email, scopes }),
  }
  const machine: Readonly<Record<string, () => string>> = {
    instance: () => 'service-accounts/\nzone\n',
    'instance/zone': () => 'projects/100000000001/zones/europe-west3-a',
    'instance/service-accounts': () => `default/\n${email}/\n`,
    'project/project-id': () => projectId,
    'project/numeric-project-id': () => '100000000001',
    'universe/universe-domain': () => 'googleapis.com',
  }
  const find = (path: string): (() => string) | null => {
    const trimmed = path.slice(base.length).replace(/\/$/, '')
    const [, of, what = ''] = /^instance\/service-accounts\/([^/]+)(?:\/(\w+))?$/.exec(trimmed) ?? []
    const [answers, name] = of === 'default' || of === email ? [account, what] : [machine, trimmed]
    return path.startsWith(base) && Object.hasOwn(answers, name) ? (answers[name] ?? null) : null
  }

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    // So nobody is led to ask for a token by a link or a proxy.
    const isMeant =
      request.headers['metadata-flavor'] === 'Google' && request.headers['x-forwarded-for'] === undefined
    const found = find(pathname)
    if (!isMeant) response.writeHead(403, flavor).end('Missing required header Metadata-Flavor: Google\n')
    else if (request.method !== 'GET' || found === null) response.writeHead(404, flavor).end('Not Found\n')
    else {
      const text = found()
      const type = text.startsWith('{') ? 'application/json' : 'application/text'
      response.writeHead(200, { ...flavor, 'content-type': type }).end(text)
    }
  })
  server.keepAliveTimeout = 0
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const { port: actualPort } = server.address() as AddressInfo

  return {
    host: `127.0.0.1:${actualPort}`,
    get fetches() {
      return fetches
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
