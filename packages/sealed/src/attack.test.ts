// What a hostile hand can do to an object at rest. Each attempt must throw, and what was given up to then must be
// whole verified segments of the true plaintext, from its beginning.
import assert from 'node:assert/strict'
import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Wrap } from '@auricle/contract'
import { sealBytes } from './bytes.ts'
import { canonicalBareCore, canonicalCore, canonicalHeader, canonicalWraps } from './canonical.ts'
import type { ExpectedContext, SealContext } from './context.ts'
import { SealedError } from './error.ts'
import {
  createTestKeyring,
  joined,
  KeyringError,
  patternBytes,
  testContext,
  watchedSource,
} from './fixture.ts'
import { deriveDataKey, deriveObjectKeys, digestCore, macOfHeader, recordingAad, wrapAad } from './keys.ts'
import { openSealed } from './open.ts'
import { encodePrefix } from './prefix.ts'
import { type RecordingSecret, startRecordingSecret } from './recording-secret.ts'
import { openTink, sealTink } from './tink.ts'
import { plaintextStart, tinkLayout } from './tink-layout.ts'
import { sealTrailer } from './trailer.ts'

const keyring = createTestKeyring()
const segmentBytes = 100
const layout = tinkLayout(segmentBytes, 32)
const prefixBytes = 2048
const trailerBytes = 72
const plaintext = patternBytes(5 * 84 - 40 + 17)

const sealed = async (
  bytes: Uint8Array,
  context: SealContext = testContext,
  random?: (n: number) => Uint8Array,
) => Buffer.from((await sealBytes(bytes, { context, wrapper: keyring, segmentBytes, random })).bytes)

const object = await sealed(plaintext)
const payload = object.subarray(prefixBytes, -trailerBytes)
const segmentsEnd = [...Array(6).keys()].map(index => Math.min((index + 1) * segmentBytes, payload.length))

interface Attempt {
  readonly truth?: Uint8Array
  readonly expect?: ExpectedContext
  readonly size?: number
  readonly codes?: readonly string[]
}

/** Opens `bytes` whole and by ranges; every way must be refused. */
async function refused(bytes: Uint8Array, label: string, attempt: Attempt = {}): Promise<void> {
  const { truth = plaintext, expect = testContext, size = segmentBytes, codes } = attempt
  const given: Uint8Array[] = []
  const reading = async () => {
    using opened = await openSealed(watchedSource(bytes), { expect, unwrapper: keyring })
    for await (const piece of opened.read(null)) given.push(piece)
  }
  const failure = await reading().then(
    () => assert.fail(`opened: ${label}`),
    (thrown: unknown) => thrown,
  )
  if (!(failure instanceof KeyringError)) {
    assert.ok(failure instanceof SealedError, `${label}: ${failure}`)
    assert.ok(
      (codes ?? ['not_authentic', 'malformed', 'unknown_version', 'wrong_context']).includes(failure.code),
      `${label}: ${failure.code}`,
    )
  }
  const released = Buffer.concat(given)
  assert.ok(released.equals(truth.subarray(0, released.length)), `${label}: a wrong byte left`)
  const edges = new Set([0])
  for (let index = 1; plaintextStart(tinkLayout(size, 32), index) < truth.length; index++) {
    edges.add(plaintextStart(tinkLayout(size, 32), index))
  }
  assert.ok(edges.has(released.length), `${label}: ${released.length} bytes are no whole segments`)
}

