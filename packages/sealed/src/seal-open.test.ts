// What is sealed comes back, whole and by range, however it is cut; and only what is needed is read and held.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openBytes, sealBytes } from './bytes.ts'
import { createTestKeyring, cut, joined, patternBytes, testContext, watchedSource } from './fixture.ts'
import { inspectSealed } from './inspect.ts'
import { openSealed } from './open.ts'
import { startSeal } from './seal.ts'
import { bytesSource } from './source.ts'

const keyring = createTestKeyring()
const expect = testContext
const prefixBytes = 2048
const tinkHeaderBytes = 40
const trailerBytes = 72
const overhead = prefixBytes + tinkHeaderBytes + trailerBytes

const sealed = async (plaintext: Uint8Array, segmentBytes?: number) =>
  await sealBytes(plaintext, { context: testContext, wrapper: keyring, segmentBytes })
const opened = async (bytes: Uint8Array, ...sizes: number[]) =>
  await openSealed(watchedSource(bytes, ...sizes), { expect, unwrapper: keyring })

/** Plaintext lengths around every edge of the first segments. */
function edgeLengths(segmentBytes: number): number[] {
  const full = segmentBytes - 16
  const lengths = new Set([0, 1, 2])
  for (let count = 1; count <= 4; count++) {
    for (const by of [-1, 0, 1]) lengths.add(count * full - tinkHeaderBytes + by)
  }
  return [...lengths]
}

describe('round trip', () => {
  for (const segmentBytes of [64, 65, 100, 4096]) {
    test(`at every edge of segments of ${segmentBytes} bytes`, async () => {
      for (const length of edgeLengths(segmentBytes)) {
        const plaintext = patternBytes(length)
        const { bytes, facts } = await sealed(plaintext, segmentBytes)
        const segments = Math.max(1, Math.ceil((length + tinkHeaderBytes) / (segmentBytes - 16)))
        assert.equal(bytes.length, overhead + length + 16 * segments)
        assert.equal(facts.sealedBytes, bytes.length)
        assert.equal(facts.plaintextBytes, length)
        const sha256 = createHash('sha256').update(plaintext).digest()
        assert.ok(sha256.equals(facts.plaintextSha256))
        using object = await opened(bytes, 17)
        assert.equal(object.plaintextBytes, length)
        assert.ok(sha256.equals(object.plaintextSha256))
        assert.deepEqual(Buffer.from(object.fingerprint), Buffer.from(facts.fingerprint))
        assert.ok((await joined(object.read(null))).equals(plaintext))
      }
    })

    test(`every range around every edge of segments of ${segmentBytes} bytes`, async () => {
      const edges = edgeLengths(segmentBytes)
      const length = Math.max(...edges) + 3
      const plaintext = patternBytes(length)
      using object = await opened((await sealed(plaintext, segmentBytes)).bytes)
      const offsets = [...edges, length - 1, length]
      for (const start of offsets) {
        for (const end of offsets.filter(offset => offset >= start)) {
          const part = await joined(object.read({ start, end }))
          assert.ok(part.equals(plaintext.subarray(start, end)), `${start} to ${end}`)
        }
      }
    })
  }

  test('of any length, segment size and cut, and any range of it', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 64, max: 1200 }),
        sizes,
        sizes,
        fc.nat(),
        fc.nat(),
        async (plaintext, segmentBytes, sealCut, openCut, a, b) => {
          const sealing = await startSeal({ context: testContext, wrapper: keyring, segmentBytes })
          const bytes = await joined(sealing.seal(cut(plaintext, ...sealCut)))
          using object = await opened(bytes, ...openCut)
          assert.ok((await joined(object.read(null))).equals(plaintext))
          const [start = 0, end = 0] = [a, b].map(n => n % (plaintext.length + 1)).toSorted((x, y) => x - y)
          const part = await joined(object.read({ start, end }))
          assert.ok(part.equals(plaintext.subarray(start, end)))
        },
      ),
      { numRuns: 200 },
    )
  })

  test('with the default segment size, in pieces of a socket and whole', async () => {
    const plaintext = patternBytes(3 * 262_144 + 5)
    for (const size of [16_384, 65_536, plaintext.length]) {
      const sealing = await startSeal({ context: testContext, wrapper: keyring })
      const bytes = await joined(sealing.seal(cut(plaintext, size)))
      using object = await opened(bytes, 16_384)
      assert.ok((await joined(object.read(null))).equals(plaintext))
    }
  })

  test('with texts that need escapes and more than one byte in UTF-8', async () => {
    const context = { ...testContext, tenant: 'te"n\\ü\u0001\u2028😀', contentType: 'audio/x; a="b"' }
    const { bytes } = await sealBytes(Buffer.from('x'), { context, wrapper: keyring })
    assert.deepEqual((await inspectSealed(bytesSource(bytes))).context, context)
    const plaintext = await openBytes(bytes, { expect: context, unwrapper: keyring })
    assert.equal(Buffer.from(plaintext).toString(), 'x')
  })

  test('two sealings of the same bytes have nothing in common but their header', async () => {
    const plaintext = patternBytes(200)
    const [one, two] = [await sealed(plaintext), await sealed(plaintext)]
    const tail = (bytes: Uint8Array) => Buffer.from(bytes.subarray(prefixBytes)).toString('hex')
    assert.notEqual(tail(one.bytes), tail(two.bytes))
    assert.notDeepEqual(one.facts.fingerprint, two.facts.fingerprint)
  })
})

