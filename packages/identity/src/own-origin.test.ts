// Which requests by cookie are of our own pages, over every mixture of what browsers and attackers send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFromOwnOrigin, loopbackOrigin } from './own-origin.ts'

const own = 'https://vault.example'

type Distinct = Readonly<Record<string, string[]>>
const ask = (method: string, headersDistinct: Distinct, origin: string | null = own) =>
  isFromOwnOrigin({ method, headersDistinct }, origin)

const json = { 'content-type': ['application/json'] }
const sameOrigin = { 'sec-fetch-site': ['same-origin'] }

test('changing takes a page of ours, by fetch metadata or else by its origin', () => {
  assert.ok(ask('POST', { ...json, ...sameOrigin }))
  assert.ok(ask('POST', { ...json, origin: [own] }))
  assert.ok(ask('DELETE', sameOrigin))
  assert.ok(ask('PUT', { 'content-type': ['Application/JSON; charset=utf-8'], ...sameOrigin }))
  assert.ok(!ask('POST', { ...json, 'sec-fetch-site': ['none'] }))
  assert.ok(!ask('POST', json))
  assert.ok(!ask('POST', { ...json, origin: [own] }, null))
})

test('reading is also for the address bar, and for browsers that say nothing', () => {
  assert.ok(ask('GET', {}))
  assert.ok(ask('HEAD', { 'sec-fetch-site': ['none'] }))
  assert.ok(ask('GET', { origin: [own] }))
  assert.ok(!ask('GET', { 'sec-fetch-site': ['same-site'] }))
  assert.ok(!ask('GET', { origin: ['https://a.example'] }))
})

test('a body that is no JSON is of no page of ours, however small', () => {
  for (const type of ['text/plain', 'application/jsonp', 'text/json', 'application/json, text/plain', '']) {
    assert.ok(!ask('POST', { 'content-type': [type], ...sameOrigin }), type)
  }
  assert.ok(!ask('POST', { 'content-length': ['1'], ...sameOrigin }))
  assert.ok(!ask('POST', { 'transfer-encoding': ['chunked'], ...sameOrigin }))
  assert.ok(ask('POST', { 'content-length': ['0'], ...sameOrigin }))
})

const sites = fc.constantFrom(
  'same-origin',
  'same-site',
  'cross-site',
  'none',
  'Same-Origin',
  '',
  'same-origin, none',
)
const origins = fc.constantFrom(
  own,
  'null',
  'https://a.example',
  `${own}/`,
  `${own}:443`,
  own.toUpperCase(),
  '',
)
const maybe = (values: fc.Arbitrary<string>) =>
  fc.option(fc.array(values, { minLength: 1, maxLength: 2 }), { nil: null })

test('no request changes anything without a sign that only a page of ours can give', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'get', ''),
      maybe(sites),
      maybe(origins),
      (method, site, origin) => {
        const headers: Record<string, string[]> = { ...json }
        if (site !== null) headers['sec-fetch-site'] = site
        if (origin !== null) headers['origin'] = origin
        const isOurs =
          site !== null
            ? site.length === 1 && site[0] === 'same-origin'
            : origin !== null && origin.length === 1 && origin[0] === own
        assert.equal(ask(method, headers), isOurs)
      },
    ),
  )
})

test('no request of another site reads anything', () => {
  fc.assert(
    fc.property(fc.constantFrom('GET', 'HEAD'), maybe(origins), (method, origin) => {
      const headers = { 'sec-fetch-site': ['cross-site'], ...(origin === null ? {} : { origin }) }
      assert.ok(!ask(method, headers))
    }),
  )
})

test('without a public address only this machine has an origin', () => {
  const of = (...host: string[]) => loopbackOrigin({ method: 'GET', headersDistinct: { host } })
  assert.equal(of('127.0.0.1:8481'), 'http://127.0.0.1:8481')
  assert.equal(of('localhost'), 'http://localhost')
  assert.equal(of('[::1]:8481'), 'http://[::1]:8481')
  for (const host of ['127.0.0.1.a.example', 'a.example:8481', 'localhost@a.example', '127.0.0.2', '']) {
    assert.equal(of(host), null, host)
  }
  assert.equal(of('localhost', 'localhost'), null)
  assert.equal(of(), null)
})