const flipped = (bytes: Uint8Array, bit: number) => {
  const copy = Buffer.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

const withPayload = (...parts: Uint8Array[]) =>
  Buffer.concat([object.subarray(0, prefixBytes), ...parts, object.subarray(-trailerBytes)])
const segment = (of: Uint8Array, index: number) =>
  of.subarray(index === 0 ? 0 : segmentsEnd[index - 1], segmentsEnd[index])

describe('every bit', () => {
  const ranges = {
    prefix: [0, prefixBytes],
    payload: [prefixBytes, object.length - trailerBytes],
    trailer: [object.length - trailerBytes, object.length],
  } as const
  for (const [name, [start, end]] of Object.entries(ranges)) {
    test(`of the ${name}`, async () => {
      for (let bit = start * 8; bit < end * 8; bit++) await refused(flipped(object, bit), `bit ${bit}`)
    })
  }

  test('sampled, of every segment of a large object, whole and by range', async () => {
    const truth = patternBytes(4 * 262_144)
    const large = Buffer.from((await sealBytes(truth, { context: testContext, wrapper: keyring })).bytes)
    const step = 8 * 31_337 + 5
    for (let bit = prefixBytes * 8; bit < (large.length - trailerBytes) * 8; bit += step) {
      const altered = flipped(large, bit)
      await refused(altered, `bit ${bit}`, { truth, size: 262_144 })
    }
    for (let index = 0; index < 5; index++) {
      const altered = flipped(large, (prefixBytes + index * 262_144 + 50) * 8)
      using opened = await openSealed(watchedSource(altered), { expect: testContext, unwrapper: keyring })
      const start = Math.max(0, index * 262_128 - 40)
      const reading = opened.read({ start: start + 1, end: Math.min(start + 3, truth.length) })
      await assert.rejects(reading.next(), { code: 'not_authentic' })
    }
  })

  test('of a segment a range touches: nothing of that segment leaves, a range beside it is right', async () => {
    const altered = flipped(object, (prefixBytes + 2 * segmentBytes + 5) * 8)
    using opened = await openSealed(watchedSource(altered), { expect: testContext, unwrapper: keyring })
    const third = plaintextStart(layout, 2)
    const given: Uint8Array[] = []
    await assert.rejects(
      async () => {
        for await (const piece of opened.read({ start: third - 10, end: third + 200 })) given.push(piece)
      },
      { code: 'not_authentic' },
    )
    assert.ok(Buffer.concat(given).equals(plaintext.subarray(third - 10, third)))
    const beside = await joined(opened.read({ start: third - 10, end: third }))
    assert.ok(beside.equals(plaintext.subarray(third - 10, third)))
  })
})

describe('cut, grown and rearranged', () => {
  test('cut at every length', async () => {
    for (let length = 0; length < object.length; length++) {
      await refused(object.subarray(0, length), `cut to ${length}`)
    }
  })

  test('the payload cut at every length, with the trailer in its place', async () => {
    for (let length = 0; length < payload.length; length++) {
      await refused(withPayload(payload.subarray(0, length)), `payload cut to ${length}`)
    }
  })

  test('grown before, within and after', async () => {
    for (const extra of [
      Buffer.alloc(1),
      Buffer.alloc(16),
      Buffer.alloc(segmentBytes),
      segment(payload, 5),
      object,
    ]) {
      await refused(Buffer.concat([object, extra]), 'after the trailer')
      await refused(Buffer.concat([extra, object]), 'before the prefix')
      await refused(withPayload(payload, extra), 'after the payload')
      await refused(withPayload(extra, payload), 'before the payload')
    }
    await refused(Buffer.concat([object, object.subarray(-trailerBytes)]), 'a trailer twice')
  })

  test('segments dropped, repeated and swapped', async () => {
    const parts = [...Array(6).keys()].map(index => segment(payload, index))
    for (let i = 0; i < parts.length; i++) {
      await refused(withPayload(...parts.toSpliced(i, 1)), `segment ${i} dropped`)
      await refused(withPayload(...parts.toSpliced(i, 0, parts[i] ?? payload)), `segment ${i} repeated`)
      for (let j = 0; j < parts.length; j++) {
        if (i === j) continue
        await refused(withPayload(...parts.with(i, parts[j] ?? payload)), `segment ${j} over ${i}`)
        const swapped = parts.with(i, parts[j] ?? payload).with(j, parts[i] ?? payload)
        await refused(withPayload(...swapped), `segments ${i} and ${j} swapped`)
      }
    }
  })
})

describe('spliced from another object', () => {
  const others = {
    'of the same KMS key': () => sealed(patternBytes(plaintext.length)),
    'of other content': () => sealed(randomBytes(plaintext.length)),
    'of the same data key, salts and nonces, of another recording': async () => {
      const drawn = Buffer.alloc(103, 7)
      const random = () => Uint8Array.from(drawn)
      return sealed(randomBytes(plaintext.length), { ...testContext, recording: 'rec_other' }, random)
    },
  }
  for (const [name, make] of Object.entries(others)) {
    test(name, async () => {
      const drawn = Buffer.alloc(103, 7)
      const mine = name.includes('data key')
        ? await sealed(plaintext, testContext, () => Uint8Array.from(drawn))
        : object
      const other = await make()
      const cuts = {
        prefix: [0, 2048],
        'tink header': [2048, 2088],
        payload: [2048, -72],
        trailer: [-72, undefined],
      } as const
      for (const [part, [start, end]] of Object.entries(cuts)) {
        const copy = Buffer.from(mine)
        if (other.subarray(start, end).equals(mine.subarray(start, end))) continue
        other.subarray(start, end).copy(copy, start < 0 ? copy.length + start : start)
        await refused(copy, `${part} of another`, {
          expect: part === 'prefix' ? { ...testContext, recording: 'rec_other' } : testContext,
        })
        await refused(copy, `${part} of another`)
      }
      for (let index = 0; index < 6; index++) {
        const copy = Buffer.from(mine)
        const at = prefixBytes + Math.max(index * segmentBytes, 40)
        other.copy(copy, at, at, prefixBytes + (segmentsEnd[index] ?? 0))
        await refused(copy, `segment ${index} of another`)
      }
      await refused(other, 'another object in its place', {
        truth: Buffer.alloc(0),
        expect: { ...testContext, tenant: 'ten_other' },
        codes: ['wrong_context'],
      })
    })
  }

  test('an object of another tenant, recording or role never reaches the key service', async () => {
    for (const member of ['tenant', 'recording', 'role'] as const) {
      const other = await sealed(plaintext, { ...testContext, [member]: 'other' })
      const fresh = createTestKeyring()
      await assert.rejects(openSealed(watchedSource(other), { expect: testContext, unwrapper: fresh }), {
        code: 'wrong_context',
      })
      assert.equal(fresh.unwrapped.length, 0)
    }
  })
})

interface Crafting {
  readonly context?: SealContext
  readonly segmentSize?: number
  readonly commitTo?: Uint8Array
  readonly macWith?: Uint8Array
  readonly wrapped?: readonly Uint8Array[]
  /** In place of `wrapped`. */
  readonly wraps?: (coreDigest: Uint8Array) => Promise<readonly Wrap[]>
  readonly sealWith?: Uint8Array
  readonly trailerWith?: Uint8Array
  readonly plaintextBytes?: number
  readonly sha256?: Uint8Array
  readonly payload?: (dataKey: Uint8Array, associatedData: Uint8Array, salt: Uint8Array) => Promise<Buffer>
}

/** An object made by a hand that knows the data keys and keeps to the rules only as far as it likes. */
async function crafted(dataKey: Uint8Array, options: Crafting = {}): Promise<Buffer> {
  const { context = testContext, segmentSize = segmentBytes } = options
  const objectSalt = Buffer.alloc(32, 1)
  const salt = Buffer.alloc(32, 2)
  const noncePrefix = Buffer.alloc(7, 3)
  const bareCore = canonicalBareCore({
    context,
    objectSalt: objectSalt.toString('base64url'),
    segmentBytes: segmentSize,
  })
  const coreDigest = digestCore(bareCore)
  const keysOf = (key: Uint8Array) => deriveObjectKeys(key, objectSalt, salt, coreDigest)
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
  const core = canonicalCore(bareCore, base64url(keysOf(options.commitTo ?? dataKey).commitment))
  const wraps =
    (await options.wraps?.(coreDigest)) ??
    (await Promise.all((options.wrapped ?? [dataKey]).map(key => keyring.wrap(key, wrapAad(coreDigest)))))
  const wrapsText = canonicalWraps(wraps)
  const mac = macOfHeader(keysOf(options.macWith ?? dataKey).headerMacKey, core, wrapsText)
  const prefix = encodePrefix(canonicalHeader(core, base64url(mac), wrapsText))
  const associatedData = Buffer.concat([Buffer.from('sealrec/1 payload '), coreDigest])
  const key = { inputKey: options.sealWith ?? dataKey, associatedData, segmentBytes }
  const stream =
    (await options.payload?.(dataKey, associatedData, salt)) ??
    (await joined(
      sealTink(watchedSource(plaintext).read({ start: 0, end: plaintext.length }), key, {
        salt,
        noncePrefix,
      }),
    ))
  const { trailerKey } = keysOf(options.trailerWith ?? dataKey)
  const plaintextBytes = options.plaintextBytes ?? plaintext.length
  const sha256 =
    options.sha256 ?? new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(plaintext)))
  const trailer = sealTrailer(
    { payloadBytes: stream.length, plaintextBytes, plaintextSha256: sha256 },
    trailerKey,
    coreDigest,
  )
  return Buffer.concat([prefix.bytes.subarray(0, prefix.prefixBytes), stream, trailer])
}

