import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { listen } from './listen.ts'

const options = { host: '127.0.0.1', port: 0, graceMs: 10_000 }
const hello: RequestListener = (_request, response) => response.end('hello')

describe('listen', () => {
  it('serves at the address it says, also over IPv6', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      await using server = await listen(hello, { ...options, host })
      assert.ok(server.port > 0)
      assert.equal(await (await fetch(server.url)).text(), 'hello')
    }
  })

  it('names the address that another program has', async () => {
    await using first = await listen(hello, options)
    await assert.rejects(listen(hello, { ...options, port: first.port }), error => {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'address_in_use')
      assert.ok(error.message.includes(String(first.port)))
      return true
    })
    await assert.rejects(listen(hello, { ...options, host: '192.0.2.1' }), { code: 'address_unusable' })
  })

  it('lets a running request end, takes no new one, and closes idle connections', async () => {
    const running = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const slow: RequestListener = (request, response) => {
      if (request.url === '/quick') {
        response.end('quick')
        return
      }
      response.write('first ')
      running.resolve()
      release.promise.then(() => response.end('second'), assert.fail)
    }
    const server = await listen(slow, options)
    using agent = disposable(new Agent({ keepAlive: true }))
    await text(await ask(`${server.url}/quick`, agent.value))
    const answer = await ask(server.url, agent.value)
    await running.promise
    const closing = server[Symbol.asyncDispose]()
    await assert.rejects(fetch(server.url))
    release.resolve()
    assert.equal(await text(answer), 'first second')
    await closing
  })

  it('cuts what does not end within the grace', async () => {
    const running = Promise.withResolvers<void>()
    const never: RequestListener = (_request, response) => {
      response.write('first')
      running.resolve()
    }
    const server = await listen(never, { ...options, graceMs: 50 })
    const answer = await fetch(server.url)
    await running.promise
    await server[Symbol.asyncDispose]()
    await assert.rejects(answer.text())
  })

  it('cuts a connection that never says anything', async () => {
    const server = await listen(hello, { ...options, graceMs: 50 })
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    await server[Symbol.asyncDispose]()
    socket.on('error', () => undefined).resume()
    if (!socket.closed) await once(socket, 'close')
  })

  it('takes no connection once its signal aborts, and is disposed of as ever', async () => {
    const stop = new AbortController()
    const server = await listen(hello, { ...options, signal: stop.signal })
    stop.abort()
    await assert.rejects(fetch(server.url))
    await server[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await assert.rejects(
      listen(hello, { ...options, signal: stop.signal }),
      error => error === stop.signal.reason,
    )
  })
})

async function ask(url: string, agent: Agent): Promise<IncomingMessage> {
  const [answer] = await once(get(url, { agent }), 'response')
  return answer
}

function disposable(agent: Agent): { readonly value: Agent } & Disposable {
  return { value: agent, [Symbol.dispose]: () => agent.destroy() }
}
