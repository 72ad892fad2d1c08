import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PbxError } from './error.ts'
import { multipartBoundary, readMultipart } from './multipart.ts'

interface Part {
  readonly name: string
  readonly fileName: string | null
  readonly contentType: string | null
  readonly bytes: Buffer
}

async function* cut(body: Uint8Array, sizes: () => number) {
  for (let offset = 0; offset < body.length; ) {
    const size = sizes()
    yield body.subarray(offset, offset + size)
    offset += size
  }
}

async function readAll(body: AsyncIterable<Uint8Array>, boundary: string): Promise<Part[]> {
  const parts: (Omit<Part, 'bytes'> & { pieces: Uint8Array[] })[] = []
  for await (const event of readMultipart(body, boundary)) {
    if (event.type === 'part') parts.push({ ...event.header, pieces: [] })
    else parts.at(-1)?.pieces.push(Uint8Array.from(event.bytes))
  }
  return parts.map(({ pieces, ...header }) => ({ ...header, bytes: Buffer.concat(pieces) }))
}

function encode(boundary: string, parts: readonly { name: string; bytes: Uint8Array }[]): Buffer {
  const pieces = parts.flatMap(({ name, bytes }) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="f.bin"\r\n\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
}

const whole = (text: string | Buffer) => cut(Buffer.from(text), () => 1_000_000)
const head = 'Content-Disposition: form-data; name="a"\r\n\r\n'

const refuses = (body: string, about: RegExp, boundary = 'b') =>
  assert.rejects(readAll(whole(body), boundary), error => {
    assert.ok(error instanceof PbxError)
    assert.equal(error.code, 'malformed')
    assert.match(error.message, about)
    return true
  })

describe('readMultipart', () => {
  it('reads what it was given back, however it is cut, whatever looks like a delimiter', async () => {
    const boundary = 'xx-boundary'
    const delimiter = `\r\n--${boundary}`
    const nearDelimiter = fc
      .tuple(fc.integer({ min: 1, max: delimiter.length - 1 }), fc.constantFrom('', 'a', '\r', '\r\n', '-'))
      .map(([length, rest]) => Buffer.from(delimiter.slice(0, length) + rest))
    const content = fc
      .array(fc.oneof(nearDelimiter, fc.uint8Array({ maxLength: 40 })), { maxLength: 12 })
      .map(pieces => Buffer.concat(pieces))
      .filter(bytes => !Buffer.concat([Buffer.from('\r\n'), bytes]).includes(delimiter))
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
        async (contents, sizes) => {
          const body = encode(
            boundary,
            contents.map((bytes, index) => ({ name: `p${index}`, bytes })),
          )
          let turn = 0
          const parts = await readAll(
            cut(body, () => sizes[turn++ % sizes.length] ?? 1),
            boundary,
          )
          assert.deepEqual(
            parts.map(part => part.bytes.toString('hex')),
            contents.map(bytes => bytes.toString('hex')),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('yields large contents as views, without copying', async () => {
    const bytes = Buffer.alloc(100_000, 7)
    const body = encode('b', [{ name: 'a', bytes }])
    const views: Uint8Array[] = []
    for await (const event of readMultipart(whole(body), 'b'))
      if (event.type === 'data') views.push(event.bytes)
    assert.deepEqual(
      views.map(view => view.length),
      [100_000],
    )
    // whole() copies once; a view shares its memory with the chunk it was cut from.
    assert.ok((views[0]?.buffer.byteLength ?? 0) > 100_000)
  })

  it('throws nothing but malformed at arbitrary bytes', async () => {
    const alphabet = fc.constantFrom(
      '--b',
      '\r\n',
      '--',
      head,
      'Content-Type: x\r\n',
      'A: ',
      '\0',
      'text',
      ';',
      '"',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(alphabet, fc.string()), { maxLength: 20 }),
        fc.integer({ min: 1, max: 50 }),
        async (pieces, size) => {
          await readAll(
            cut(Buffer.from(pieces.join('')), () => size),
            'b',
          ).catch(error => {
            if (!(error instanceof PbxError && error.code === 'malformed')) throw error
          })
        },
      ),
      { numRuns: 500 },
    )
  })

  it('reads the body as it is cut off nowhere: every shorter one is malformed', async () => {
    const body = encode('b', [{ name: 'a', bytes: Buffer.from('hello') }])
    const closed = body.length - 2
    for (let length = 0; length < closed; length += 1) {
      await assert.rejects(readAll(whole(body.subarray(0, length)), 'b'), { code: 'malformed' })
    }
    await readAll(whole(body.subarray(0, closed)), 'b')
  })

  it('takes file names and types as senders write them', async () => {
    const read = async (disposition: string) => {
      const [part] = await readAll(whole(`--b\r\nContent-Disposition: ${disposition}\r\n\r\nx\r\n--b--`), 'b')
      return [part?.name, part?.fileName]
    }
    assert.deepEqual(await read('form-data; name="audio"; filename="a \\"b\\".wav"'), ['audio', 'a "b".wav'])
    assert.deepEqual(await read('form-data; name=audio; filename=a.wav'), ['audio', 'a.wav'])
    assert.deepEqual(await read('FORM-DATA; NAME="audio"; FileName="Ünïcode.wav"'), ['audio', 'Ünïcode.wav'])
    assert.deepEqual(await read('form-data;name="audio"'), ['audio', null])
  })

  it('ignores a bounded preamble and epilogue', async () => {
    const body = `\r\n--b\r\n${head}x\r\n--b--`
    assert.equal((await readAll(whole(`preamble${body}epilogue`), 'b')).length, 1)
    await refuses(`${'p'.repeat(1025)}${body}`, /outside/)
    await refuses(`${body}${'e'.repeat(1025)}`, /outside/)
  })

  it('bounds headers and parts', async () => {
    await refuses(`--b\r\n${'X'.repeat(9000)}`, /too long/)
    await refuses(
      `--b\r\n${Array.from({ length: 20 }, (_, i) => `H${i}: x\r\n`).join('')}\r\n`,
      /too many headers/,
    )
    await refuses(`--b\r\n${head}\r\n`.repeat(17), /too many parts/)
  })

  it('refuses what it could only guess at', async () => {
    await refuses(`--b\r\n\r\nx\r\n--b--`, /form-data with a name/)
    await refuses(
      `--b\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--b--`,
      /form-data with a name/,
    )
    await refuses(`--b\r\nContent-Disposition: form-data; name="a\r\n\r\nx\r\n--b--`, /form-data with a name/)
    await refuses(`--b\r\nA: 1\r\nA: 2\r\n\r\nx\r\n--b--`, /repeats/)
    await refuses(`--b\r\n folded\r\n\r\nx\r\n--b--`, /cannot be read/)
    await refuses(`--b\r\nContent-Transfer-Encoding: base64\r\n${head}x\r\n--b--`, /Transfer-Encoding/)
    await refuses(`--bx\r\n${head}x\r\n--b--`, /line break/)
    await refuses(`--b \r\n${head}x\r\n--b--`, /line break/)
    await refuses('', /closing/)
  })

  it('passes on what the body throws, and stops the body when it is left early', async () => {
    const cause = new RangeError('cut off')
    async function* broken() {
      yield Buffer.from('--b\r\n')
      throw cause
    }
    await assert.rejects(readAll(broken(), 'b'), cause)

    let stopped = false
    async function* endless() {
      try {
        yield Buffer.from(`--b\r\n${head}`)
        for (;;) yield Buffer.alloc(1000)
      } finally {
        stopped = true
      }
    }
    for await (const event of readMultipart(endless(), 'b')) if (event.type === 'data') break
    assert.ok(stopped)
  })
})

describe('multipartBoundary', () => {
  it('reads the boundary, and nothing that is none', () => {
    assert.equal(multipartBoundary('multipart/form-data; boundary=abc'), 'abc')
    assert.equal(multipartBoundary('Multipart/Form-Data; charset=utf-8; Boundary="a b"'), 'a b')
    assert.equal(multipartBoundary('multipart/mixed; boundary=abc'), null)
    assert.equal(multipartBoundary('multipart/form-data'), null)
    assert.equal(multipartBoundary('multipart/form-data; boundary='), null)
    assert.equal(multipartBoundary('multipart/form-data; boundary="a\rb"'), null)
    assert.equal(multipartBoundary(`multipart/form-data; boundary=${'x'.repeat(71)}`), null)
    assert.equal(multipartBoundary('multipart/form-data; boundary="unclosed'), null)
  })

  it('never throws and answers quickly', () => {
    fc.assert(
      fc.property(fc.string(), text => multipartBoundary(`multipart/form-data;${text}`) !== undefined),
    )
    multipartBoundary(`multipart/form-data${'; '.repeat(100_000)}`)
    multipartBoundary(`multipart/form-data; a="${'\\'.repeat(1900)}`)
  })
})
