// Whole sealed objects as vectors: made anew and compared, then opened by a second reader that is written from
// docs/sealed-object.md with nothing but node:crypto.
import assert from 'node:assert/strict'
import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { openBytes, sealBytes } from './bytes.ts'
import type { SealContext } from './context.ts'
import { createTestKeyring, patternBytes, testContext } from './fixture.ts'
import { startRecordingSecret } from './recording-secret.ts'

const file = new URL('../testdata/vectors.json', import.meta.url)
const keyEncryptionKey = Buffer.from('public test key, protects nothing').subarray(0, 32)
const wholeMost = 4096

interface Recipe {
  readonly name: string
  readonly segmentBytes: number
  readonly plaintextBytes: number
  readonly context?: Partial<SealContext>
  /** Name of the recording's secret; absent for an object whose data key is wrapped itself (rule 1). */
  readonly secretOf?: string
}

const recipes: readonly Recipe[] = [
  { name: 'empty', segmentBytes: 262_144, plaintextBytes: 0 },
  { name: 'one byte', segmentBytes: 262_144, plaintextBytes: 1 },
  { name: 'one full segment', segmentBytes: 64, plaintextBytes: 8 },
  { name: 'one byte over a segment', segmentBytes: 64, plaintextBytes: 9 },
  { name: 'three full segments', segmentBytes: 100, plaintextBytes: 3 * 84 - 40 },
  {
    name: 'texts beyond ASCII',
    segmentBytes: 4096,
    plaintextBytes: 100,
    context: { tenant: 'té"n\\\u0001\u2028', contentType: 'audio/😀' },
  },
  { name: 'a segment and one byte at the default size', segmentBytes: 262_144, plaintextBytes: 262_089 },
  { name: 'three segments at the default size', segmentBytes: 262_144, plaintextBytes: 600_000 },
]

/** Objects of one recording share a secret and a wrap; the last is of another tenant, whose secret is the same. */
const recordingRecipes: readonly Recipe[] = [
  { name: 'notice', role: 'notice', plaintextBytes: 300 },
  { name: 'original', role: 'original', plaintextBytes: 262_089 },
  { name: 'playback', role: 'playback', plaintextBytes: 1 },
  { name: 'playback, sealed again', role: 'playback', plaintextBytes: 1 },
].map(({ name, role, plaintextBytes }) => ({
  name: `recording: ${name}`,
  segmentBytes: 262_144,
  plaintextBytes,
  context: { role },
  secretOf: 'recording',
}))
const foreignRecipe: Recipe = {
  name: 'recording: texts beyond ASCII',
  segmentBytes: 100,
  plaintextBytes: 100,
  context: { tenant: 'té"n\\\u0001\u2028', recording: '"}', role: '😀' },
  secretOf: 'recording',
}

/** The bytes a recipe draws: SHA-256 of its name and a counter, as often as it takes. */
function drawn(name: string): Buffer {
  const blocks = [0, 1, 2, 3].map(count => createHash('sha256').update(`${name}/${count}`).digest())
  return Buffer.concat(blocks)
}

const ruleOneBytes = 103
const ruleTwoBytes = 71