describe('made by a hand that knows the data key', () => {
  const [one, two] = [randomBytes(32), randomBytes(32)]

  test('as the rules are, it opens', async () => {
    const honest = await crafted(one)
    using opened = await openSealed(watchedSource(honest), { expect: testContext, unwrapper: keyring })
    assert.ok((await joined(opened.read(null))).equals(plaintext))
  })

  test('with any one part under another data key, it does not', async () => {
    await refused(await crafted(one, { commitTo: two }), 'commitment')
    await refused(await crafted(one, { macWith: two }), 'header MAC')
    await refused(await crafted(one, { wrapped: [two] }), 'wrap')
    await refused(await crafted(one, { wrapped: [two, two] }), 'wraps')
    await refused(await crafted(one, { sealWith: two }), 'payload')
    await refused(await crafted(one, { trailerWith: two }), 'trailer')
    await refused(
      await crafted(one, { commitTo: two, macWith: two, trailerWith: two, sealWith: two }),
      'all but the wrap',
    )
  })

  test('with a segment size, length or hash that is not that of the payload', async () => {
    for (const segmentSize of [99, 101, 200, 4096]) {
      await refused(await crafted(one, { segmentSize }), `segment size ${segmentSize}`, {
        truth: Buffer.alloc(0),
      })
    }
    for (const by of [-1, 1, 16]) {
      await refused(await crafted(one, { plaintextBytes: plaintext.length + by }), `length by ${by}`)
    }
    await refused(await crafted(one, { plaintextBytes: 2 ** 53 }), 'a length beyond all numbers')
    await refused(await crafted(one, { sha256: Buffer.alloc(32) }), 'SHA-256')
  })

  test('with two wraps of two keys it opens to the committed one alone', async () => {
    const both = await crafted(one, { wrapped: [two, one] })
    using opened = await openSealed(watchedSource(both), { expect: testContext, unwrapper: keyring })
    assert.ok((await joined(opened.read(null))).equals(plaintext))
  })

  test('with a payload that opens under two data keys, it opens under one', async () => {
    const size = 32
    const payload = async (_: Uint8Array, associatedData: Uint8Array, salt: Uint8Array) =>
      openableTwice(one, two, associatedData, salt)
    const craft = (dataKey: Uint8Array, rest: Crafting) =>
      crafted(dataKey, { payload, plaintextBytes: size, ...rest })
    const digest = digestCore(
      canonicalBareCore({
        context: testContext,
        objectSalt: Buffer.alloc(32, 1).toString('base64url'),
        segmentBytes,
      }),
    )
    const associatedData = Buffer.concat([Buffer.from('sealrec/1 payload '), digest])
    const stream = openableTwice(one, two, associatedData, Buffer.alloc(32, 2))
    const readings = await Promise.all(
      [one, two].map(inputKey =>
        joined(openTink(watchedSource(stream), { inputKey, associatedData, segmentBytes }, null)),
      ),
    )
    const [first = stream, second = stream] = readings
    assert.ok(!first.equals(second), 'Tink alone is not committing: the stream opens to two plaintexts')
    const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(first)))
    const fair = await craft(one, { sha256, wrapped: [one, two] })
    using opened = await openSealed(watchedSource(fair), { expect: testContext, unwrapper: keyring })
    assert.ok((await joined(opened.read(null))).equals(first))
    await refused(await craft(one, { sha256, wrapped: [two] }), 'the other key', { truth: Buffer.alloc(0) })
    await refused(await craft(two, { sha256, commitTo: one }), 'the other key', { truth: Buffer.alloc(0) })
  })
})

