// An upload in one request as multipart/related: exactly a part with the metadata and a part with the bytes.
import { invalid } from './refusal.ts'

export interface RelatedUpload {
  readonly metadata: unknown
  readonly contentType: string | null
  /** Throws at its end where the request does not end as it should. */
  readonly media: AsyncIterable<Buffer>
}

const crlf = '\r\n'
const dashes = '--'
const mostHeaderBytes = 16_384
const mostMetadataBytes = 1_048_576

/** The boundary of a `Content-Type` (RFC 2046, 5.1.1), with or without quotes. */
export function boundaryOf(contentType: string | undefined): string {
  const match =
    /^multipart\/related\s*;(?:.*;)?\s*boundary=(?:"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])"|([\w'+.-]{1,70}))\s*(?:;|$)/i.exec(
      contentType ?? '',
    )
  const boundary = match?.[1] ?? match?.[2]
  if (boundary === undefined) throw invalid('Missing or malformed boundary in Content-Type header.')
  return boundary
}

export async function readRelated(source: AsyncIterable<Buffer>, boundary: string): Promise<RelatedUpload> {
  // The first delimiter begins the body; all others begin after a line break, so the first is given one too.
  const text = new Text(source, Buffer.from(crlf))
  const delimiter = Buffer.from(`${crlf}${dashes}${boundary}`)

  if ((await text.gather(delimiter, 0)).length > 0) throw malformed()
  await text.lineAfterDelimiter()
  const metadataType = (await text.headers()).get('content-type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(metadataType)) {
    throw invalid('The metadata part has to be of the type application/json.')
  }
  const metadata = parseJson(await text.gather(delimiter, mostMetadataBytes))
  await text.lineAfterDelimiter()
  const contentType = (await text.headers()).get('content-type') ?? null

  async function* media() {
    yield* text.until(delimiter)
    await text.end()
  }
  return { metadata, contentType, media: media() }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown
  } catch (cause) {
    throw Object.assign(invalid('Parse Error'), { cause })
  }
}

const malformed = () => invalid('Malformed multipart body.')

class Text {
  readonly #pieces: AsyncIterator<Buffer>
  #rest: Buffer

  constructor(source: AsyncIterable<Buffer>, before: Buffer) {
    this.#pieces = source[Symbol.asyncIterator]()
    this.#rest = before
  }

  /** Everything up to the mark, which is taken and not given. */
  async *until(mark: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#rest.indexOf(mark)
      if (at !== -1) {
        const found = this.#rest.subarray(0, at)
        this.#rest = this.#rest.subarray(at + mark.length)
        if (found.length > 0) yield found
        return
      }
      // The mark may have begun in the last bytes; only then are they kept and joined with what follows.
      const tail = Math.max(0, this.#rest.length - mark.length + 1)
      const beginning = this.#rest.indexOf(mark.subarray(0, 1), tail)
      const keep = beginning === -1 ? this.#rest.length : beginning
      const free = this.#rest.subarray(0, keep)
      const kept = this.#rest.subarray(keep)
      this.#rest = kept
      if (free.length > 0) yield free
      const next = await this.#pieces.next()
      if (next.done === true) throw malformed()
      this.#rest = kept.length === 0 ? next.value : Buffer.concat([kept, next.value])
    }
  }

  async gather(mark: Buffer, mostBytes: number): Promise<Buffer> {
    const found: Buffer[] = []
    let length = 0
    for await (const piece of this.until(mark)) {
      length += piece.length
      if (length > mostBytes) throw malformed()
      found.push(piece)
    }
    return Buffer.concat(found)
  }

  async #line(): Promise<string> {
    return (await this.gather(Buffer.from(crlf), mostHeaderBytes)).toString('latin1')
  }

  async lineAfterDelimiter(): Promise<void> {
    if (!/^[ \t]*$/.test(await this.#line())) throw malformed()
  }

  async headers(): Promise<Map<string, string>> {
    const headers = new Map<string, string>()
    for (let line = await this.#line(); line !== ''; line = await this.#line()) {
      const match = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line)
      const name = match?.[1]?.toLowerCase()
      if (name === undefined || headers.has(name)) throw malformed()
      headers.set(name, match?.[2] ?? '')
    }
    return headers
  }

  /** The two dashes of the last delimiter, and at most a line break after them. */
  async end(): Promise<void> {
    let last = this.#rest
    for (let next = await this.#pieces.next(); next.done !== true; next = await this.#pieces.next()) {
      last = Buffer.concat([last, next.value])
      if (last.length > mostHeaderBytes) throw malformed()
    }
    const ending = last.toString('latin1')
    if (ending !== dashes && ending !== dashes + crlf) throw malformed()
  }
}