describe('reads of the source', () => {
  test('a large object is opened by two reads, a range costs one of the segments it touches', async () => {
    const segmentBytes = 4096
    const full = segmentBytes - 16
    const plaintext = patternBytes(40 * full)
    const { bytes } = await sealed(plaintext, segmentBytes)
    const source = watchedSource(bytes)
    using object = await openSealed(source, { expect, unwrapper: keyring })
    assert.deepEqual(source.ranges, [
      { start: 0, end: prefixBytes + tinkHeaderBytes },
      { start: bytes.length - trailerBytes, end: bytes.length },
    ])
    source.ranges.length = 0
    await joined(object.read({ start: 10 * full, end: 11 * full - tinkHeaderBytes }))
    await joined(object.read({ start: 5 * full, end: 7 * full }))
    await joined(object.read({ start: 0, end: 1 }))
    await joined(object.read({ start: plaintext.length - 1, end: plaintext.length }))
    await joined(object.read({ start: 7, end: 7 }))
    const segments = (first: number, last: number) => ({
      start: prefixBytes + Math.max(first * segmentBytes, tinkHeaderBytes),
      end: Math.min(prefixBytes + (last + 1) * segmentBytes, bytes.length - trailerBytes),
    })
    assert.deepEqual(source.ranges, [segments(10, 10), segments(5, 7), segments(0, 0), segments(40, 40)])
  })

  test('a small object is read once and never again', async () => {
    const { bytes } = await sealed(patternBytes(40_000))
    const source = watchedSource(bytes)
    using object = await openSealed(source, { expect, unwrapper: keyring })
    await joined(object.read(null))
    await joined(object.read({ start: 3, end: 9 }))
    assert.deepEqual(source.ranges, [{ start: 0, end: bytes.length }])
  })

  test('inspecting reads the prefix alone', async () => {
    const { bytes } = await sealed(patternBytes(100_000))
    const source = watchedSource(bytes)
    const header = await inspectSealed(source)
    assert.deepEqual(header.context, testContext)
    assert.equal(header.segmentBytes, 262_144)
    assert.equal(header.wraps.length, 1)
    assert.deepEqual(source.ranges, [{ start: 0, end: prefixBytes + tinkHeaderBytes }])
  })

  test('a header that outgrows the usual prefix costs one more read', async () => {
    const wide = {
      ...keyring,
      wrap: async (...args: Parameters<typeof keyring.wrap>) => {
        const wrap = await keyring.wrap(...args)
        return { ...wrap, key: 'k'.repeat(512), keyVersion: 'v'.repeat(512), protection: 'p'.repeat(32) }
      },
    }
    const context = {
      ...testContext,
      contentType: 'c'.repeat(255),
      tenant: 't'.repeat(128),
      role: 'r'.repeat(128),
    }
    const plaintext = patternBytes(70_000)
    const { bytes } = await sealBytes(plaintext, { context, wrapper: wide })
    assert.equal(Buffer.from(bytes).readUInt32BE(8), 2560)
    const source = watchedSource(bytes)
    using object = await openSealed(source, { expect: context, unwrapper: keyring })
    assert.equal(source.ranges.length, 3)
    assert.ok((await joined(object.read(null))).equals(plaintext))
  })
})

