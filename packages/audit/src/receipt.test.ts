// Holds receipts, anchor leaves and origins to their one spelling.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEventId, newTenantId, newWriterId } from '@auricle/contract'
import fc from 'fast-check'
import { type AnchorLeaf, decodeAnchorLeaf, encodeAnchorLeaf } from './anchor-leaf.ts'
import { concat, fromUtf8, toBase64, utf8 } from './bytes.ts'
import { AuditError, type AuditErrorCode } from './error.ts'
import { decodeLeaf, leafHash } from './leaf.ts'
import { anchorOrigin, LogName, logOrigin, parseLogOrigin, receiptKeyName } from './origins.ts'
import { formatReceipt, parseReceipt } from './receipt.ts'
import { isKeyName } from './verifier-key.ts'

const isError = (code: AuditErrorCode) => (error: unknown) =>
  error instanceof AuditError && error.code === code

const at = '2026-11-26T04:39:00.123Z'
const hash = leafHash(utf8('leaf'))
const tenantId = newTenantId()
const eventId = newEventId()
const notTimes = [
  '',
  'now',
  '2026-11-26T04:39:00Z',
  '2026-11-26T04:39:00.1234Z',
  '2026-11-26T04:39:00.123z',
  '2026-11-26t04:39:00.123Z',
  '2026-11-26 04:39:00.123Z',
  '2026-11-26T04:39:00.123+00:00',
  '2026-11-26T04:39:00.123',
  '2026-02-30T04:39:00.123Z',
  '2026-13-01T04:39:00.123Z',
  '2026-11-26T24:00:00.000Z',
  '2026-11-26T23:59:60.000Z',
  '+002026-11-26T04:39:00.123Z',
  `${at} `,
  `${at}\r`,
]
const anyTime = fc
  .date({
    min: new Date('0000-01-01T00:00:00.000Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  .map(date => date.toISOString())

test('an anchor leaf is a time, and a checkpoint where there is one', () => {
  const alone = 'auricle-anchor/1\n2026-11-26T04:39:00.123Z\n'
  assert.equal(fromUtf8(encodeAnchorLeaf({ at, checkpoint: null })), alone)
  const checkpoint = { origin: logOrigin('auricle.test', tenantId, 2026), size: 7, root: hash }
  const text = `${alone}auricle.test/t/${tenantId}/2026\n7\n${toBase64(hash)}\n`
  assert.equal(fromUtf8(encodeAnchorLeaf({ at, checkpoint })), text)
  assert.deepEqual(decodeAnchorLeaf(utf8(text)), { at, checkpoint })
  assert.deepEqual(decodeAnchorLeaf(utf8(alone)), { at, checkpoint: null })
})

test('what is no anchor leaf is refused', () => {
  const checkpoint = { origin: 'auricle.test/log', size: 7, root: hash }
  const text = fromUtf8(encodeAnchorLeaf({ at, checkpoint }))
  for (const [name, other] of Object.entries({
    empty: '',
    'another version': text.replace('/1\n', '/2\n'),
    'no time': text.replace(`${at}\n`, ''),
    'no last line feed': text.slice(0, -1),
    'no line feed after the time': text.slice(0, text.indexOf('Z') + 1),
    'an empty line below': `${text}\n`,
    'an empty line in place of a checkpoint': `auricle-anchor/1\n${at}\n\n`,
    'a checkpoint and more': `${text}more\n`,
    'leading zero': text.replace('\n7\n', '\n07\n'),
    'CR LF': text.replaceAll('\n', '\r\n'),
    'a byte order mark': `\ufeff${text}`,
  })) {
    assert.throws(() => decodeAnchorLeaf(utf8(other)), isError('bad_anchor'), name)
  }
  for (const other of notTimes) {
    assert.throws(() => decodeAnchorLeaf(utf8(`auricle-anchor/1\n${other}\n`)), isError('bad_anchor'), other)
    assert.throws(() => encodeAnchorLeaf({ at: other, checkpoint: null }), isError('bad_anchor'), other)
  }
  assert.throws(() => decodeAnchorLeaf(Uint8Array.of(0xff)), isError('bad_anchor'))
  assert.throws(
    () => encodeAnchorLeaf({ at, checkpoint: { ...checkpoint, size: -1 } }),
    isError('bad_checkpoint'),
  )
  assert.throws(() => decodeLeaf(utf8(text)), isError('bad_leaf'))
})

test('a receipt is five lines', () => {
  const receipt = { tenantId, eventId, leafHash: hash, at }
  const text = `auricle-receipt/1\n${tenantId}\n${eventId}\n${toBase64(hash)}\n${at}\n`
  assert.equal(formatReceipt(receipt), text)
  assert.deepEqual(parseReceipt(text), receipt)
  for (const [name, other] of Object.entries({
    empty: '',
    'another version': text.replace('/1\n', '/2\n'),
    'no last line feed': text.slice(0, -1),
    'a line more': `${text}more\n`,
    'an empty line more': `${text}\n`,
    'a line less': text.replace(`${at}\n`, ''),
    'tenant and event swapped': text.replace(`${tenantId}\n${eventId}`, `${eventId}\n${tenantId}`),
    'no tenant': text.replace(tenantId, ''),
    'hash of 31 bytes': text.replace(toBase64(hash), toBase64(hash.slice(1))),
    'hash in hexadecimal': text.replace(toBase64(hash), Buffer.from(hash).toString('hex')),
    'CR LF': text.replaceAll('\n', '\r\n'),
  })) {
    assert.throws(() => parseReceipt(other), isError('bad_receipt'), name)
  }
  for (const other of notTimes) {
    assert.throws(() => formatReceipt({ ...receipt, at: other }), isError('bad_receipt'), other)
  }
  assert.throws(() => formatReceipt({ ...receipt, leafHash: new Uint8Array(31) }), isError('bad_receipt'))
})

test('whatever is read as an anchor leaf or a receipt is written as it was', () => {
  const checkpoint = { origin: 'auricle.test/log', size: 7, root: hash }
  const texts = [
    fromUtf8(encodeAnchorLeaf({ at, checkpoint })),
    fromUtf8(encodeAnchorLeaf({ at, checkpoint: null })),
    formatReceipt({ tenantId, eventId, leafHash: hash, at }),
  ]
  const altered = fc
    .tuple(fc.constantFrom(...texts), fc.nat(160), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 }))
    .map(([text, place, cut, other]) => text.slice(0, place) + other + text.slice(place + cut))
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...texts), fc.string({ unit: 'binary' }), altered), text => {
      const bytes = utf8(text)
      try {
        assert.deepEqual(encodeAnchorLeaf(decodeAnchorLeaf(bytes)), bytes)
      } catch (error) {
        if (!isError('bad_anchor')(error)) throw error
      }
      try {
        assert.equal(formatReceipt(parseReceipt(text)), text)
      } catch (error) {
        if (!isError('bad_receipt')(error)) throw error
      }
    }),
    { numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      assert.throws(() => decodeAnchorLeaf(bytes), isError('bad_anchor'))
    }),
  )
  const anyCheckpoint = fc.record(
    {
      origin: fc.stringMatching(/^[a-z0-9./]{1,40}$/),
      size: fc.maxSafeNat().map(size => size || 1),
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => concat(bytes)),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(anyTime, fc.option(anyCheckpoint), (time, ofLog) => {
      const leaf: AnchorLeaf = { at: time, checkpoint: ofLog }
      assert.deepEqual(decodeAnchorLeaf(encodeAnchorLeaf(leaf)), leaf)
    }),
  )
})

