import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from './refusal.ts'
import { boundaryOf, readRelated } from './related.ts'

const boundary = 'b0undary'

function body(metadata: string, media: Buffer, ending = '--'): Buffer {
  const head = `--${boundary}\r\nContent-Type: application/json\r\n\r\n${metadata}\r\n--${boundary}\r\n`
  return Buffer.concat([
    Buffer.from(`${head}content-type: audio/x-sealed\r\n\r\n`),
    media,
    Buffer.from(`\r\n--${boundary}${ending}`),
  ])
}

async function* inPieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const places = [0, ...[...cuts].map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (const [index, place] of places.entries())
    yield bytes.subarray(place, places[index + 1] ?? bytes.length)
}

async function parse(bytes: Buffer, cuts: readonly number[] = []) {
  const { metadata, contentType, media } = await readRelated(inPieces(bytes, cuts), boundary)
  return { metadata, contentType, media: await buffer(media) }
}

// Bytes that are full of beginnings of the delimiter.
const tricky = fc
  .array(
    fc.constantFrom('\r', '\n', '\r\n', '-', '--', '\r\n--', '\r\n--b0undar', `--${boundary}`, 'x', '\0'),
    { maxLength: 30 },
  )
  .map(fragments => Buffer.from(fragments.join('')))
  .filter(bytes => !bytes.includes(`\r\n--${boundary}`))

test('any bytes come out as they went in, wherever the request is cut into pieces', async () => {
  const media = fc.oneof(
    tricky,
    fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  )
  await fc.assert(
    fc.asyncProperty(
      media,
      fc.array(fc.nat(), { maxLength: 20 }),
      fc.constantFrom('--', '--\r\n'),
      async (bytes, cuts, ending) => {
        const parsed = await parse(body('{"name":"a"}', bytes, ending), cuts)
        assert.deepEqual(parsed.metadata, { name: 'a' })
        assert.equal(parsed.contentType, 'audio/x-sealed')
        assert.ok(parsed.media.equals(bytes))
      },
    ),
  )
})

test('byte by byte too', async () => {
  const whole = body('{}', Buffer.from('\r\n--b0undarx\r\r\n-'))
  const parsed = await parse(whole, Array.from(whole.keys()))
  assert.equal(parsed.media.toString(), '\r\n--b0undarx\r\r\n-')
})

test('a request that breaks off anywhere is refused', async () => {
  const whole = body('{}', Buffer.from('some bytes'))
  for (let length = 0; length < whole.length; length++) {
    await assert.rejects(parse(whole.subarray(0, length)), Refusal, `${length} bytes`)
  }
})

test('what is not exactly a part of JSON and a part of bytes is refused', async () => {
  const good = body('{}', Buffer.from('x')).toString()
  const bad = [
    `preamble\r\n${good}`,
    `${good}epilogue`,
    good.replace('application/json', 'text/plain'),
    good.replace('{}', '{'),
    good.replace(/--$/, '\r\n\r\nthird\r\n--b0undary--'),
    good.replace('Content-Type: application/json', 'Content-Type application/json'),
    good.replace(
      'Content-Type: application/json',
      'Content-Type: application/json\r\nContent-Type: application/json',
    ),
    good.replaceAll('b0undary', 'other'),
    good.replace('--b0undary\r\n', '--b0undaryx\r\n'),
    good.replaceAll('\r\n', '\n'),
    `--${boundary}--`,
  ]
  for (const text of bad) await assert.rejects(parse(Buffer.from(text)), Refusal, JSON.stringify(text))
})

test('the boundary stands in the content type, with quotes or without', () => {
  assert.equal(boundaryOf('multipart/related; boundary=abc-1'), 'abc-1')
  assert.equal(boundaryOf('Multipart/Related; type="x"; boundary="a b?c"; start=1'), 'a b?c')
  for (const type of [
    undefined,
    'multipart/related',
    'multipart/mixed; boundary=a',
    'multipart/related; boundary=',
    'multipart/related; boundary="a',
  ]) {
    assert.throws(() => boundaryOf(type), Refusal)
  }
})