describe('objects that share the wrap of their recording', async () => {
  const { tenant, recording } = testContext
  const secret = randomBytes(32)
  const keyOf = (identity: { tenant: string; recording: string }, of: Uint8Array = randomBytes(32)) =>
    startRecordingSecret({ ...identity, wrapper: keyring, random: () => Uint8Array.from(of) })
  const key = await keyOf({ tenant, recording }, secret)
  const sealedUnder = async (under: RecordingSecret, context: Partial<SealContext> = {}, bytes = plaintext) =>
    Buffer.from(
      (await sealBytes(bytes, { context: { ...testContext, ...context }, under, segmentBytes })).bytes,
    )
  const mine = await sealedUnder(key)

  test('every bit of the prefix', async () => {
    for (let bit = 0; bit < prefixBytes * 8; bit++) await refused(flipped(mine, bit), `bit ${bit}`)
  })

  test('spliced from another object of the recording, of the same role or another', async () => {
    for (const [role, truth] of [
      ['original', plaintext],
      ['original', randomBytes(plaintext.length)],
      ['playback', randomBytes(plaintext.length)],
    ] as const) {
      const other = await sealedUnder(key, { role }, truth)
      for (const [start, end] of [
        [0, 2048],
        [2048, 2088],
        [2048, -72],
        [-72, undefined],
      ] as const) {
        const copy = Buffer.from(mine)
        other.subarray(start, end).copy(copy, start < 0 ? copy.length + start : start)
        await refused(copy, `${role} from ${start}`)
        await refused(copy, `${role} from ${start}`, { expect: { ...testContext, role } })
      }
      for (let index = 0; index < 6; index++) {
        const copy = Buffer.from(mine)
        const at = prefixBytes + Math.max(index * segmentBytes, 40)
        other.copy(copy, at, at, prefixBytes + (segmentsEnd[index] ?? 0))
        await refused(copy, `segment ${index} of ${role}`)
      }
    }
  })

  test('put in the place of another object of the recording', async () => {
    const playback = await sealedUnder(key, { role: 'playback' })
    for (const under of [key, null]) {
      const opening = openSealed(watchedSource(playback), { expect: testContext, unwrapper: keyring, under })
      await assert.rejects(opening, { code: 'wrong_context' })
    }
    const relabelled = Buffer.from(playback)
    const at = relabelled.indexOf('"playback"')
    relabelled.write('"original"', at)
    await refused(relabelled, 'playback that says it is the original')
  })

  test('with the wrap of another recording, tenant or secret in their header, by a hand that knows all keys', async () => {
    const others: Readonly<Record<string, RecordingSecret>> = {
      'another recording': await keyOf({ tenant, recording: 'rec_other' }, secret),
      'another tenant': await keyOf({ tenant: 'ten_other', recording }, secret),
      'names that run together': await keyOf({ tenant: `${tenant}r`, recording: recording.slice(1) }, secret),
      'names exchanged': await keyOf({ tenant: recording, recording: tenant }, secret),
      'another secret of this recording': await keyOf({ tenant, recording }),
    }
    for (const [label, { wrap }] of Object.entries(others)) {
      await refused(await craftedUnder(async () => [wrap]), label)
    }
    await opens(await craftedUnder(async () => [key.wrap]))
    await opens(await craftedUnder(async () => [...Object.values(others), key].map(({ wrap }) => wrap)))
  })

  test('with a wrap that says it is of the other rule', async () => {
    await refused(await craftedUnder(async () => [{ ...key.wrap, aad: 1 }]), 'rule 2 as rule 1')
    const own = async (coreDigest: Uint8Array, what: Uint8Array, aad: Wrap['aad']) => [
      { ...(await keyring.wrap(what, wrapAad(coreDigest))), aad },
    ]
    await refused(await craftedUnder(digest => own(digest, secret, 2)), 'rule 1 as rule 2')
    await refused(await craftedUnder(digest => own(digest, secret, 1)), 'the secret as data key')
    const shared = async (what: Uint8Array) => [
      { ...(await keyring.wrap(what, recordingAad({ tenant, recording }))), aad: 2 as const },
    ]
    await refused(await craftedUnder(digest => shared(dataKeyOf(digest))), 'the data key as secret')
    for (const bytes of [0, 16, 31, 33, 64]) {
      await refused(await craftedUnder(() => shared(randomBytes(bytes))), `a secret of ${bytes} bytes`)
    }
    const short = secret.subarray(0, 16)
    const digest = digestCore(bareCore)
    const ofShort = await crafted(deriveDataKey(short, objectSalt, digest), { wraps: () => shared(short) })
    await refused(ofShort, 'sealed under a short secret')
    // Whoever knows the data key may wrap it alone, as a rewrap of one object would.
    await opens(await craftedUnder(digest => own(digest, dataKeyOf(digest), 1)))
  })

  test('with the wrap of a tenant secret, or of an object of rule 1', async () => {
    const elsewhere = await keyring.wrap(secret, Buffer.from('auricle/1 column secret ten_1'))
    await refused(await craftedUnder(async () => [{ ...elsewhere, aad: 2 }]), 'a column secret')
    const alone = await keyring.wrap(secret, wrapAad(randomBytes(32)))
    await refused(await craftedUnder(async () => [{ ...alone, aad: 2 }]), 'of another object')
  })

  test('with a key of the recording that is not the one it was sealed under', async () => {
    using other = await keyOf({ tenant, recording })
    const closed = createTestKeyring()
    const opening = openSealed(watchedSource(mine), { expect: testContext, unwrapper: closed, under: other })
    await assert.rejects(opening, KeyringError)
    const foreign = await sealedUnder(other)
    await assert.rejects(
      openSealed(watchedSource(foreign), { expect: testContext, unwrapper: closed, under: key }),
      KeyringError,
    )
  })

  test('the data key of one says nothing of another, even where their salts are the same', async () => {
    const [salt, digests] = [randomBytes(32), [randomBytes(32), randomBytes(32)]]
    const dataKeys = digests.map(digest => Buffer.from(deriveDataKey(secret, salt, digest)).toString('hex'))
    assert.equal(new Set([...dataKeys, secret.toString('hex')]).size, 3)
  })

  const objectSalt = Buffer.alloc(32, 1)
  const dataKeyOf = (coreDigest: Uint8Array) => deriveDataKey(secret, objectSalt, coreDigest)

  const bareCore = canonicalBareCore({
    context: testContext,
    objectSalt: objectSalt.toString('base64url'),
    segmentBytes,
  })

  /** An object as the rules are for `secret`, with these wraps in its header. */
  function craftedUnder(wraps: NonNullable<Crafting['wraps']>): Promise<Buffer> {
    return crafted(dataKeyOf(digestCore(bareCore)), { wraps })
  }

  async function opens(bytes: Uint8Array): Promise<void> {
    using opened = await openSealed(watchedSource(bytes), { expect: testContext, unwrapper: keyring })
    assert.ok((await joined(opened.read(null))).equals(plaintext))
  }
})

