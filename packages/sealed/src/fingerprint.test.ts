import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprintSealed } from './fingerprint.ts'
import { createTestKeyring, cut, joined, patternBytes, testContext } from './fixture.ts'
import { startSeal } from './seal.ts'
import { bytesSource } from './source.ts'

const keyring = createTestKeyring()

async function seal(plaintextBytes: number) {
  const sealing = await startSeal({ context: testContext, wrapper: keyring })
  const bytes = await joined(sealing.seal(cut(patternBytes(plaintextBytes), 4096)))
  return { bytes, fingerprint: sealing.facts().fingerprint }
}

test('an object of any size has the fingerprint that its sealing told, without a key', async () => {
  for (const plaintextBytes of [0, 1, 60_000, 63_000, 70_000, 600_000]) {
    const { bytes, fingerprint } = await seal(plaintextBytes)
    assert.deepEqual(Buffer.from(await fingerprintSealed(bytesSource(bytes))), Buffer.from(fingerprint))
  }
})

test('of a large object only the ends are read', async () => {
  const { bytes, fingerprint } = await seal(600_000)
  const ranges: string[] = []
  const source = {
    sizeBytes: bytes.length,
    async *read({ start, end }: { start: number; end: number }) {
      ranges.push(`${start}-${end - bytes.length}`)
      yield bytes.subarray(start, end)
    },
  }
  assert.deepEqual(Buffer.from(await fingerprintSealed(source)), Buffer.from(fingerprint))
  assert.deepEqual(ranges, [`0-${2088 - bytes.length}`, `${bytes.length - 72}-0`])
})

test('what is no sealed object has none', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(71), Buffer.alloc(100_000, 'x')]) {
    await assert.rejects(fingerprintSealed(bytesSource(bytes)), { name: 'SealedError', code: 'malformed' })
  }
  const { bytes } = await seal(10)
  const later = Buffer.from(bytes)
  later.write('2', 7)
  await assert.rejects(fingerprintSealed(bytesSource(later)), { code: 'unknown_version' })
})

test('abort ends it with its reason', async () => {
  const { bytes } = await seal(10)
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(fingerprintSealed(bytesSource(bytes), { signal }), { message: 'enough' })
})