async function makeVector({ name, segmentBytes, plaintextBytes, context, secretOf }: Recipe) {
  const random = (byteLength: number) => Uint8Array.from(drawn(name)).subarray(0, byteLength)
  const sealContext = { ...testContext, ...context }
  const keyring = createTestKeyring(keyEncryptionKey)
  const settings = { context: sealContext, segmentBytes, random }
  const plaintext = patternBytes(plaintextBytes)
  const secret = secretOf === undefined ? null : drawn(secretOf).subarray(0, 32)
  using under =
    secret === null
      ? null
      : await startRecordingSecret({
          ...sealContext,
          wrapper: keyring,
          random: () => Uint8Array.from(secret),
        })
  const { bytes, facts } =
    under === null
      ? await sealBytes(plaintext, { ...settings, wrapper: keyring })
      : await sealBytes(plaintext, { ...settings, under })
  const object = Buffer.from(bytes)
  const headerEnd = 16 + object.readUInt32BE(12)
  const prefixBytes = object.readUInt32BE(8)
  return {
    name,
    ...(secret === null
      ? {
          random: drawn(name).subarray(0, ruleOneBytes).toString('hex'),
          dataKey: drawn(name).subarray(0, 32).toString('hex'),
        }
      : {
          recordingSecret: secret.toString('hex'),
          random: drawn(name).subarray(0, ruleTwoBytes).toString('hex'),
          dataKey: unwrapByThePage(object).toString('hex'),
        }),
    context: sealContext,
    segmentBytes,
    plaintextBytes,
    plaintextSha256: Buffer.from(facts.plaintextSha256).toString('hex'),
    header: object.subarray(16, headerEnd).toString(),
    prefixBytes,
    payloadBytes: object.length - prefixBytes - 72,
    trailer: object.subarray(-72).toString('hex'),
    sealedBytes: object.length,
    sealedSha256: createHash('sha256').update(object).digest('hex'),
    fingerprint: Buffer.from(facts.fingerprint).toString('hex'),
    payload: object.length <= wholeMost ? object.subarray(prefixBytes, -72).toString('hex') : null,
    object,
  }
}

interface Stored {
  readonly keyEncryptionKey: string
  readonly vectors: readonly object[]
  /** Of rule 2. */
  readonly recordingVectors: readonly object[]
}