// GHASH over GF(2^128), NIST SP 800-38D section 6: bit 0 is the leftmost. Enough to make two tags meet.
const reduction = 0xe1n << 120n
const blockBytes = 16
const toBlock = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const toBytes = (block: bigint) => Buffer.from(block.toString(16).padStart(2 * blockBytes, '0'), 'hex')

function multiply(x: bigint, y: bigint): bigint {
  let product = 0n
  let shifted = y
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= shifted
    shifted = shifted & 1n ? (shifted >> 1n) ^ reduction : shifted >> 1n
  }
  return product
}

function inverse(x: bigint): bigint {
  let result = 1n << 127n
  let power = x
  for (let i = 1; i < 128; i++) {
    power = multiply(power, power)
    result = multiply(result, power)
  }
  return result
}

/** One block of AES under the stream's key. */
function streamAes(inputKey: Uint8Array, associatedData: Uint8Array, salt: Uint8Array) {
  const key = Buffer.from(hkdfSync('sha256', inputKey, salt, associatedData, 32))
  return (block: Uint8Array) => createCipheriv('aes-256-ecb', key, null).update(block)
}

/** A Tink stream of one segment whose tag is right under both input keys. */
function openableTwice(
  one: Uint8Array,
  two: Uint8Array,
  associatedData: Uint8Array,
  salt: Uint8Array,
): Buffer {
  const noncePrefix = Buffer.alloc(7, 3)
  const counter = Buffer.concat([noncePrefix, Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 1)])
  const second = toBlock(Buffer.alloc(blockBytes, 9))
  const lengths = BigInt(2 * blockBytes * 8)
  const halves = [one, two].map(inputKey => {
    const aes = streamAes(inputKey, associatedData, salt)
    const h = toBlock(aes(Buffer.alloc(blockBytes)))
    const h2 = multiply(h, h)
    const known = toBlock(aes(counter)) ^ multiply(second, h2) ^ multiply(lengths, h)
    return { cube: multiply(h2, h), known }
  })
  const [a = { cube: 0n, known: 0n }, b = a] = halves
  const first = multiply(a.known ^ b.known, inverse(a.cube ^ b.cube))
  const tag = multiply(first, a.cube) ^ a.known
  return Buffer.concat([Uint8Array.of(40), salt, noncePrefix, toBytes(first), toBytes(second), toBytes(tag)])
}
