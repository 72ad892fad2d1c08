// Pins what a provider is asked with: no redirects, no other hosts, no answer without end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdentityError } from '../error.ts'
import { createProviderFetch, isAllowedAddress, type ProviderRequest } from './provider-fetch.ts'

test('a redirect is an answer, and is not followed', async () => {
  const asked: ProviderRequest[] = []
  const ask = createProviderFetch({
    fetch: async (_url, init) => {
      asked.push(init)
      return new Response(null, { status: 302, headers: { location: 'https://attacker.example/' } })
    },
  })
  assert.equal((await ask('https://idp.example/', { redirect: 'follow' })).status, 302)
  assert.deepEqual(
    asked.map(({ redirect }) => redirect),
    ['manual'],
  )
})

test('an answer arrives whole, and one beyond measure not at all', async () => {
  const sized = (bytes: number) =>
    createProviderFetch({ fetch: async () => new Response(new Uint8Array(bytes), { status: 201 }) })
  const response = await sized(512 * 1024)('https://idp.example/', {})
  assert.equal(response.status, 201)
  assert.equal((await response.arrayBuffer()).byteLength, 512 * 1024)
  await assert.rejects(
    sized(512 * 1024 + 1)('https://idp.example/', {}),
    error => error instanceof IdentityError && error.code === 'bad_provider_answer',
  )
})

test('which addresses may be asked', () => {
  const allowed = (url: string) => [isAllowedAddress(url, false), isAllowedAddress(url, true)]
  assert.deepEqual(allowed('https://idp.example/a'), [true, true])
  for (const url of ['http://127.0.0.1:1/', 'http://[::1]:1/', 'http://localhost/'])
    assert.deepEqual(allowed(url), [false, true], url)
  for (const url of [
    '',
    'idp.example',
    'http://idp.example/',
    'http://localhost.attacker.example/',
    'http://127.0.0.1@attacker.example/',
    'https://user@idp.example/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'data:application/json,{}',
    'javascript:0',
  ]) {
    assert.deepEqual(allowed(url), [false, false], url)
  }
})
