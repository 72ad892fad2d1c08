// Holds leaves to one spelling, to RFC 6962's hash, and to having no room for what could identify a patient.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, TenantId, TokenId, UserId, WriterId } from '@auricle/contract'
import fc from 'fast-check'
import { hex } from './bytes.ts'
import { AuditError, type AuditErrorCode } from './error.ts'
import { type AuditEvent, EventAction } from './event.ts'
import { beginLeaf, decodeLeaf, encodeLeaf, finishLeaf, leafHash } from './leaf.ts'

const ulid = '01jd3w8h9k6n2q4s5t7v8x9y0z'
const event: AuditEvent = {
  v: 1,
  id: EventId.parse(`evt_${ulid}`),
  tenant: TenantId.parse(`ten_${ulid}`),
  at: '2026-11-22T11:07:00.123Z',
  action: 'recording.played',
  outcome: 'allowed',
  actor: { type: 'user', id: UserId.parse(`usr_${ulid}`), session: TokenId.parse(`tok_${ulid}`) },
  object: { type: 'recording', id: `rec_${ulid}`, version: 'playback' },
  reasons: ['owns_mailbox'],
  request: '5e0a7f0c-3b1e-4d8e-9a33-0f6f1e0f8f11',
  private: `sha256:${'0a'.repeat(32)}`,
}

const throwsCode = (code: AuditErrorCode, run: () => unknown) =>
  assert.throws(run, (error: unknown) => error instanceof AuditError && error.code === code)

test('a leaf is the version line and canonical JSON', () => {
  assert.equal(
    new TextDecoder().decode(encodeLeaf(event)),
    `auricle-audit/1\n{"action":"recording.played","actor":{"id":"usr_${ulid}","session":"tok_${ulid}",` +
      `"type":"user"},"at":"2026-11-22T11:07:00.123Z","id":"evt_${ulid}","object":{"id":"rec_${ulid}",` +
      `"type":"recording","version":"playback"},"outcome":"allowed","private":"sha256:${'0a'.repeat(32)}",` +
      `"reasons":["owns_mailbox"],"request":"5e0a7f0c-3b1e-4d8e-9a33-0f6f1e0f8f11","tenant":"ten_${ulid}","v":1}`,
  )
})

test('every event comes back from its leaf', () => {
  const word = fc.stringMatching(/^[a-z]{1,10}(_[a-z]{1,10}){0,2}$/)
  fc.assert(
    fc.property(
      fc.record({
        at: fc
          .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
          .map(date => date.toISOString()),
        action: fc.constantFrom(...EventAction.options),
        outcome: fc.constantFrom('allowed', 'denied', 'failed'),
        reasons: fc.array(word, { maxLength: 8 }),
        object: fc.option(
          fc.record(
            { type: word, id: word, version: fc.constantFrom(null, '1732273620123456', 'original') },
            { noNullPrototype: true },
          ),
        ),
        request: fc.option(fc.uuid()),
      }),
      facts => {
        const whole: AuditEvent = { ...event, ...facts }
        assert.deepEqual(decodeLeaf(encodeLeaf(whole)), whole)
        // Begun before its writer was known, it is the same.
        const writer = { id: WriterId.parse(`wri_${ulid}`), name: 'api', n: facts.reasons.length }
        assert.deepEqual(finishLeaf(beginLeaf(whole), writer), encodeLeaf({ ...whole, writer }))
      },
    ),
  )
})

