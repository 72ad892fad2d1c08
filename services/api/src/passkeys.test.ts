import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passkeyParties } from './passkeys.ts'

const port = 8481
const cases: readonly (readonly [string | null, string, readonly string[]])[] = [
  [null, 'localhost', ['http://localhost:8481']],
  ['http://127.0.0.1:8481/', 'localhost', ['http://localhost:8481']],
  ['http://localhost:8481', 'localhost', ['http://localhost:8481']],
  ['http://localhost:9000', 'localhost', ['http://localhost:8481', 'http://localhost:9000']],
  ['http://[::1]:8481', 'localhost', ['http://localhost:8481']],
  ['https://vault.example.org', 'vault.example.org', ['https://vault.example.org']],
  ['https://vault.example.org:8443/api/', 'vault.example.org', ['https://vault.example.org:8443']],
  ['https://Vault.Example.org', 'vault.example.org', ['https://vault.example.org']],
]
for (const [publicUrl, rpId, origins] of cases) {
  test(`passkeys at ${publicUrl ?? 'no public address'} are for ${rpId}`, () => {
    const parties = passkeyParties(publicUrl, port)
    assert.deepEqual(parties, { rpId, origins })
    for (const origin of parties.origins) {
      const { hostname } = new URL(origin)
      assert.ok(hostname === rpId || hostname.endsWith(`.${rpId}`))
    }
  })
}