describe('memory and abort', () => {
  const segmentBytes = 4096

  test('sealing pulls no more than a segment and a piece ahead of its consumer', async () => {
    let pulled = 0
    let finished = false
    async function* endless() {
      try {
        for (;;) {
          pulled += 1000
          yield patternBytes(1000)
        }
      } finally {
        finished = true
      }
    }
    const sealing = await startSeal({ context: testContext, wrapper: keyring, segmentBytes })
    let given = 0
    for await (const piece of sealing.seal(endless())) {
      given += piece.length
      assert.ok(pulled <= given + segmentBytes + 1000, `${pulled} pulled, ${given} given`)
      if (given > 50 * segmentBytes) break
    }
    assert.ok(finished)
    assert.throws(() => sealing.facts(), { code: 'misuse' })
  })

  test('opening pulls no more than a segment and a piece ahead of its consumer', async () => {
    const { bytes } = await sealed(patternBytes(200_000), segmentBytes)
    let pulled = 0
    let finished = 0
    const source = {
      sizeBytes: bytes.length,
      async *read({ start, end }: { start: number; end: number }) {
        try {
          for await (const piece of cut(bytes.subarray(start, end), 1000)) {
            pulled += piece.length
            yield piece
          }
        } finally {
          finished++
        }
      },
    }
    using object = await openSealed(source, { expect, unwrapper: keyring })
    for (const range of [null, { start: 1, end: 200_000 }]) {
      pulled = 0
      finished = 0
      let given = 0
      for await (const piece of object.read(range)) {
        given += piece.length
        assert.ok(pulled <= given + 2 * segmentBytes + 1000, `${pulled} pulled, ${given} given`)
        if (given > 100_000) break
      }
      assert.equal(finished, 1)
    }
  })

  test('an aborted sealing ends with the reason and without a trailer', async () => {
    const stop = new AbortController()
    const reason = new Error('stopped')
    let finished = false
    async function* source() {
      try {
        for (let i = 0; ; i++) {
          if (i === 20) stop.abort(reason)
          yield patternBytes(1000)
        }
      } finally {
        finished = true
      }
    }
    const sealing = await startSeal({ context: testContext, wrapper: keyring, segmentBytes })
    const pieces: Uint8Array[] = []
    await assert.rejects(async () => {
      for await (const piece of sealing.seal(source(), { signal: stop.signal })) pieces.push(piece)
    }, reason)
    assert.ok(finished)
    assert.throws(() => sealing.facts(), { code: 'misuse' })
    await assert.rejects(opened(Buffer.concat(pieces)), { code: 'not_authentic' })
  })

  test('a failing source passes through and leaves nothing that opens', async () => {
    const failure = new Error('the line went dead')
    async function* source() {
      yield patternBytes(10_000)
      throw failure
    }
    const sealing = await startSeal({ context: testContext, wrapper: keyring, segmentBytes })
    await assert.rejects(joined(sealing.seal(source())), failure)
    assert.throws(() => sealing.facts(), { code: 'misuse' })
  })

  test('an abort while reading ends with the reason', async () => {
    const { bytes } = await sealed(patternBytes(200_000), segmentBytes)
    using object = await opened(bytes, 1000)
    for (const range of [null, { start: 1, end: 200_000 }]) {
      const stop = new AbortController()
      const reason = new Error('stopped')
      await assert.rejects(async () => {
        for await (const _ of object.read(range, { signal: stop.signal })) stop.abort(reason)
      }, reason)
    }
  })

  test('an abort before the beginning asks nobody for anything', async () => {
    const reason = new Error('stopped')
    const signal = AbortSignal.abort(reason)
    const { bytes } = await sealed(patternBytes(10))
    const fresh = createTestKeyring()
    await assert.rejects(startSeal({ context: testContext, wrapper: fresh, signal }), reason)
    await assert.rejects(openSealed(bytesSource(bytes), { expect, unwrapper: fresh, signal }), reason)
    assert.equal(fresh.unwrapped.length, 0)
  })
})

describe('misuse', () => {
  test('a sealing seals once, and has no facts before its end', async () => {
    const sealing = await startSeal({ context: testContext, wrapper: keyring })
    assert.throws(() => sealing.facts(), { code: 'misuse' })
    await joined(sealing.seal(cut(patternBytes(5), 5)))
    assert.equal(sealing.facts().plaintextBytes, 5)
    await assert.rejects(joined(sealing.seal(cut(patternBytes(5), 5))), { code: 'misuse' })
  })

  test('options out of their limits', async () => {
    for (const segmentBytes of [0, 63, 64.5, 4_194_305, Number.NaN]) {
      await assert.rejects(sealed(patternBytes(1), segmentBytes), { code: 'misuse' })
    }
    for (const context of [
      { ...testContext, tenant: '' },
      { ...testContext, recording: 'x'.repeat(129) },
      { ...testContext, role: '\ud800' },
      { ...testContext, contentType: '' },
      { ...testContext, createdAt: '2026-01-02' },
      { ...testContext, createdAt: '2026-01-02T03:04:05+01:00' },
    ]) {
      await assert.rejects(sealBytes(patternBytes(1), { context, wrapper: keyring }), { code: 'misuse' })
    }
    const wrapper = {
      wrap: async () => ({ ...(await keyring.wrap(Buffer.alloc(32), Buffer.alloc(1))), key: '' }),
    }
    await assert.rejects(sealBytes(patternBytes(1), { context: testContext, wrapper }), { code: 'misuse' })
  })

  test('ranges outside the plaintext are refused at once', async () => {
    using object = await opened((await sealed(patternBytes(100))).bytes)
    for (const [start, end] of [
      [-1, 5],
      [5, 4],
      [0, 101],
      [101, 101],
      [0.5, 2],
      [Number.NaN, 2],
      [0, Number.POSITIVE_INFINITY],
    ]) {
      assert.throws(() => object.read({ start: start ?? 0, end: end ?? 0 }), { code: 'bad_range' })
    }
    assert.equal((await joined(object.read({ start: 100, end: 100 }))).length, 0)
  })

  test('a disposed object reads no more, not even a read that had begun', async () => {
    const object = await opened((await sealed(patternBytes(10_000), 1000)).bytes)
    const reading = object.read(null)
    await reading.next()
    object[Symbol.dispose]()
    await assert.rejects(reading.next(), { code: 'misuse' })
    assert.throws(() => object.read(null), { code: 'misuse' })
  })
})