test('RFC 6962 leaf hashes', () => {
  for (const [leaf, hash] of [
    ['', '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    ['00', '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7'],
    ['10', '0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7'],
    ['2021', '07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7'],
    ['3031', 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b'],
    ['40414243', '4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658'],
    ['5051525354555657', 'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f'],
    ['606162636465666768696a6b6c6d6e6f', '46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1'],
    ['4c313233343536', '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56'],
  ] as const) {
    assert.equal(hex(leafHash(Buffer.from(leaf, 'hex'))), hash)
  }
})

test('the public part has no room for what identifies somebody', () => {
  const phrases = [
    'Dana Example',
    'dana.example@clinic.example',
    '+1 555 010 0199',
    '+15550100199',
    '15550100199',
    '555-0100',
    '5550100199',
    'tel-5550100199',
    'call back about the biopsy',
    'Señora',
    '203.0.113.9',
    '2001:db8::1',
    'DOB:1961',
    'a\nb',
    'a\u0000',
    '',
    'x'.repeat(200),
  ]
  const session = `tok_${ulid}`
  for (const phrase of phrases) {
    const actor = { type: 'user', id: `usr_${ulid}`, session } as const
    const object = { type: 'recording', id: `rec_${ulid}`, version: null }
    for (const whole of [
      { ...event, reasons: [phrase] },
      { ...event, actor: { ...actor, id: phrase } },
      { ...event, actor: { ...actor, session: phrase } },
      { ...event, object: { ...object, type: phrase } },
      { ...event, object: { ...object, id: phrase } },
      { ...event, private: phrase },
      { ...event, at: phrase },
      { ...event, [phrase]: 1 },
    ]) {
      throwsCode('bad_event', () => encodeLeaf(whole))
    }
  }
  for (const token of [
    '+15550100199',
    '15550100199',
    '555-010-0199',
    'Dana Example',
    'dana@clinic.example',
    '',
  ]) {
    throwsCode('bad_event', () => encodeLeaf({ ...event, request: token }))
    throwsCode('bad_event', () =>
      encodeLeaf({ ...event, object: { type: 'recording', id: `rec_${ulid}`, version: token } }),
    )
  }
})

test('a refusal does not repeat the refused text', () => {
  try {
    encodeLeaf({ ...event, reasons: ['call Dana Example'] })
    assert.fail('it was accepted')
  } catch (error) {
    assert.ok(error instanceof AuditError)
    assert.match(error.message, /reasons\.0/)
    assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /Dana/)
  }
})

test('bytes that no encoder wrote are refused', () => {
  const text = new TextDecoder().decode(encodeLeaf(event))
  const spelled = {
    'other version line': text.replace('audit/1', 'audit/2'),
    'no version line': text.slice(16),
    'white space': text.replace('{"action"', '{ "action"'),
    'trailing line feed': `${text}\n`,
    'byte order mark': text.replace('\n{', '\n\ufeff{'),
    'duplicate key': text.replace('"v":1', '"v":1,"v":1'),
    'keys in other order': text.replace(
      /\{"action":"recording.played",(.*)\}$/,
      '{$1,"action":"recording.played"}',
    ),
    'number spelled otherwise': text.replace('"v":1', '"v":1.0'),
    'escaped letter': text.replace('played', String.raw`pl\u0061yed`),
    'unknown field': text.replace('"v":1', '"v":1,"w":1'),
    'missing field': text.replace(',"v":1', ''),
    'not JSON': 'auricle-audit/1\n{',
    empty: '',
    'too large': `${text}${' '.repeat(9000)}`,
  }
  for (const [name, other] of Object.entries(spelled)) {
    assert.notEqual(other, text, name)
    throwsCode('bad_leaf', () => decodeLeaf(new TextEncoder().encode(other)))
  }
  throwsCode('bad_leaf', () => decodeLeaf(Uint8Array.of(...encodeLeaf(event).slice(0, 30), 0xff, 0xfe)))
})

test('no altered byte leaves a leaf that reads as the same event', () => {
  const leaf = encodeLeaf(event)
  fc.assert(
    fc.property(fc.nat(leaf.length - 1), fc.integer({ min: 1, max: 255 }), (index, mask) => {
      const altered = Uint8Array.from(leaf)
      altered[index] = (altered[index] ?? 0) ^ mask
      try {
        assert.notDeepEqual(decodeLeaf(altered), event)
      } catch (error) {
        if (!(error instanceof AuditError)) throw error
        assert.equal(error.code, 'bad_leaf')
      }
    }),
  )
})
