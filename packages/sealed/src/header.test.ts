// Headers and prefixes that no writer of ours makes: each is refused, and only the canonical spelling is read.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { sealBytes } from './bytes.ts'
import { createTestKeyring, patternBytes, testContext } from './fixture.ts'
import { parseHeader } from './header.ts'
import { inspectSealed } from './inspect.ts'
import { parseHeaderText } from './prefix.ts'
import { bytesSource } from './source.ts'

const keyring = createTestKeyring()
const { bytes } = await sealBytes(patternBytes(50), { context: testContext, wrapper: keyring })
const object = Buffer.from(bytes)
const json = parseHeaderText(object.subarray(0, 2048))

/** The object with another header text under a prefix that fits it. */
function withHeader(text: string): Buffer {
  const header = Buffer.from(text)
  const prefix = Buffer.alloc(Math.max(2048, Math.ceil((16 + header.length) / 512) * 512))
  object.copy(prefix, 0, 0, 8)
  prefix.writeUInt32BE(prefix.length, 8)
  prefix.writeUInt32BE(header.length, 12)
  header.copy(prefix, 16)
  return Buffer.concat([prefix, object.subarray(2048)])
}

const inspect = (sealed: Uint8Array) => inspectSealed(bytesSource(sealed))
const refused = (sealed: Uint8Array, code = 'malformed') => assert.rejects(inspect(sealed), { code })

interface Loose {
  [member: string]: unknown
}
const changed = (change: (header: { core: Loose; wraps: Loose[] } & Loose) => void) => {
  const header = JSON.parse(json)
  change(header)
  return withHeader(JSON.stringify(header))
}

test('the header as it was sealed is read, at any legal length of padding', async () => {
  assert.deepEqual(await inspect(withHeader(json)), await inspect(object))
  assert.equal(parseHeader(json).header.coreDigest.length, 32)
})

describe('spellings that are not canonical', () => {
  const spellings: Record<string, string> = {
    'a space': json.replace('":', '": '),
    'a line end': `${json}\n`,
    'members in another order': JSON.stringify(
      Object.fromEntries(Object.entries(JSON.parse(json)).toReversed()),
    ),
    'an unknown member': json.replace('{"core"', '{"also":1,"core"'),
    'an unknown member of the core': json.replace('"objectSalt"', '"note":"x","objectSalt"'),
    'an unknown member of the context': json.replace('"recording"', '"patient":"x","recording"'),
    'a member twice': json.replace('"v":1', '"v":1,"v":1'),
    'an escape that is not needed': json.replace('audio/wav', 'audio\\/wav'),
    'a number with a fraction': json.replace('"v":1', '"v":1.0'),
    'a number with an exponent': json.replace('262144', '262144e0'),
    'a byte order mark': `\ufeff${json}`,
    'a prototype': json.replace('"v":1', '"v":1,"__proto__":{}'),
  }
  for (const [name, text] of Object.entries(spellings)) {
    test(name, () => {
      assert.notEqual(text, json)
      return refused(withHeader(text))
    })
  }
  test('base64url with padding, of the plain alphabet, or with stray bits', async () => {
    const { mac } = JSON.parse(json)
    for (const spelled of [
      `${mac}=`,
      `${mac.slice(0, -1)}B`,
      `+${mac.slice(1)}`,
      mac.slice(1),
      `${mac}A`,
      '',
    ]) {
      await refused(withHeader(json.replace(mac, spelled)))
    }
  })
})

