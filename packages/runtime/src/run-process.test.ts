import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('a service says what is wrong with its configuration, and shows no stack', () => {
  for (const service of ['ingest', 'worker', 'api']) {
    const main = fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url))
    const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', AURICLE_NOPE: 'swordfish' }
    const { status, stdout, stderr } = spawnSync(process.execPath, [main], { env, encoding: 'utf8' })
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.equal(stderr, 'auricle: The configuration is wrong:\n  AURICLE_NOPE is not a setting\n')
  }
})
