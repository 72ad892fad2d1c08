// Pins what the strategy takes for a callback, behind passport and a socket.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import passport from 'passport'
import { IdentityError } from '../error.ts'
import { createOidcStrategy, type SignInAtProvider } from './oidc-strategy.ts'

const state = 's'.repeat(43)

async function serve(attempt: SignInAtProvider<object>) {
  const authenticator = new passport.Passport().use('oidc', createOidcStrategy(attempt))
  const server = createServer((request, response) => {
    const finish = (error: unknown, result: unknown) =>
      response.end(JSON.stringify(error instanceof IdentityError ? error.code : result))
    authenticator.authenticate('oidc', { session: false }, finish)(request, response, finish)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    ask: async (path: string, init?: RequestInit): Promise<unknown> =>
      (await fetch(`http://127.0.0.1:${address.port}${path}`, init)).json(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('whoever comes back is handed on with the state of their attempt', async () => {
  await using front = await serve(async callback => ({
    state: callback.state,
    code: callback.callbackUrl.searchParams.get('code'),
  }))
  assert.deepEqual(await front.ask(`/callback?code=c&state=${state}`), { state, code: 'c' })
  assert.deepEqual(await front.ask(`/callback?error=access_denied&state=${state}`), { state, code: null })
})

test('an attempt that is not of this browser is no sign-in; an outage is neither', async () => {
  await using nobody = await serve(async () => null)
  assert.equal(await nobody.ask(`/callback?code=c&state=${state}`), false)
  await using away = await serve(() => Promise.reject(new IdentityError('provider_unavailable', 'away')))
  assert.equal(await away.ask(`/callback?code=c&state=${state}`), 'provider_unavailable')
})

test('what is no callback is never tried', async () => {
  let tries = 0
  await using front = await serve(async () => {
    tries += 1
    return {}
  })
  for (const path of [
    '/callback',
    '/callback?code=c',
    '/callback?state=',
    `/callback?state=${state}&state=${state}`,
    `/callback?state=${state}x`,
    `/callback?state=${'%00'.repeat(43)}`,
    `/callback?state[]=${state}`,
    `/callback?state=${state}&code=${'c'.repeat(9000)}`,
  ]) {
    assert.equal(await front.ask(path), 'malformed', path)
  }
  assert.equal(await front.ask(`/callback?state=${state}`, { method: 'POST' }), 'malformed')
  assert.equal(tries, 0)
})
