// Pins how our strategies meet passport 0.7 when they are handed over as objects, shared by all requests.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import express from 'express'
import passport from 'passport'
import { createBearerStrategy } from './bearer-strategy.ts'
import { createStrategy } from './strategy.ts'

test('a shared strategy answers each request with its own person', { timeout: 10_000 }, async () => {
  const strategy = createBearerStrategy(async token => {
    await setTimeout(token === 'first' ? 60 : 0)
    return { token }
  })
  const authenticator = new passport.Passport()
  const app = express()
  app.get('/', authenticator.authenticate(strategy, { session: false }), (request, response) => {
    response.json(request.user)
  })
  const server = app.listen(0, '127.0.0.1')
  test.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const ask = async (token: string) => {
    const response = await fetch(`http://127.0.0.1:${address.port}/`, {
      headers: { authorization: `Bearer ${token}` },
    })
    return response.json()
  }
  const tokens = ['first', 'second', 'third']
  assert.deepEqual(
    await Promise.all(tokens.map(ask)),
    tokens.map(token => ({ token })),
  )
})

test('it is a strategy as passport knows them', () => {
  const strategy = createStrategy('name', async () => ({ type: 'failure', challenge: 'none' }))
  assert.ok(strategy instanceof passport.Strategy)
  assert.equal(strategy.name, 'name')
})
