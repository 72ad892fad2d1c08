// Holds token keys to RFC 8037, and refuses any that are not what they are named for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdentityError } from './error.ts'
import { createTokenKeys, newTokenKey } from './token-key.ts'

// RFC 8037 appendix A.1 to A.3; a public test vector.
const seed = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url')
const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
const kid = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'

const badKey = (error: unknown) => error instanceof IdentityError && error.code === 'bad_key'

test('RFC 8037: the key of a seed and its thumbprint', async () => {
  const pair = await newTokenKey(() => seed)
  assert.deepEqual(pair, {
    kid,
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig' },
    privateJwk: { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', d: seed.toString('base64url') },
  })
})

test('each new key is another, and imports after a round through JSON', async () => {
  const [a, b] = [await newTokenKey(), await newTokenKey()]
  assert.notEqual(a.kid, b.kid)
  const keys = await createTokenKeys(JSON.parse(JSON.stringify({ current: a, all: [b] })))
  assert.deepEqual([...keys.verifying.keys()], [a.kid, b.kid])
  assert.equal(keys.signing.kid, a.kid)
  assert.equal(keys.signing.key.extractable, false)
})

test('keys that are not what they are named for are refused, without being repeated', async () => {
  const [a, b] = [await newTokenKey(), await newTokenKey()]
  const ec = { kty: 'EC', crv: 'P-256', x, y: x }
  for (const broken of [
    { current: { ...a, kid: 'x' }, all: [] },
    { current: { ...a, publicJwk: b.publicJwk }, all: [] },
    { current: { ...a, privateJwk: b.privateJwk }, all: [] },
    { current: { ...a, privateJwk: a.publicJwk }, all: [] },
    { current: { ...a, privateJwk: {} }, all: [] },
    { current: { ...a, publicJwk: ec }, all: [] },
    { current: { ...a, privateJwk: { ...a.privateJwk, d: 'short' } }, all: [] },
    { current: { ...a, privateJwk: { ...a.privateJwk, d: b.privateJwk['d'] } }, all: [] },
    { current: a, all: [{ kid: 'x', publicJwk: b.publicJwk }] },
    { current: a, all: [{ kid: b.kid, publicJwk: ec }] },
    { current: a, all: [{ kid: 'oct', publicJwk: { kty: 'oct', k: x } }] },
  ]) {
    await assert.rejects(createTokenKeys(broken), (error: unknown) => {
      assert.ok(badKey(error) && error instanceof Error)
      assert.ok(!JSON.stringify([String(error), String(error.cause)]).includes(String(a.privateJwk['d'])))
      return true
    })
  }
})