describe('headers of the wrong shape', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '1',
    '"x"',
    '{}',
    '{"core":[]}',
    '{"core":{},"mac":"","wraps":[]}',
    '['.repeat(60_000),
  ]) {
    test(JSON.stringify(text.slice(0, 40)), () => assert.rejects(inspect(withHeader(text))))
  }
  test('wraps: none, nine, or something else', async () => {
    await refused(changed(header => header.wraps.splice(0)))
    await refused(changed(header => header.wraps.push(...Array(8).fill(header.wraps[0]))))
    for (const wraps of [null, {}, 'x', [null], [[]], ['x'], [{}]])
      await refused(changed(header => Object.assign(header, { wraps })))
  })
  test('wraps with a member missing, added or illegal', async () => {
    for (const member of ['kms', 'key', 'keyVersion', 'protection', 'aad', 'wrapped', 'createdAt']) {
      await refused(changed(({ wraps: [wrap] }) => delete wrap?.[member]))
      for (const value of ['', null, 3, {}, 'x'.repeat(9000), '\ud800']) {
        await refused(changed(({ wraps: [wrap] }) => Object.assign(wrap ?? {}, { [member]: value })))
      }
    }
    await refused(changed(({ wraps: [wrap] }) => Object.assign(wrap ?? {}, { zone: 'x' })))
  })
  test('a core with a member missing or illegal', async () => {
    for (const member of ['context', 'objectSalt', 'segmentSize', 'commitment']) {
      await refused(changed(({ core }) => delete core[member]))
      for (const value of [null, 0, -1, 1.5, '', [], {}, true]) {
        await refused(changed(({ core }) => Object.assign(core, { [member]: value })))
      }
    }
    for (const segmentSize of [63, 4_194_305, 2 ** 53, '262144']) {
      await refused(changed(({ core }) => Object.assign(core, { segmentSize })))
    }
  })
  test('a context with a member missing or illegal', async () => {
    for (const member of Object.keys(testContext)) {
      const context = { ...testContext }
      await refused(
        changed(({ core }) => Object.assign(core, { context: { ...context, [member]: undefined } })),
      )
      for (const value of ['', null, 5, 'x'.repeat(256), '\udc00']) {
        await refused(
          changed(({ core }) => Object.assign(core, { context: { ...context, [member]: value } })),
        )
      }
    }
  })
  test('a version or suite of tomorrow is named as such', async () => {
    for (const core of [
      { v: 2 },
      { v: '1' },
      { v: null },
      { suite: 'TINK-AES128-GCM-HKDF-SHA256' },
      { suite: 1 },
    ]) {
      await refused(
        changed(header => Object.assign(header.core, core)),
        'unknown_version',
      )
    }
    const next = Buffer.from(object)
    next.write('SEALREC2')
    await refused(next, 'unknown_version')
  })
})

describe('prefixes of the wrong shape', () => {
  const withLengths = (prefixLength: number, headerLength: number) => {
    const copy = Buffer.from(object)
    copy.writeUInt32BE(prefixLength, 8)
    copy.writeUInt32BE(headerLength, 12)
    return copy
  }
  const headerLength = object.readUInt32BE(12)
  test('prefix length', async () => {
    for (const length of [0, 1, 511, 512, 2047, 2049, 1536 + 1, 131_072, 131_584, 2 ** 31, 2 ** 32 - 1]) {
      await refused(withLengths(length, headerLength))
    }
  })
  test('header length', async () => {
    for (const length of [0, 1, headerLength - 1, headerLength + 1, 2032, 2033, 2 ** 31, 2 ** 32 - 1]) {
      await refused(withLengths(2048, length))
    }
  })
  test('padding that is not zero', async () => {
    for (const at of [16 + headerLength, 2000, 2047]) {
      const copy = Buffer.from(object)
      copy[at] = 1
      await refused(copy)
    }
  })
  test('bytes that are not UTF-8', async () => {
    const copy = Buffer.from(object)
    copy[copy.indexOf('audio')] = 0xff
    await refused(copy)
  })
  test('every cut within the prefix, and nothing at all', async () => {
    for (let length = 0; length < 2048; length++) await refused(object.subarray(0, length))
  })
  test('anything else', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), noise => refused(noise)))
    const noisy = fc.uint8Array({ minLength: 1, maxLength: 600 })
    await fc.assert(
      fc.asyncProperty(noisy, noise =>
        refused(Buffer.concat([object.subarray(0, 16), noise, Buffer.alloc(2200)])),
      ),
    )
  })
})