const ofRuleOne = await Promise.all(recipes.map(makeVector))
const ofRuleTwo = await Promise.all([...recordingRecipes, foreignRecipe].map(makeVector))
const made = [...ofRuleOne, ...ofRuleTwo]
const withoutObject = ({ object: _, ...vector }: (typeof made)[number]) => vector
const stored: Stored = {
  keyEncryptionKey: keyEncryptionKey.toString('hex'),
  vectors: ofRuleOne.map(withoutObject),
  recordingVectors: ofRuleTwo.map(withoutObject),
}
if (process.env['AURICLE_WRITE_VECTORS'] === '1') writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`)

test('the vectors come out as they are on file', () => {
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), stored)
})

test('objects as they lie on file open, of either rule', async () => {
  const onFile = JSON.parse(readFileSync(file, 'utf8'))
  const rules = new Map<number, number>()
  for (const vector of [...onFile.vectors, ...onFile.recordingVectors]) {
    const { header, prefixBytes, payload, trailer, context, plaintextBytes } = vector
    if (payload === null) continue
    const prefix = Buffer.alloc(prefixBytes)
    prefix.write('SEALREC1')
    prefix.writeUInt32BE(prefixBytes, 8)
    prefix.writeUInt32BE(Buffer.byteLength(header), 12)
    prefix.write(header, 16)
    const object = Buffer.concat([prefix, Buffer.from(payload, 'hex'), Buffer.from(trailer, 'hex')])
    const options = { expect: context, unwrapper: createTestKeyring(keyEncryptionKey) }
    assert.ok(patternBytes(plaintextBytes).equals(await openBytes(object, options)))
    const { aad } = JSON.parse(header).wraps[0]
    rules.set(aad, (rules.get(aad) ?? 0) + 1)
  }
  assert.deepEqual(Object.fromEntries(rules), { 1: 6, 2: 4 })
})

test('objects of one recording have the same wrap and nothing else in common', () => {
  const recording = ofRuleTwo.slice(0, recordingRecipes.length)
  const headers = recording.map(({ header }) => JSON.parse(header))
  assert.equal(new Set(headers.map(({ wraps }) => JSON.stringify(wraps))).size, 1)
  assert.equal(new Set(recording.map(({ dataKey }) => dataKey)).size, recording.length)
  assert.equal(new Set(headers.map(({ core }) => core.commitment)).size, recording.length)
  const foreign = JSON.parse(ofRuleTwo.at(-1)?.header ?? '')
  assert.notDeepEqual(foreign.wraps, headers[0].wraps)
})

/** The data key out of the first wrap, by either rule, as the format's page says. */
function unwrapByThePage(object: Buffer): Buffer {
  const { core, wraps } = JSON.parse(object.subarray(16, 16 + object.readUInt32BE(12)).toString())
  const { commitment: _, ...bare } = core
  const sha256 = (text: string) => createHash('sha256').update(text).digest()
  const digest = sha256(sortedJson(bare))
  const [{ aad: rule, wrapped }] = wraps
  const { recording, tenant } = core.context
  const bound =
    rule === 1
      ? [Buffer.from('sealrec/1 kms '), digest]
      : [Buffer.from('sealrec/1 kms recording '), sha256(sortedJson({ recording, tenant }))]
  const bytes = Buffer.from(wrapped, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', keyEncryptionKey, bytes.subarray(0, 12), {
    authTagLength: 16,
  })
  decipher.setAAD(Buffer.concat(bound)).setAuthTag(bytes.subarray(-16))
  const secret = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
  if (rule === 1) return secret
  const info = Buffer.concat([Buffer.from('sealrec/1 object '), digest])
  return Buffer.from(hkdfSync('sha256', secret, Buffer.from(core.objectSalt, 'base64url'), info, 32))
}

/** Opens an object with its data key as the format's page says, sharing no code with the package. */
function openByThePage(object: Buffer, dataKey: Buffer): Buffer {
  assert.equal(object.toString('latin1', 0, 8), 'SEALREC1')
  const prefixLength = object.readUInt32BE(8)
  const headerText = object.subarray(16, 16 + object.readUInt32BE(12)).toString()
  const header = JSON.parse(headerText)
  const { commitment, ...bare } = header.core
  const digest = createHash('sha256').update(sortedJson(bare)).digest()
  const derive = (label: string, salt: Buffer) =>
    Buffer.from(
      hkdfSync('sha256', dataKey, salt, Buffer.concat([Buffer.from(`sealrec/1 ${label} `), digest]), 32),
    )
  const objectSalt = Buffer.from(header.core.objectSalt, 'base64url')
  assert.equal(derive('commit', objectSalt).toString('base64url'), commitment)
  const mac = createHmac('sha256', derive('header', objectSalt))
  assert.equal(mac.update(sortedJson(header.core) + sortedJson(header.wraps)).digest('base64url'), header.mac)
  const gcm = (key: Buffer, iv: Buffer, aad: Buffer, sealed: Buffer) => {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 })
    decipher.setAAD(aad).setAuthTag(sealed.subarray(-16))
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  }
  const trailer = object.subarray(-72)
  const aad = Buffer.concat([trailer.subarray(0, 24), digest])
  const sha256 = gcm(derive('trailer', objectSalt), Buffer.alloc(12), aad, trailer.subarray(24))
  const payload = object.subarray(prefixLength, -72)
  assert.equal(trailer.readBigUInt64BE(8), BigInt(payload.length))
  const key = derive('payload', payload.subarray(1, 33))
  const size = header.core.segmentSize
  const pieces: Buffer[] = []
  for (let index = 0; index * size < payload.length; index++) {
    const end = Math.min((index + 1) * size, payload.length)
    const iv = Buffer.concat([payload.subarray(33, 40), Buffer.alloc(5)])
    iv.writeUInt32BE(index, 7)
    iv[11] = end === payload.length ? 1 : 0
    pieces.push(gcm(key, iv, Buffer.alloc(0), payload.subarray(index === 0 ? 40 : index * size, end)))
  }
  const plaintext = Buffer.concat(pieces)
  assert.equal(trailer.readBigUInt64BE(16), BigInt(plaintext.length))
  assert.deepEqual(createHash('sha256').update(plaintext).digest(), sha256)
  return plaintext
}

/** RFC 8785 for what a header may hold: members sorted by UTF-16 code units. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join(',')}}`
}

describe('each vector opens', () => {
  for (const { name, object, context, dataKey, plaintextBytes } of made) {
    test(`${name}: by this package`, async () => {
      const options = { expect: context, unwrapper: createTestKeyring(keyEncryptionKey) }
      assert.ok(patternBytes(plaintextBytes).equals(await openBytes(object, options)))
    })
    test(`${name}: by the page alone`, () => {
      assert.equal(unwrapByThePage(object).toString('hex'), dataKey)
      assert.ok(patternBytes(plaintextBytes).equals(openByThePage(object, Buffer.from(dataKey, 'hex'))))
    })
  }
})