test('origins name their log and nothing else does', () => {
  const writerId = newWriterId()
  assert.equal(logOrigin('auricle.local', tenantId, 2026), `auricle.local/t/${tenantId}/2026`)
  assert.equal(anchorOrigin('auricle.local'), 'auricle.local/anchor')
  assert.equal(receiptKeyName('auricle.local', writerId), `auricle.local/receipts/${writerId}`)
  for (const name of [
    logOrigin('auricle.local', tenantId, 2026),
    anchorOrigin('auricle.local'),
    receiptKeyName('auricle.local', writerId),
  ]) {
    assert.ok(isKeyName(name))
  }
  assert.deepEqual(parseLogOrigin(logOrigin('auricle.local', tenantId, 2026)), {
    name: 'auricle.local',
    tenantId,
    year: 2026,
  })
  for (const origin of [
    '',
    anchorOrigin('auricle.local'),
    receiptKeyName('auricle.local', writerId),
    `auricle.local/t/${tenantId}/02026`,
    `auricle.local/t/${tenantId}/202`,
    `auricle.local/t/${tenantId}/2026/`,
    `auricle.local/t/${tenantId}/2026\n`,
    `auricle.local/t/${eventId}/2026`,
    `/t/${tenantId}/2026`,
    `a/b/t/${tenantId}/2026`,
    `auricle local/t/${tenantId}/2026`,
  ]) {
    assert.equal(parseLogOrigin(origin), null, origin)
  }
})

test('the name of a deployment is like that of a host', () => {
  for (const name of ['a', 'auricle.local', 'log.clinic-7.example', 'x1.y2'])
    assert.ok(LogName.safeParse(name).success)
  for (const name of [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    'A',
    'a b',
    'a+b',
    'a/b',
    'é',
    'a\n',
    'a'.repeat(101),
  ]) {
    assert.ok(!LogName.safeParse(name).success, name)
  }
})
