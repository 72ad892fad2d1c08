// A provider that says and signs whatever a test wants: discovery, keys and token endpoint, on a socket.
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'

type Json = Readonly<Record<string, unknown>>

export interface TestKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: Json
}

export interface ForgedProvider extends AsyncDisposable {
  readonly issuer: string
  /** What it says of itself; a text is sent as it is. */
  metadata: Json | string
  /** What stands at `/keys`; a text is sent as it is. */
  keys: readonly Json[] | string
  /** What the token endpoint answers with. */
  tokens: Json | string
  /** Instead of every answer, where it is not 200. */
  status: number
  isDown: boolean
  readonly asked: Map<string, number>
}

export async function startForgedProvider(): Promise<ForgedProvider> {
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? ''
    asked.set(path, (asked.get(path) ?? 0) + 1)
    request.resume()
    if (provider.isDown) return request.socket.destroy()
    if (provider.status !== 200) return send(response, provider.status, {})
    if (path === '/.well-known/openid-configuration') return send(response, 200, provider.metadata)
    if (path === '/keys')
      return send(response, 200, typeof provider.keys === 'string' ? provider.keys : { keys: provider.keys })
    if (path === '/token') return send(response, 200, provider.tokens)
    return send(response, 404, {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const issuer = `http://127.0.0.1:${address.port}`
  const provider: ForgedProvider = {
    issuer,
    metadata: {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      end_session_endpoint: `${issuer}/end`,
      id_token_signing_alg_values_supported: ['RS256', 'ES256', 'HS256', 'none'],
    },
    keys: [],
    tokens: {},
    status: 200,
    isDown: false,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return provider
}

function send(response: ServerResponse, status: number, body: Json | string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

export function newRsaKey(kid: string): TestKey {
  return testKey(kid, 'RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
}

export function newEcKey(kid: string): TestKey {
  return testKey(kid, 'ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
}

export function newEdKey(kid: string): TestKey {
  return testKey(kid, 'EdDSA', generateKeyPairSync('ed25519').privateKey)
}

function testKey(kid: string, alg: string, privateKey: KeyObject): TestKey {
  return {
    kid,
    privateKey,
    publicJwk: { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg, use: 'sig' },
  }
}

export const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signs any header and claims, whether they fit together or not. */
export function signJwt(key: TestKey, header: unknown, claims: unknown): string {
  const input = `${encode(header)}.${encode(claims)}`
  const digest = key.privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const made = sign(digest, Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${made.toString('base64url')}`
}

/** The classic confusion: what everybody knows, used as a secret. */
export function hmacJwt(secret: string | Buffer, header: unknown, claims: unknown): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
